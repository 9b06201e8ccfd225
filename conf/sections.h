#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "conf/reader.h"
#include "conf/section.h"

/// The sections of the file, one source file each. A `read_…` function fills its part of the model
/// and says what is wrong; a `…_docs` function describes the settings of its tables.
namespace anabranch::conf {

void read_process(Reader& reader, const Node& root, Config& config);  // the top, in the right order
void process_docs(std::vector<SettingDoc>& docs);

void read_users(Reader& reader, const Node& node, Config& config);
void check_users(Reader& reader, const Config& config);
void user_docs(std::vector<SettingDoc>& docs);

void read_authentication(Reader& reader, const Node& node, Config& config);
void check_authentication(Reader& reader, const Config& config);
void authentication_docs(std::vector<SettingDoc>& docs);

/// A server of the database logs in with the client's own name and password.
bool needs_client_password(const Database& database);

void read_databases(Reader& reader, const Node& node, Config& config);
void database_docs(std::vector<SettingDoc>& docs);

/// One server: `host:port`, or a map with settings of its own over the database's.
std::optional<Server> read_server(Reader& reader, const Node& node, const Database& database);
void read_backend(Reader& reader, const Node& node, Database& database);
void read_shards(Reader& reader, const Node& node, Database& database);
void server_docs(std::vector<SettingDoc>& docs);

void read_schemes(Reader& reader, const Node& node, Database& database);
void scheme_docs(std::vector<SettingDoc>& docs);

void read_tables(Reader& reader, const Node& node, Database& database);
void read_functions(Reader& reader, const Node& node, Database& database);
void table_docs(std::vector<SettingDoc>& docs);

void read_rules(Reader& reader, const Node& node, Config& config);
void check_rules(Reader& reader, const Config& config);
void rule_docs(std::vector<SettingDoc>& docs);

/// The index of the shard that a scalar names.
std::optional<std::uint32_t> read_shard_name(Reader& reader, const Node& node,
                                             const Database& database);

}  // namespace anabranch::conf
