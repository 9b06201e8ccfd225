#include "rewriter/mysql/names.h"
#include "rewriter/mysql/parser.h"
#include "values/ascii.h"

/// INSERT, REPLACE, UPDATE, DELETE.
namespace anabranch::rewriter::mysql {

using namespace tree;

namespace {
bool take(std::vector<std::string>& words, std::string_view word) {
  return std::erase(words, word) > 0;
}
}  // namespace

Insert Parser::insert(bool replace) {
  Insert out;
  out.replace = replace;
  expect(replace ? "replace" : "insert");
  modifiers({"low_priority", "delayed", "high_priority", "ignore"}, out.modifiers);
  out.ignore = take(out.modifiers, "IGNORE");
  if (replace && out.ignore) fail();
  accept("into");
  out.table = table_name();
  out.table.qualifier = table_qualifier();
  if (at("set")) {
    ++at_;
    auto source = std::make_unique<Select>();
    source->values.emplace_back();
    for (Assignment& assignment : assignments()) {
      if (!assignment.qualifier.empty()) throw Unmodelled{};
      out.columns.push_back({std::move(assignment.column), {}});
      source->values[0].push_back(std::move(assignment.value));
    }
    out.source = std::move(source);
  } else {
    const bool columns = at("(") && !at_query(at_);
    if (columns && accept_words({"(", ")"})) {
      // INSERT INTO t () VALUES (): no columns
    } else if (columns) {
      expect("(");
      do {
        Name column = qualified_name(3);
        if (column.size() > 1) throw Unmodelled{};
        out.columns.push_back({values::lower_case(column[0]), {}});
      } while (accept(","));
      expect(")");
    }
    if (accept("value")) {
      out.source = std::make_unique<Select>();
      out.source->values = value_rows(out.source->row_values);
    } else {
      out.source = query(false);
    }
  }
  if (!replace && accept("as")) {
    out.row_alias.name = name();
    if (at("(")) out.row_alias.columns = name_list();
  }
  if (!replace && accept_words({"on", "duplicate", "key", "update"})) {
    out.on_conflict = std::make_unique<OnConflict>();
    out.on_conflict->action = OnConflict::Action::update;
    out.on_conflict->set = assignments();
  }
  out.returning = returning();
  return out;
}

std::vector<Target> Parser::returning() {
  if (!accept("returning")) return {};
  return targets(true);
}

std::vector<Assignment> Parser::assignments() {
  std::vector<Assignment> out;
  do {
    Assignment assignment;
    assignment.location = static_cast<int>(here().offset);
    Name name = qualified_name(3);
    assignment.column = values::lower_case(name.back());
    name.pop_back();
    assignment.qualifier = std::move(name);
    if (!accept(":=")) expect("=");
    assignment.value = value_or_default();
    out.push_back(std::move(assignment));
  } while (accept(","));
  return out;
}

void Parser::write_tail(std::vector<SortKey>& order_by, ExprPtr& limit) {
  if (accept_words({"order", "by"})) order_by = sort_keys();
  if (accept("limit")) limit = limit_value();
}

Update Parser::update() {
  Update out;
  expect("update");
  modifiers({"low_priority", "ignore"}, out.modifiers);
  out.ignore = take(out.modifiers, "IGNORE");
  out.from = from_list();
  if (out.from.size() == 1 && out.from[0]->as<TableRef>()) {
    out.table = std::move(*out.from[0]->as<TableRef>());
    out.from.clear();
  }
  expect("set");
  out.set = assignments();
  if (accept("where")) out.where = expr();
  write_tail(out.order_by, out.limit);
  return out;
}

// DELETE FROM t …; DELETE a, b.* FROM …; DELETE FROM a, b USING …
Delete Parser::delete_() {
  Delete out;
  expect("delete");
  modifiers({"low_priority", "quick", "ignore"}, out.modifiers);
  out.ignore = take(out.modifiers, "IGNORE");
  if (accept("from")) {
    const std::size_t start = at_;
    out.targets = delete_targets();
    if (accept("using")) {
      out.using_ = from_list();
    } else {
      if (out.targets.size() > 1) fail();
      at_ = start;
      out.targets.clear();
      out.table = table_ref();
    }
  } else {
    out.targets = delete_targets();
    expect("from");
    out.using_ = from_list();
  }
  if (accept("where")) out.where = expr();
  write_tail(out.order_by, out.limit);
  out.returning = returning();
  return out;
}

std::vector<Name> Parser::delete_targets() {
  std::vector<Name> out;
  do {
    out.push_back(qualified_name(2));
    if (at(".") && at("*", 1)) at_ += 2;
  } while (accept(","));
  return out;
}

}  // namespace anabranch::rewriter::mysql
