#include "proxy/workspace_tables.h"

#include <fmt/format.h>

#include "net/pg/messages.h"
#include "proxy/binary_copy.h"
#include "proxy/replies.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

/// Rows that the server takes from itself are not seen here: so many are measured.
constexpr std::uint64_t measured_rows = 100'000;

[[noreturn]] void throw_failure(const backends::Lease& lease, net::pg::ErrorFields error) {
  // Positions count in texts that are not the client's.
  error.remove('P');
  throw backends::ServerError(std::move(error), lease.shard(), lease.shard_name());
}

}  // namespace

WorkspaceTables::WorkspaceTables(backends::Lease& lease, const rewriter::Gather& gather, std::uint64_t budget_bytes)
    : lease_(lease), gather_(gather), budget_(budget_bytes) {}

net::Task<backends::CommandResult> WorkspaceTables::command(std::string sql, net::CancelToken token) {
  auto answer = co_await backends::run_command(lease_, std::move(sql), token);
  if (!answer) throw_failure(lease_, std::move(answer.error()));
  co_return std::move(*answer);
}

net::Task<void> WorkspaceTables::create(bool one_moment, net::CancelToken token) {
  // The client's defaults for its own transactions are not meant.
  std::string sql = fmt::format("BEGIN ISOLATION LEVEL {} READ WRITE", one_moment ? "REPEATABLE READ" : "READ COMMITTED");
  for (const std::string& definition : gather_.definitions) sql += "; " + definition;
  (void)co_await command(std::move(sql), token);
}

net::Task<void> WorkspaceTables::read_count(backends::ReplyStream& replies, net::CancelToken token) {
  const auto note = [&](const backends::Reply& reply) {
    if (reply.kind != backends::Reply::Kind::message || reply.message.type != 'C') return;
    const auto complete = net::pg::CommandComplete::decode(reply.message.payload);
    if (complete) rows_ += count_in_tag(complete->tag);
  };
  auto failure = co_await backends::read_to_end(lease_, replies, note, token);
  if (failure) throw_failure(lease_, std::move(*failure));
}

net::Task<void> WorkspaceTables::insert(const ShardRequest& request, net::CancelToken token) {
  (void)send_request(lease_, request);
  lease_->socket().send_now();
  backends::ReplyStream replies(lease_);
  co_await read_count(replies, token);
  if (rows_ < measured_rows) co_return;
  std::string sql;
  for (const std::string& table : gather_.tables) {
    sql += fmt::format("{}pg_catalog.pg_relation_size('{}')", sql.empty() ? "SELECT " : " + ", table);
  }
  const backends::CommandResult size = co_await command(std::move(sql), token);
  count_bytes(std::stoull(size.rows.at(0).at(0).value_or("0")));
}

void WorkspaceTables::count_bytes(std::uint64_t bytes) {
  bytes_ += bytes;
  if (bytes_ > budget_) throw values::make_error(values::ErrorId::gather_budget, budget_);
}

net::Task<void> WorkspaceTables::begin_rows(net::CancelToken token) {
  backends::send_query(lease_, fmt::format("COPY {} FROM STDIN (FORMAT binary)", gather_.table));
  lease_->set_mid_request(true);
  lease_->socket().send_now();
  replies_.emplace(lease_);
  for (;;) {
    const backends::Reply reply = co_await replies_->next(token);
    if (reply.kind == backends::Reply::Kind::ready) {
      throw values::make_error(values::ErrorId::shard_protocol, lease_.shard_name(), "COPY was not begun");
    }
    if (reply.kind != backends::Reply::Kind::message) continue;
    if (reply.message.type == 'G') break;
    if (reply.message.type == net::pg::ErrorResponse::type) {
      auto error = net::pg::ErrorResponse::decode(reply.message.payload);
      if (error) throw_failure(lease_, std::move(*error));
    }
  }
  net::pg::CopyData{binary_copy_header}.encode(lease_->socket().out());
}

void WorkspaceTables::check_failed() {
  while (const auto reply = replies_->poll()) {
    if (reply->kind == backends::Reply::Kind::ready) {
      throw values::make_error(values::ErrorId::shard_protocol, lease_.shard_name(), "COPY has ended early");
    }
    if (reply->kind != backends::Reply::Kind::message || reply->message.type != net::pg::ErrorResponse::type) continue;
    auto error = net::pg::ErrorResponse::decode(reply->message.payload);
    if (error) throw_failure(lease_, std::move(*error));
  }
}

net::Task<void> WorkspaceTables::take(const merge::Batch& rows, net::CancelToken token) {
  count_bytes(rows.byte_size());
  net::Socket& socket = lease_->socket();
  append_binary_copy(socket.out(), rows, 0, rows.size());
  replies_->check(co_await socket.flush(token));
  check_failed();
}

net::Task<void> WorkspaceTables::end_rows(net::CancelToken token) {
  net::Buffer& out = lease_->socket().out();
  net::pg::CopyData{binary_copy_trailer}.encode(out);
  net::pg::CopyDone{}.encode(out);
  lease_->set_mid_request(false);
  lease_->socket().send_now();
  co_await read_count(*replies_, token);
  replies_.reset();
}

net::Task<std::vector<rewriter::KeySet>> WorkspaceTables::keys(std::vector<std::size_t> restrictions,
                                                               net::CancelToken token) {
  std::vector<rewriter::KeySet> found;
  if (restrictions.empty()) co_return found;
  std::string sql = "SELECT ";
  for (const std::size_t restriction : restrictions) {
    const rewriter::Gather::Restriction& by = gather_.restrictions[restriction];
    const std::string& table = gather_.tables[static_cast<std::size_t>(by.source)];
    sql += fmt::format(
        "{}(SELECT CASE WHEN pg_catalog.count(*) <= {} AND coalesce(pg_catalog.sum(pg_catalog.octet_length(k::pg_catalog.text)), 0) <= {} "
        "THEN coalesce(pg_catalog.array_agg(k ORDER BY k)::pg_catalog.text, '{{}}') END FROM (SELECT DISTINCT {} AS k FROM {} LIMIT {}) AS keys "
        "WHERE k IS NOT NULL)",
        sql.size() > 7 ? ", " : "", rewriter::most_keys, rewriter::most_key_bytes, by.source_column, table,
        rewriter::most_keys + 1);
  }
  backends::CommandResult answer = co_await command(std::move(sql), token);
  for (std::size_t i = 0; i < restrictions.size(); ++i) {
    std::optional<std::string>& keys = answer.rows.at(0).at(i);
    if (keys) found.push_back({restrictions[i], std::move(*keys)});
  }
  co_return found;
}

net::Task<void> WorkspaceTables::clear(net::CancelToken token) {
  (void)co_await command("TRUNCATE " + gather_.table, token);
  bytes_ = rows_ = 0;
}

net::Task<void> WorkspaceTables::index(net::CancelToken token) {
  if (rows_ < indexed_rows) co_return;
  std::string sql;
  for (const std::string& index : gather_.indexes) sql += index + "; ";
  (void)co_await command(fmt::format("{}ANALYZE {}", sql, fmt::join(gather_.tables, ", ")), token);
}

net::Task<void> WorkspaceTables::close(net::CancelToken token) {
  (void)co_await command("COMMIT", token);
}

net::Task<void> WorkspaceTables::drop() noexcept {
  replies_.reset();
  const bool at_rest = lease_ && !lease_->broken() && lease_->pending() == 0 && !lease_->being_cancelled();
  if (!at_rest) {
    lease_.release();
    co_return;
  }
  if (lease_->transaction_status() == 'I') co_return;
  try {
    (void)co_await backends::run_command(lease_, "ROLLBACK");
  } catch (const values::SqlError&) {
    lease_.discard();
  }
}

}  // namespace anabranch::proxy
