#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rewriter/planner.h"

struct st_mysql;
using MYSQL = st_mysql;

/// The world in which the golden plans are made: a catalog and descriptions as a real server gave
/// them (recorded in catalog.tsv and descriptions.tsv), and the map of map.yaml.
namespace anabranch::plans {

using Descriptions = std::map<std::string, rewriter::Description>;

std::vector<std::string> fields(const std::string& line);  ///< tabs; \t \n \\ undone
std::string escape(const std::string& field);

std::shared_ptr<const router::Catalog> load_catalog(const std::string& path);
Descriptions load_descriptions(const std::string& path);
void save_descriptions(const std::string& path, const Descriptions& descriptions);

/// A MySQL world's, as mysql/catalog.txt describes it.
std::shared_ptr<const router::Catalog> load_mysql_catalog(const std::string& path);

struct World {
  rewriter::PlanningContext context;
  std::shared_ptr<const router::Catalog> catalog;
  std::shared_ptr<const conf::Config> config;
  std::shared_ptr<const router::ShardMap> map;
  Descriptions descriptions;
};

/// What the folder of the golden plans holds. Throws std::runtime_error for a map that is not valid.
World load_world(const std::string& folder, bool with_descriptions);
World load_mysql_world(const std::string& folder, bool with_descriptions);

/// Writes catalog.tsv from a live server.
void record_catalog(const std::string& conninfo, const std::string& path);
/// Describes one statement on a live server.
rewriter::Description describe(const std::string& conninfo, const std::string& sql,
                               const std::vector<values::Oid>& parameters);

struct MysqlServer {
  std::shared_ptr<MYSQL> connection;
};
/// The database shop of a throw-away MariaDB on loopback.
MysqlServer connect_mysql(unsigned port);
/// Makes the tables of catalog.txt.
void make_mysql_tables(const MysqlServer& server, const std::string& path);
rewriter::Description describe(const MysqlServer& server, const std::string& sql);

}  // namespace anabranch::plans
