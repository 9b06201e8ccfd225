#include "backends/lookup_source.h"

#include <memory>

#include "backends/control_connection.h"
#include "backends/lookup_question.h"
#include "backends/mysql_control_connection.h"
#include "values/sql_error.h"

namespace anabranch::backends {

namespace {

using router::KeyValue;
using router::MappedScheme;

constexpr std::size_t most_known = 100'000;

std::string name_of(const MappedScheme& scheme, const KeyValue& key) {
  return std::to_string(scheme.index) + " " + conf::to_text(scheme.type(), key);
}

}  // namespace

std::expected<LookupSource::Ask, std::string> LookupSource::open(const Server& server) {
  return server.kind == conf::Kind::mysql ? open_mysql(server) : open_postgres(server);
}

std::expected<LookupSource::Ask, std::string> LookupSource::open_postgres(const Server& server) {
  auto opened = ControlConnection::open(server);
  if (!opened) return std::unexpected(opened.error());
  const auto connection = std::make_shared<ControlConnection>(std::move(*opened));
  // Rows that a policy hides would be missed: with this off that is an error.
  if (const auto set = connection->run("SET row_security TO off"); !set) return std::unexpected(set.error());
  return [connection](const std::string& sql) -> std::expected<Rows, std::string> {
    const auto results = connection->run(sql);
    if (!results) return std::unexpected(results.error());
    Rows rows;
    for (int row = 0; row < results->back().rows(); ++row) {
      auto& fields = rows.emplace_back();
      for (int column = 0; column < results->back().columns(); ++column) {
        const bool null = results->back().null(row, column);
        fields.push_back(null ? std::nullopt : std::optional(std::string(results->back().text(row, column))));
      }
    }
    return rows;
  };
}

std::expected<LookupSource::Ask, std::string> LookupSource::open_mysql(const Server& server) {
  auto opened = MysqlControlConnection::open(server);
  if (!opened) return std::unexpected(opened.error());
  const auto connection = std::make_shared<MysqlControlConnection>(std::move(*opened));
  return [connection](const std::string& sql) { return connection->rows(sql); };
}

std::optional<router::Placement> LookupSource::place(const MappedScheme& scheme, const KeyValue& key) {
  if (!known_.contains(name_of(scheme, key))) read(scheme, {&key, 1});
  const auto known = known_.find(name_of(scheme, key));
  if (known == known_.end() || !known->second) return std::nullopt;
  return router::Placement{-1, *known->second};
}

void LookupSource::prepare(const MappedScheme& scheme, std::span<const KeyValue> keys) {
  if (known_.size() + keys.size() > most_known) known_.clear();
  std::vector<KeyValue> unknown;
  for (const KeyValue& key : keys) {
    if (key.is_null() || known_.contains(name_of(scheme, key))) continue;
    unknown.push_back(key);
    if (unknown.size() == lookup_keys_at_once) {
      read(scheme, unknown);
      unknown.clear();
    }
  }
  if (!unknown.empty()) read(scheme, unknown);
}

void LookupSource::read(const MappedScheme& scheme, std::span<const KeyValue> keys) {
  if (!failure_.empty()) return;
  if (!ask_) {
    auto opened = open(control_server(database_, map_.default_shard(), {}, database_.name));
    if (!opened) {
      failure_ = opened.error();
      return;
    }
    ask_ = std::move(*opened);
  }
  const auto rows = ask_(lookup_question(database_.kind, scheme, keys));
  if (!rows) {
    failure_ = rows.error();
    return;
  }
  try {
    const auto shards = read_lookup_answer(map_, scheme, keys, *rows);
    for (std::size_t i = 0; i < keys.size(); ++i) known_.insert_or_assign(name_of(scheme, keys[i]), shards[i]);
  } catch (const values::SqlError& error) {
    failure_ = error.message;
  }
}

}  // namespace anabranch::backends
