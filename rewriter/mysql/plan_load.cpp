#include <algorithm>
#include <charconv>

#include "rewriter/mysql/plan.h"
#include "rewriter/utility.h"
#include "rewriter/write.h"
#include "values/ascii.h"

/// LOAD DATA: a file that the client sends is cut into lines here, where its table is on several shards.
namespace anabranch::rewriter::mysql {
namespace {

[[noreturn]] void refuse_format(std::string_view clause, std::string_view reason) {
  refuse_clause("LOAD DATA with " + std::string(clause), reason,
                "Use FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\n'.");
}

std::optional<char> one_character(const std::string& value) {
  return value.empty() ? std::nullopt : std::optional(value.front());
}

void read_option(const tree::Option& option, LoadSplit& split) {
  if (!option.items.empty()) refuse_format(option.items.front(), "only quoted characters are read here");
  const bool ascii = std::ranges::all_of(option.value, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii) refuse_format("'" + option.value + "'", "lines are cut at ASCII characters only");
  if (option.name == "character_set") split.character_set = values::lower_case(option.value);
  if (option.name == "fields_terminated") split.field_end = option.value;
  if (option.name == "lines_terminated") split.line_end = option.value;
  if (option.name.ends_with("_enclosed")) split.enclosed = one_character(option.value);
  if (option.name == "fields_escaped") split.escape = one_character(option.value);
  if (option.name == "lines_starting" && !option.value.empty()) refuse_format("LINES STARTING BY", "it spans lines");
  if (option.name != "ignore_lines") return;
  const char* end = option.value.data() + option.value.size();
  const auto read = std::from_chars(option.value.data(), end, split.skipped_lines);
  if (read.ec != std::errc() || read.ptr != end) refuse_format("IGNORE " + option.value + " LINES", "it is no number");
}

void read_format(const Planning& planning, const tree::Load& load, LoadSplit& split) {
  if (planning.request->context->mysql.no_backslash_escapes) split.escape.reset();
  for (const tree::Option& option : load.options) read_option(option, split);
  if (split.field_end.empty()) refuse_format("fields of fixed size", "lengths count characters of each column");
  if (split.line_end.empty() || split.line_end == split.field_end) {
    refuse_format("lines that do not end", "rows are counted off by their fields");
  }
}

/// @x, "@`x`", "@'x'".
std::string_view unquoted(std::string_view name) {
  const bool quoted = name.size() >= 2 && (name.front() == '`' || name.front() == '\'' || name.front() == '"');
  return quoted ? name.substr(1, name.size() - 2) : name;
}

/// The relation's columns that the line's fields go to; -1: a variable.
std::vector<int> field_columns(const tree::Load& load, const router::Relation& relation, LoadSplit& split) {
  std::vector<int> columns;
  for (const std::string& field : load.fields) {
    if (field.starts_with('@')) {
      columns.push_back(-1);
      split.variables.push_back(values::lower_case(unquoted(std::string_view(field).substr(1))));
      continue;
    }
    const auto found = relation.find_column(values::lower_case(field));
    // One that is not there is the server's to complain of.
    columns.push_back(found.value_or(-1));
  }
  if (!load.fields.empty()) return columns;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) columns.push_back(static_cast<int>(i));
  return columns;
}

bool is_set(const tree::Load& load, const router::Column& column) {
  return std::ranges::any_of(load.set, [&](const tree::Assignment& at) {
    return values::lower_case(at.column) == column.name;
  });
}

LoadSplit::Field field_of(const router::Relation& relation, const std::vector<int>& columns, int column) {
  const router::Column& at = relation.columns[static_cast<std::size_t>(column)];
  const auto place = std::ranges::find(columns, column);
  LoadSplit::Field field;
  if (place != columns.end()) field.field = static_cast<int>(place - columns.begin());
  field.column_type = at.type.oid;
  field.modifier = at.type.typmod;
  return field;
}

void read_key(const tree::Load& load, const NamedTable& target, const std::vector<int>& columns, LoadSplit& split) {
  const auto& key = target.table->expression ? target.table->expression->columns() : target.table->key;
  for (const std::string& name : key) {
    const auto column = target.relation->find_column(name);
    if (!column) refuse_clause("LOAD DATA", "the key is not among its table's columns", "Correct the configuration.");
    if (is_set(load, target.relation->columns[static_cast<std::size_t>(*column)])) {
      refuse_clause("LOAD DATA", "the key column \"" + name + "\" is computed by SET", "Give the key in the file.");
    }
    const LoadSplit::Field field = field_of(*target.relation, columns, *column);
    if (field.field < 0) {
      refuse_clause("LOAD DATA", "the key column \"" + name + "\" is not among the file's fields",
                    "Name the column in the list of fields.");
    }
    split.key.push_back(field);
  }
}

/// What a server makes up for a row.
void check_left_out(const Planning& planning, const tree::Load& load, const NamedTable& target,
                    const std::vector<int>& columns, LoadSplit& split) {
  for (std::size_t i = 0; i < target.relation->columns.size(); ++i) {
    const router::Column& column = target.relation->columns[i];
    const bool set = is_set(load, column);
    const LoadSplit::Field field = field_of(*target.relation, columns, static_cast<int>(i));
    if (column.identity && field.field >= 0 && !set) {
      split.counted = field;
      continue;
    }
    const bool told = !column.identity && column.default_volatility == router::Volatility::stable;
    planning.plan->one_moment |= told;
    const bool constant = !column.identity && column.default_volatility == router::Volatility::immutable;
    if (column.generated || constant || told || (!column.identity && (set || field.field >= 0))) continue;
    refuse_clause("LOAD DATA", "column \"" + column.name + "\" would be filled by every shard for itself",
                  "Give the column in the file.");
  }
}

/// What keeps an expression from meaning the same wherever it is computed; empty: nothing.
std::string unstable(const Traits& traits) {
  for (const std::string* reason : {&traits.opaque, &traits.shared, &traits.unknown, &traits.impure, &traits.random,
                                    &traits.session_value, &traits.session_call, &traits.previous}) {
    if (!reason->empty()) return *reason;
  }
  if (traits.ambient) return "a function of time or session";
  return traits.assigns || traits.settings || traits.last_insert ? "a variable that is set within an expression" : "";
}

/// SET: a row's values must depend on the row alone.
void check_set(Planning& planning, const tree::Load& load) {
  if (load.set.empty()) return;
  tree::Select select;
  select.from.push_back(tree::make::table(load.table.schema, load.table.name));
  for (const tree::Assignment& at : load.set) {
    tree::walk(*at.value, [](const tree::Expr& inner) {
      tree::for_each_subquery(inner, [](const tree::Select&) {
        refuse_clause("LOAD DATA … SET", "a subquery may read other shards", "Give the value in the file.");
      });
      return true;
    });
    if (at.value->as<tree::SetToDefault>() != nullptr) {
      refuse_clause("LOAD DATA … SET", "a default is computed by every shard for itself", "Write the value.");
    }
    select.targets.push_back(tree::make::target(tree::clone(*at.value)));
  }
  const tree::Statement query{std::move(select)};
  const Query resolved = resolve(query, planning.catalog(), planning.map(), *planning.request->context);
  const Traits traits = scan(resolved, planning.functions);
  planning.plan->one_moment |= traits.moment;
  const std::string reason = unstable(traits);
  if (reason.empty()) return;
  refuse_clause("LOAD DATA … SET", reason + " may be another one on each shard", "Give the value in the file.");
}

/// Rows that are there are left out, or replaced, as one shard sees them.
void check_unique_keys(const tree::Load& load, const NamedTable& target) {
  const auto& key = target.table->expression ? target.table->expression->columns() : target.table->key;
  for (const router::UniqueKey& unique : target.relation->unique_keys) {
    const bool holds_key = std::ranges::all_of(key, [&](const std::string& column) {
      return std::ranges::any_of(unique.columns, [&](int index) {
        return target.relation->columns[static_cast<std::size_t>(index)].name == column;
      });
    });
    if (holds_key) continue;
    refuse_clause(load.replace ? "LOAD DATA … REPLACE" : "LOAD DATA", "the unique key \"" + unique.name + "\" does not hold the key",
                  "Add the key column to the unique constraint.");
  }
}

std::string without_skipping(const tree::Utility& utility, const tree::Load& load) {
  return utility.text.substr(0, load.skip_begin) + utility.text.substr(load.skip_end);
}

PlanResult split_load(Planning& planning, const tree::Utility& utility, const tree::Load& load, const NamedTable& target) {
  if (load.xml) refuse_statement("LOAD XML into a table of several shards", "Use LOAD DATA.");
  if (!load.local) {
    refuse_statement("LOAD DATA INFILE of a server's file into a table of several shards", "Use LOAD DATA LOCAL INFILE.");
  }
  if (target.relation == nullptr) {
    refuse(values::make_error(values::ErrorId::unmappable_syntax, "table \"" + load.table.name + "\" is not in the catalog"));
  }
  if (target.relation->triggers) {
    refuse_clause("LOAD DATA", "\"" + target.relation->name + "\" has triggers, which may read other shards", "Drop them.");
  }
  LoadSplit split;
  split.table = target.index;
  split.every_shard = target.table->kind == conf::TableKind::reference;
  read_format(planning, load, split);
  const auto columns = field_columns(load, *target.relation, split);
  split.fields = static_cast<int>(columns.size());
  if (!split.every_shard) {
    read_key(load, target, columns, split);
    check_unique_keys(load, target);
  }
  check_left_out(planning, load, target, columns, split);
  check_set(planning, load);
  auto plan = planning.plan;
  plan->kind = PlanKind::split;
  plan->effect = Effect::writes;
  plan->routing.mode = Routing::Mode::all_shards;
  plan->routing.condition.table = target.index;
  plan->routing.reason = split.every_shard ? "a reference table has a copy on every shard" : "each row goes to its key's shard";
  plan->sum_counts = !split.every_shard;
  plan->subquery.pieces.emplace_back(without_skipping(utility, load));
  plan->load = std::move(split);
  return std::shared_ptr<const Plan>(std::move(plan));
}

}  // namespace

PlanResult plan_load(Planning& planning, const tree::Utility& utility, const tree::Load& load) {
  const NamedTable target = find_named(planning, load.table.schema, load.table.name);
  const bool several = target.table != nullptr && target.table->kind != conf::TableKind::whole;
  if (several) return split_load(planning, utility, load, target);
  const int shard = target.table == nullptr ? static_cast<int>(planning.map().default_shard())
                                            : static_cast<int>(target.table->shard);
  // A view is a name like any other here.
  const auto begin = utility.relations.begin() + (target.table == nullptr ? 0 : 1);
  if (homes_of(planning, {begin, utility.relations.end()}).touches()) {
    refuse_statement("LOAD DATA that names tables of other shards", "Load each table itself.");
  }
  auto plan = relay_to(planning, shard, "its table is on one shard");
  plan->effect = Effect::writes;
  return std::shared_ptr<const Plan>(std::move(plan));
}

}  // namespace anabranch::rewriter::mysql
