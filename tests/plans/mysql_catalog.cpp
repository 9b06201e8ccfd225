#include <fstream>
#include <sstream>
#include <stdexcept>

#include "fixture.h"
#include "values/mysql_type.h"

namespace anabranch::plans {
namespace {

/// "bigint unsigned not_null", "varchar(10) utf8mb4_bin default=…"
router::Column column_of(const std::string& name, std::istringstream& words) {
  router::Column column;
  column.name = name;
  std::string type;
  words >> type;
  column.type_name = type;
  values::MysqlModifier modifier;
  if (const std::size_t parenthesis = type.find('('); parenthesis != std::string::npos) {
    modifier.length = std::stoi(type.substr(parenthesis + 1));
    type.resize(parenthesis);
  }
  bool is_unsigned = false;
  for (std::string word; words >> word;) {
    if (word == "unsigned") {
      is_unsigned = true;
    } else if (word == "not_null") {
      column.not_null = modifier.not_null = true;
    } else if (word == "auto_increment") {
      column.identity = modifier.counted = true;
    } else if (word.starts_with("default=")) {
      column.default_sql = word.substr(8);
      if (column.default_sql.ends_with("()")) column.default_volatility = router::Volatility::stable;
    } else {
      column.collation_name = word;
      column.collation = values::mysql_collation(word);
      modifier.padded = values::pads_spaces(word);
    }
  }
  column.type.oid = values::find_mysql_type(type, is_unsigned, column.collation_name);
  column.type.typmod = modifier.packed();
  return column;
}

void add_line(const std::string& line, router::Relation& relation) {
  std::istringstream words(line);
  std::string first;
  words >> first;
  if (first == "unique") {
    router::UniqueKey key;
    words >> key.name;
    for (std::string name; words >> name;) key.columns.push_back(relation.find_column(name).value());
    relation.unique_keys.push_back(std::move(key));
  } else if (first == "refusal") {
    std::getline(words >> std::ws, relation.refusal);
  } else if (first == "sql") {
    std::getline(words >> std::ws, relation.view_sql);
  } else {
    relation.columns.push_back(column_of(first, words));
  }
}

}  // namespace

std::shared_ptr<const router::Catalog> load_mysql_catalog(const std::string& path) {
  auto catalog = std::make_shared<router::Catalog>();
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  router::Relation relation;
  const auto flush = [&] {
    if (!relation.name.empty()) catalog->add(std::move(relation));
    relation = {};
  };
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with("#")) continue;
    if (line.starts_with("  ")) {
      add_line(line, relation);
      continue;
    }
    flush();
    std::istringstream words(line);
    std::string kind;
    words >> kind >> relation.name;
    relation.schema = "shop";
    relation.kind = kind == "view" ? router::RelationKind::view : router::RelationKind::table;
    relation.everywhere = relation.kind == router::RelationKind::view;
  }
  flush();
  return catalog;
}

}  // namespace anabranch::plans
