#include "fixture.h"

#include <fstream>
#include <iostream>
#include <stdexcept>

#include "conf/load.h"

namespace anabranch::plans {
namespace {

values::Oid oid(const std::string& text) {
  return static_cast<values::Oid>(std::stoul(text));
}

std::vector<values::Oid> oids(const std::string& text) {
  std::vector<values::Oid> list;
  std::string digits;
  for (const char c : text + " ") {
    if (c >= '0' && c <= '9') {
      digits += c;
    } else if (!digits.empty()) {
      list.push_back(oid(digits));
      digits.clear();
    }
  }
  return list;
}

router::Column column_of(const std::vector<std::string>& f) {
  router::Column column;
  column.name = f[2];
  column.number = static_cast<std::int16_t>(std::stoi(f[3]));
  column.type.oid = oid(f[4]);
  column.type.typmod = std::stoi(f[5]);
  column.type_name = f[6];
  column.not_null = f[7] == "t";
  column.identity = f[8] == "t";
  column.generated = f[9] == "t";
  column.default_sql = f[10];
  column.default_volatility = f[11] == "v"   ? router::Volatility::volatile_
                              : f[11] == "s" ? router::Volatility::stable
                                             : router::Volatility::immutable;
  column.collation_name = f[12];
  if (!f[13].empty()) {
    column.collation = values::Collation::from_server(f[13].front(), f[14], f[15], f[16] == "t");
  }
  return column;
}

}  // namespace

std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> list(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\t') {
      list.emplace_back();
    } else if (line[i] == '\\' && i + 1 < line.size()) {
      ++i;
      list.back() += line[i] == 'n' ? '\n' : line[i] == 't' ? '\t' : line[i];
    } else {
      list.back() += line[i];
    }
  }
  return list;
}

std::string escape(const std::string& field) {
  std::string out;
  for (const char c : field) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return out;
}

std::shared_ptr<const router::Catalog> load_catalog(const std::string& path) {
  auto catalog = std::make_shared<router::Catalog>();
  std::map<values::Oid, router::Relation> relations;
  std::map<values::Oid, values::EnumType> enums;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  for (std::string line; std::getline(file, line);) {
    const auto f = fields(line);
    if (f[0] == "D") {
      catalog->database_collation = values::Collation::from_server(f[1].front(), f[2], f[3], true);
    } else if (f[0] == "R") {
      router::Relation& relation = relations[oid(f[1])];
      relation.oid = oid(f[1]);
      relation.schema = f[2];
      relation.name = f[3];
      relation.kind = static_cast<router::RelationKind>(f[4].front());
      relation.view_sql = f[5];
      relation.triggers = f[6] == "t";
      relation.everywhere = relation.kind == router::RelationKind::view;
    } else if (f[0] == "C") {
      relations[oid(f[1])].columns.push_back(column_of(f));
    } else if (f[0] == "U") {
      router::UniqueKey key{f[2], {}, f[3] == "t"};
      for (const values::Oid number : oids(f[4]))
        key.columns.push_back(static_cast<int>(number) - 1);
      relations[oid(f[1])].unique_keys.push_back(std::move(key));
    } else if (f[0] == "E") {
      enums[oid(f[1])].oid = oid(f[1]);
      enums[oid(f[1])].name = f[2];
      enums[oid(f[1])].labels.push_back(f[3]);
    } else if (f[0] == "L") {
      catalog->add(router::NamedCollation{.schema = f[1],
                                          .name = f[2],
                                          .provider = f[3].front(),
                                          .locale = f[4],
                                          .version = f[5],
                                          .deterministic = f[6] == "t"});
    } else if (f[0] == "F") {
      router::Function function;
      function.schema = f[1];
      function.name = f[2];
      function.arguments = oids(f[3]);
      function.result = oid(f[4]);
      function.kind = f[5].front();
      function.volatility = static_cast<router::Volatility>(f[6].front());
      function.returns_set = f[7] == "t";
      function.builtin = f[1] == "pg_catalog";
      catalog->add(std::move(function));
    }
  }
  std::map<values::Oid, std::shared_ptr<const values::EnumType>> shared;
  for (const auto& [key, type] : enums) {
    shared[key] = std::make_shared<values::EnumType>(type);
    catalog->add_enum(shared[key]);
  }
  for (auto& [key, relation] : relations) {
    for (router::Column& column : relation.columns) {
      if (const auto at = shared.find(column.type.oid); at != shared.end()) {
        column.type.enumeration = at->second;
      }
    }
    catalog->add(std::move(relation));
  }
  return catalog;
}

/// sql, parameter types, then name/type/typmod of each column, or `-` for no columns.
Descriptions load_descriptions(const std::string& path) {
  Descriptions known;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto f = fields(line);
    if (f.size() < 3) continue;
    rewriter::Description description;
    description.parameters = oids(f[1]);
    if (f[2] != "-") {
      description.columns.emplace();
      for (std::size_t i = 2; i + 2 < f.size() + 0; i += 3) {
        rewriter::ResultColumn column;
        column.name = f[i];
        column.type = oid(f[i + 1]);
        column.typmod = std::stoi(f[i + 2]);
        description.columns->push_back(std::move(column));
      }
    }
    known[f[0]] = std::move(description);
  }
  return known;
}

void save_descriptions(const std::string& path, const Descriptions& descriptions) {
  std::ofstream file(path);
  for (const auto& [sql, description] : descriptions) {
    file << escape(sql) << '\t';
    for (std::size_t i = 0; i < description.parameters.size(); ++i) {
      file << (i > 0 ? " " : "") << description.parameters[i];
    }
    if (!description.columns) file << "\t-";
    if (description.columns) {
      for (const auto& column : *description.columns) {
        file << '\t' << escape(column.name) << '\t' << column.type << '\t' << column.typmod;
      }
    }
    file << '\n';
  }
}

namespace {

void load_map(const std::string& folder, World& world) {
  const auto loaded = conf::load_file(folder + "/map.yaml");
  for (const auto& diagnostic : loaded.diagnostics) std::cerr << diagnostic.message << "\n";
  world.config = loaded.config;
  if (!world.config) throw std::runtime_error("map.yaml is not valid");
  std::vector<conf::Diagnostic> diagnostics;
  world.map =
      router::ShardMap::build(*world.config->find_database("shop"), "map.yaml", diagnostics);
}

}  // namespace

World load_world(const std::string& folder, bool with_descriptions) {
  World world;
  world.catalog = load_catalog(folder + "/catalog.tsv");
  load_map(folder, world);
  if (with_descriptions) world.descriptions = load_descriptions(folder + "/descriptions.tsv");
  return world;
}

World load_mysql_world(const std::string& folder, bool with_descriptions) {
  World world;
  world.context.dialect = rewriter::Dialect::mysql;
  world.context.search_path = {"shop"};
  world.catalog = load_mysql_catalog(folder + "/catalog.txt");
  load_map(folder, world);
  if (with_descriptions) world.descriptions = load_descriptions(folder + "/descriptions.tsv");
  return world;
}

}  // namespace anabranch::plans
