#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "conf/sections.h"

namespace anabranch::conf {
namespace {

constexpr std::array<std::string_view, 3> generators{"sequence", "snowflake", "uuid"};
constexpr std::size_t longest_pattern = 63;  // of a table's name
constexpr std::size_t most_tables = 1024;    // of one that has one for each bucket

struct TableInput {
  Table table;
  const Database& database;
  bool sound = true;
};

void read_table_scheme(Reader& reader, const Node& node, TableInput& into) {
  const auto name = reader.string(node);
  const auto scheme = name ? into.database.find_scheme(*name) : std::nullopt;
  if (scheme) into.table.scheme = *scheme;
  into.sound = scheme.has_value();
  if (scheme || !name) return;
  std::vector<std::string_view> known;
  for (const Scheme& one : into.database.schemes) known.push_back(one.name);
  reader.unknown(node.where, "scheme", *name, known);
}

/// A pattern has one bucket number: `{}` plain, `{:02}` with leading zeros.
bool is_pattern(std::string_view text) {
  const std::size_t open = text.find('{');
  const std::size_t close = text.find('}');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return false;
  }
  if (text.find('{', open + 1) != std::string_view::npos ||
      text.find('}', close + 1) != std::string_view::npos) {
    return false;
  }
  const std::string_view inside = text.substr(open + 1, close - open - 1);
  return inside.empty() ||
         (inside.size() == 3 && inside.starts_with(":0") && inside[2] >= '1' && inside[2] <= '9');
}

void read_physical(Reader& reader, const Node& node, TableInput& into) {
  auto pattern = reader.string(node);
  if (!pattern) return;
  if (!is_pattern(*pattern) || pattern->size() > longest_pattern) {
    reader.wrong(node, "a table name with the bucket's number as {} or {:02}");
    return;
  }
  into.table.physical = std::move(*pattern);
}

void read_generate(Reader& reader, const Node& node, TableInput& into) {
  if (!reader.is_map(node)) return;
  for (const Node::Entry& entry : node.entries) {
    const Reader::Scope scope(reader, entry.key, entry.where);
    if (const auto generator = reader.choice(entry.value, generators)) {
      into.table.generate.emplace_back(entry.key, static_cast<Generator>(*generator));
    }
  }
}

const std::vector<Field<TableInput>>& table_fields() {
  static const std::vector<Field<TableInput>> fields{
      {"scheme", "scheme", "", false, true, "Placed by this scheme; tables of one are co-located.",
       read_table_scheme},
      {"key", "column, or a list", "", false, true, "With scheme: the columns that hold the key.",
       [](Reader& reader, const Node& node, TableInput& into) {
         if (auto columns = reader.strings(node)) {
           into.table.key = std::move(*columns);
         } else {
           into.sound = false;
         }
       }},
      {"expression", "expression", "", false, true,
       "With scheme, instead of key: computes the key.",
       [](Reader& reader, const Node& node, TableInput& into) {
         if (auto text = reader.string(node)) into.table.expression = std::move(*text);
         into.table.expression_where = node.where;
       }},
      {"reference", "true", "", false, true, "Copied whole to every shard.",
       [](Reader& reader, const Node& node, TableInput& into) {
         const auto value = reader.boolean(node);
         if (value == false) reader.error(node.where, "expected true, or no `reference` at all");
         into.table.kind = TableKind::reference;
       }},
      {"shard", "shard", "", false, true, "Whole, on this shard.",
       [](Reader& reader, const Node& node, TableInput& into) {
         if (const auto shard = read_shard_name(reader, node, into.database)) {
           into.table.shard = *shard;
         }
         into.table.kind = TableKind::whole;
       }},
      {"physical", "pattern", "", false, true,
       "With strategy buckets: the name of each bucket's table, {} or {:02} for its number.",
       read_physical},
      {"generate", "map from column to sequence | snowflake | uuid", "", false, true,
       "Columns that the proxy fills.", read_generate},
  };
  return fields;
}

std::string plural(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

void check_key(Reader& reader, const Node& node, const TableInput& input) {
  const Scheme& scheme = input.database.schemes[input.table.scheme];
  const Node::Entry* key = node.find("key");
  const Node::Entry* expression = node.find("expression");
  if (key != nullptr && expression != nullptr) {
    reader.error(expression->where, "expected a `key` or an `expression`, not both");
    return;
  }
  if (scheme.hash == Hash::rand) {
    const Node::Entry* written = key != nullptr ? key : expression;
    if (written != nullptr) {
      reader.error(written->where,
                   fmt::format("scheme `{}` places rows at random: expected no key", scheme.name));
    }
    return;
  }
  if (key == nullptr && expression == nullptr) {
    reader.error(input.table.where, "expected a `key` or an `expression` beside `scheme`");
    return;
  }
  const std::size_t columns = key != nullptr ? input.table.key.size() : 1;
  if (!scheme.types.empty() && columns != scheme.types.size()) {
    reader.error((key != nullptr ? key : expression)->value.where,
                 fmt::format("expected {} for the key of scheme `{}`, found {}",
                             plural(scheme.types.size(), "column"), scheme.name, columns));
  }
}

void check_table(Reader& reader, const Node& node, const TableInput& input) {
  std::vector<const Node::Entry*> ways;
  for (const std::string_view way : {"scheme", "reference", "shard"}) {
    if (const Node::Entry* entry = node.find(way)) ways.push_back(entry);
  }
  if (ways.empty()) {
    reader.error(input.table.where,
                 "expected one of scheme, reference, shard: how the table is placed");
  } else if (ways.size() > 1) {
    reader.error(ways[1]->where,
                 fmt::format("expected one of scheme, reference, shard: `{}` is written already",
                             ways[0]->key));
  }
  if (ways.size() != 1) return;
  if (ways[0]->key == "scheme") {
    if (!input.sound) return;
    check_key(reader, node, input);
    const Scheme& scheme = input.database.schemes[input.table.scheme];
    if (const Node::Entry* physical = node.find("physical");
        physical != nullptr && scheme.strategy != StrategyKind::buckets) {
      reader.error(physical->where,
                   fmt::format("`physical` needs strategy buckets, and scheme `{}` has {}",
                               scheme.name, to_string(scheme.strategy)));
    } else if (physical != nullptr && scheme.buckets > most_tables) {
      reader.error(physical->where, fmt::format("`physical` takes up to {} buckets, and scheme `{}` has {}", most_tables,
                                                scheme.name, scheme.buckets));
    }
    return;
  }
  for (const std::string_view other : {"key", "expression", "physical"}) {
    if (const Node::Entry* entry = node.find(other)) {
      reader.error(entry->where,
                   fmt::format("`{}` goes with `scheme`, not with `{}`", other, ways[0]->key));
    }
  }
}

// --- functions --------------------------------------------------------------------------------

/// `none`, `reference`, `key: ARGUMENT` as a text or as a map.
void read_reads(Reader& reader, const Node& node, Function& function) {
  constexpr std::string_view expected = "none, reference, or key: ARGUMENT";
  constexpr std::string_view prefix = "key:";
  std::string argument;
  if (node.kind == Node::Kind::map && node.entries.size() == 1 && node.entries[0].key == "key") {
    argument = reader.string(node.entries[0].value).value_or("");
  } else if (node.kind != Node::Kind::scalar) {
    reader.wrong(node, expected);
    return;
  } else if (node.text == "none" || node.text == "reference") {
    function.reads = node.text == "none" ? FunctionReads::none : FunctionReads::reference;
    return;
  } else if (node.text.starts_with(prefix)) {
    const std::size_t start = node.text.find_first_not_of(' ', prefix.size());
    if (start != std::string::npos) argument = node.text.substr(start);
  }
  if (argument.empty()) {
    reader.wrong(node, expected);
    return;
  }
  function.reads = FunctionReads::key;
  function.key_argument = std::move(argument);
}

const std::vector<Field<Function>>& function_fields() {
  static const std::vector<Field<Function>> fields{
      {"reads", "none | reference | key: ARGUMENT", "", true, true,
       "No table, reference tables only, or rows of the key given as that argument.", read_reads},
  };
  return fields;
}

}  // namespace

void read_tables(Reader& reader, const Node& node, Database& database) {
  if (!reader.is_map(node)) return;
  std::map<TableName, int> seen;
  for (const Node::Entry& entry : node.entries) {
    const Reader::Scope scope(reader, entry.key, entry.where);
    auto name = reader.table_name(entry.key, entry.where);
    if (!name) continue;
    const auto [earlier, added] = seen.emplace(*name, entry.where.line);
    if (!added) {
      reader.error(entry.where, fmt::format("the table `{}.{}` is listed twice: first in line {}",
                                            name->schema, name->name, earlier->second));
      continue;
    }
    TableInput input{{}, database};
    input.table.name = std::move(*name);
    input.table.where = entry.where;
    if (!read_section<TableInput>(reader, entry.value, table_fields(), input)) continue;
    check_table(reader, entry.value, input);
    database.tables.push_back(std::move(input.table));
  }
}

void read_functions(Reader& reader, const Node& node, Database& database) {
  if (!reader.is_map(node)) return;
  for (const Node::Entry& entry : node.entries) {
    const Reader::Scope scope(reader, entry.key, entry.where);
    auto name = reader.table_name(entry.key, entry.where);
    if (!name) continue;
    Function function;
    function.name = std::move(*name);
    function.where = entry.where;
    if (!read_section<Function>(reader, entry.value, function_fields(), function)) continue;
    database.functions.push_back(std::move(function));
  }
}

void table_docs(std::vector<SettingDoc>& docs) {
  document_section<TableInput>("databases.NAME.tables.NAME", table_fields(), docs);
  document_section<Function>("databases.NAME.functions.NAME", function_fields(), docs);
}

}  // namespace anabranch::conf
