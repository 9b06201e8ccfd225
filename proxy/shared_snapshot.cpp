#include "proxy/shared_snapshot.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "backends/exchange.h"
#include "proxy/moment.h"
#include "proxy/session_state.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

constexpr std::string_view begin_so = "Begin with ISOLATION LEVEL REPEATABLE READ READ ONLY.";

/// "s1=00000003-0000001B-1,s2=…": each shard's own name of it, in shard order.
std::optional<std::vector<std::string>> split_name(const router::ShardMap& map, std::string_view name) {
  std::vector<std::string> ids;
  for (const auto& shard : map.shards()) {
    if (!ids.empty()) {
      if (!name.starts_with(',')) return std::nullopt;
      name.remove_prefix(1);
    }
    if (!name.starts_with(shard.name)) return std::nullopt;
    name.remove_prefix(shard.name.size());
    if (!name.starts_with('=')) return std::nullopt;
    name.remove_prefix(1);
    const auto length = std::min(name.find_first_not_of("0123456789ABCDEF-"), name.size());
    if (length == 0) return std::nullopt;
    ids.emplace_back(name.substr(0, length));
    name.remove_prefix(length);
  }
  if (!name.empty()) return std::nullopt;
  return ids;
}

net::Task<void> ask(backends::Lease& lease, std::string sql, std::string* first_field) {
  auto answer = co_await backends::run_command(lease, std::move(sql));
  if (!answer) throw backends::ServerError(std::move(answer.error()), lease.shard(), lease.shard_name());
  if (first_field != nullptr) *first_field = answer->rows.at(0).at(0).value_or("");
}

}  // namespace

net::Task<std::string> export_snapshots(SessionState& state) {
  if (state.transaction.wants_snapshots()) co_await take_snapshots(state);
  if (!state.transaction.has_snapshots()) {
    throw values::make_error(values::ErrorId::unsupported_clause, "pg_export_snapshot()",
                             "this transaction does not read all shards at one moment", begin_so);
  }
  std::string name;
  for (auto& member : state.transaction.enlisted()) {
    std::string id;
    co_await ask(member->lease, "SELECT pg_catalog.pg_export_snapshot()", &id);
    name += fmt::format("{}{}={}", name.empty() ? "" : ",", member->lease.shard_name(), id);
  }
  co_return name;
}

net::Task<void> import_snapshots(SessionState& state, std::string_view name) {
  if (!state.transaction.wants_snapshots()) {
    throw values::make_error(values::ErrorId::unsupported_clause, "SET TRANSACTION SNAPSHOT",
                             "it is for a READ ONLY transaction that has asked nothing yet", begin_so);
  }
  const auto& map = *state.db->map;
  const auto ids = split_name(map, name);
  if (!ids) throw values::SqlError("22023", fmt::format("invalid snapshot identifier: \"{}\"", name));
  state.transaction.begin_snapshots();
  for (std::uint32_t shard = 0; shard < ids->size(); ++shard) {
    auto* member = co_await state.transaction.enlist(shard, state.target(shard), state.token());
    co_await ask(member->lease, fmt::format("SET TRANSACTION SNAPSHOT '{}'", (*ids)[shard]), nullptr);
  }
  state.transaction.snapshots_taken();
}

}  // namespace anabranch::proxy
