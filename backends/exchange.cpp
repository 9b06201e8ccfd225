#include "backends/exchange.h"

#include <algorithm>
#include <utility>

#include "backends/mysql_context.h"
#include "backends/mysql_exchange.h"
#include "backends/stopped.h"
#include "values/errors.h"

namespace anabranch::backends {

// --- requests ---

void send_query(Lease& lease, std::string_view sql) {
  net::pg::Query{sql}.encode(lease->socket().out());
  lease->expect_ready();
}

void send_sync(Lease& lease) {
  net::pg::Sync{}.encode(lease->socket().out());
  lease->expect_ready();
}

namespace {

/// MySQL: what whoever had the connection before has set there is not taken back one by one.
bool must_reset(const ServerConnection& connection, const Settings& wanted) {
  if (connection.server().kind != conf::Kind::mysql) return false;
  if (connection.tainted || !connection.newly_lent) return connection.tainted;
  return std::ranges::any_of(*connection.applied.current(),
                             [&](const auto& setting) { return !wanted.contains(setting.first); });
}

}  // namespace

bool pipeline_context(Lease& lease, const std::shared_ptr<const Settings>& wanted, Reach reach) {
  ServerConnection& connection = *lease;
  if (connection.server().kind == conf::Kind::mysql) {
    const auto& applied = connection.applied.current();
    if (connection.tainted || (applied != wanted && *applied != *wanted)) return false;
    connection.newly_lent = false;
    if (applied != wanted) connection.applied.replace(wanted);
    return true;
  }
  if (connection.applied.current() == wanted) return true;
  const ContextChange change = context_change(connection.applied.current(), wanted, reach);
  if (!change.sql.empty()) {
    if (!change.pipeline && !connection.applied.in_transaction()) return false;
    net::pg::Query{change.sql}.encode(connection.socket().out());
    connection.skip_reply();
  }
  connection.applied.replace(wanted);
  return true;
}

namespace {

std::vector<std::string> change_of(const ServerConnection& connection, const std::shared_ptr<const Settings>& wanted) {
  if (connection.server().kind == conf::Kind::mysql) return mysql_context_change(connection.applied.current(), wanted);
  ContextChange change = context_change(connection.applied.current(), wanted);
  if (change.sql.empty()) return {};
  return {std::move(change.sql)};
}

}  // namespace

net::Task<void> apply_context(Lease& lease, const SettingsStack& wanted, net::CancelToken token) {
  ServerConnection& connection = *lease;
  const std::shared_ptr<const Settings> target = wanted.current();
  if (must_reset(connection, *target)) co_await reset_mysql_session(lease, token);
  connection.newly_lent = false;
  for (std::string& sql : change_of(connection, target)) {
    auto result = co_await run_command(lease, std::move(sql), token);
    if (!result) {
      throw ServerError(std::move(result.error()), lease.shard(), lease.shard_name());
    }
  }
  connection.applied.replace(target);
}

// --- small conversations ---

std::vector<std::optional<std::string>> texts_of(const merge::RowView& row) {
  std::vector<std::optional<std::string_view>> fields;
  row.split(fields);
  std::vector<std::optional<std::string>> texts;
  for (const auto& field : fields) {
    texts.push_back(field ? std::optional<std::string>(*field) : std::nullopt);
  }
  return texts;
}

net::Task<std::expected<CommandResult, net::pg::ErrorFields>> run_command(Lease& lease,
                                                                          std::string sql,
                                                                          net::CancelToken token) {
  if (lease->server().kind == conf::Kind::mysql) co_return co_await run_mysql_command(lease, std::move(sql), token);
  send_query(lease, sql);
  ReplyStream stream(lease);
  CommandResult result;
  const auto take = [&](const Reply& reply) {
    if (reply.kind == Reply::Kind::rows) {
      for (std::size_t i = 0; i < stream.rows.size(); ++i) {
        result.rows.push_back(texts_of(stream.rows.row(i)));
      }
    } else if (reply.message.type == net::pg::CommandComplete::type) {
      const auto complete = net::pg::CommandComplete::decode(reply.message.payload);
      if (complete) result.tag = complete->tag;
    }
  };
  auto failure = co_await read_to_end(lease, stream, take, token);
  if (failure) co_return std::unexpected(std::move(*failure));
  co_return result;
}

net::Task<void> drain(Lease& lease, net::CancelToken token) {
  ReplyStream stream(lease);
  try {
    while (lease->pending() > 0 && !lease->broken()) co_await stream.next(token);
  } catch (const values::SqlError&) {
    lease->mark_broken();
  }
}

namespace {

Described::Column column_of(const net::pg::Column& column) {
  return {std::string(column.name), column.table,        column.attribute, column.type,
          column.type_size,         column.type_modifier};
}

void read_description(const net::pg::Message& message, Described& described) {
  if (message.type == net::pg::ParameterDescription::type) {
    const auto parameters = net::pg::ParameterDescription::decode(message.payload);
    for (std::size_t i = 0; parameters && i < parameters->types.size(); ++i) {
      described.parameters.push_back(parameters->types[i]);
    }
  } else if (message.type == net::pg::RowDescription::type) {
    const auto rows = net::pg::RowDescription::decode(message.payload);
    auto& columns = described.columns.emplace();
    if (!rows) return;
    for (const net::pg::Column& column : rows->columns) columns.push_back(column_of(column));
  }
}

}  // namespace

net::Task<std::expected<Described, net::pg::ErrorFields>> describe(
    Lease& lease, std::string sql, std::vector<values::Oid> parameter_types,
    net::CancelToken token) {
  net::Buffer& out = lease->socket().out();
  net::pg::Oids types;
  for (const values::Oid type : parameter_types) types.add(type);
  net::pg::Parse{{}, sql, types.list()}.encode(out);
  net::pg::Describe{'S', {}}.encode(out);
  send_sync(lease);
  ReplyStream stream(lease);
  Described described;
  const auto take = [&](const Reply& reply) { read_description(reply.message, described); };
  auto failure = co_await read_to_end(lease, stream, take, token);
  if (failure) co_return std::unexpected(std::move(*failure));
  co_return described;
}

}  // namespace anabranch::backends
