#include "rewriter/scope.h"

#include <algorithm>
#include <array>

#include "rewriter/language.h"

namespace anabranch::rewriter {
namespace {

constexpr std::array<std::string_view, 6> kSystemColumns = {"ctid", "xmin", "xmax",
                                                            "cmin", "cmax", "tableoid"};

bool is_system(std::string_view name) {
  for (const std::string_view system : kSystemColumns) {
    if (name == system) return true;
  }
  return false;
}

int virtual_column(std::string_view name) {
  if (name == "_shard_num") return kShardNumber;
  if (name == "_shard_name") return kShardName;
  return 0;
}

Lookup found(Ident ident) {
  return {Lookup::Answer::found, ident, 0};
}

Lookup find_among(const std::vector<NamedColumn>& columns, std::string_view name) {
  Lookup answer;
  for (const NamedColumn& column : columns) {
    if (column.name != name) continue;
    if (answer.answer == Lookup::Answer::found) return {Lookup::Answer::ambiguous, {}, 0};
    answer = found(column.ident);
  }
  return answer;
}

/// A column that no list shows: virtual, of the system, or of a relation we know too little of.
Lookup find_hidden(const Query& query, const Names::Relation& relation, std::string_view name) {
  if (relation.instance < 0) return {};
  const Instance& instance = query.at(relation.instance);
  const bool hidden = query.language->hidden_columns;
  if (const int special = virtual_column(name); hidden && special != 0 && query.sharded(instance)) {
    return found({relation.instance, special});
  }
  if (hidden && instance.kind == Instance::Kind::table && is_system(name)) {
    return found({relation.instance, kSystemColumn});
  }
  if (instance.open) return found({relation.instance, kUnknownColumn});
  return {};
}

Lookup find_in_relation(const Query& query, const Names::Relation& relation,
                        std::string_view name) {
  const Lookup shown = find_among(relation.columns, name);
  return shown.answer == Lookup::Answer::missing ? find_hidden(query, relation, name) : shown;
}

Lookup find_bare(const Query& query, const Names& names, std::string_view name) {
  Lookup answer = find_among(names.columns, name);
  if (answer.answer != Lookup::Answer::missing) return answer;
  for (const Names::Relation& relation : names.relations) {
    answer = find_hidden(query, relation, name);
    if (answer.answer == Lookup::Answer::found && answer.ident.column != kUnknownColumn) {
      return answer;
    }
  }
  for (const Names::Relation& relation : names.relations) {
    if (relation.name == name && relation.instance >= 0) {
      return found({relation.instance, kWholeRow});
    }
  }
  for (const Names::Relation& relation : names.relations) {
    answer = find_hidden(query, relation, name);
    if (answer.answer == Lookup::Answer::found) return answer;
  }
  return {};
}

const Names::Relation* find_relation(const Names& names, const std::string& schema,
                                     const std::string& name) {
  for (const Names::Relation& relation : names.relations) {
    if (relation.name == name && (schema.empty() || relation.schema == schema)) return &relation;
  }
  return nullptr;
}

}  // namespace

void Names::append(const Names& other) {
  relations.insert(relations.end(), other.relations.begin(), other.relations.end());
  columns.insert(columns.end(), other.columns.begin(), other.columns.end());
}

Lookup look_up(const Query& query, const Scope& scope, const tree::Name& name, bool local) {
  const std::string column = query.language->column_name(name.back());
  int levels = 0;
  for (const Scope* at = &scope; at != nullptr; at = local ? nullptr : at->outer, ++levels) {
    if (at->names == nullptr) continue;
    Lookup answer;
    if (name.size() == 1) {
      answer = find_bare(query, *at->names, column);
    } else {
      const std::string schema = name.size() > 2 ? name[name.size() - 3] : std::string();
      const auto* relation = find_relation(*at->names, schema, name[name.size() - 2]);
      if (relation != nullptr) {
        answer = find_in_relation(query, *relation, column);
        if (answer.answer == Lookup::Answer::missing) return answer;
      }
    }
    answer.levels_up = levels;
    if (answer.answer != Lookup::Answer::missing) return answer;
  }
  return {};
}

const Names::Relation* look_up_relation(const Scope& scope, const tree::Name& name) {
  const std::string schema = name.size() > 1 ? name[name.size() - 2] : std::string();
  for (const Scope* at = &scope; at != nullptr; at = at->outer) {
    if (at->names == nullptr) continue;
    if (const auto* relation = find_relation(*at->names, schema, name.back())) return relation;
  }
  return nullptr;
}

void Names::append_rest(const Names& side, const std::vector<std::string>& common) {
  for (const NamedColumn& column : side.columns) {
    if (std::ranges::find(common, column.name) == common.end()) columns.push_back(column);
  }
}

void Names::hide_behind(const tree::Alias& alias) {
  for (std::size_t i = 0; i < alias.columns.size() && i < columns.size(); ++i) {
    columns[i].name = alias.columns[i];
  }
  relations.clear();
  relations.push_back({alias.name, {}, -1, columns});
}

std::vector<std::string> natural_columns(const Names& left, const Names& right) {
  std::vector<std::string> common;
  for (const NamedColumn& column : left.columns) {
    for (const NamedColumn& other : right.columns) {
      if (other.name == column.name) common.push_back(column.name);
    }
  }
  return common;
}

}  // namespace anabranch::rewriter
