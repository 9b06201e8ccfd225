#include "proxy/mysql/workspace.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "backends/exchange.h"
#include "rewriter/mysql/merged_rows.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using Form = rewriter::Finish::Column::Form;

/// A statement of more is sent: long enough that its parsing is what counts, and far below max_allowed_packet.
constexpr std::size_t insert_bytes = 256 * 1024;
/// max_allowed_packet, as servers have it where nobody has changed it: only one row can make a statement so long.
constexpr std::size_t longest_insert = 16 * 1024 * 1024 - 64;

[[noreturn]] void refuse(std::string_view what) {
  throw values::make_error(values::ErrorId::unsupported_clause, "a query whose rows are gathered", what,
                           "Join by the key, or ask for one key.");
}

/// Which piece a row is of.
std::size_t piece_of(const net::mysql::Field& tag, std::size_t pieces) {
  std::size_t number = 0;
  if (tag) std::from_chars(tag->data(), tag->data() + tag->size(), number);
  if (number == 0 || number > pieces) {
    throw values::make_error(values::ErrorId::shard_protocol, "a shard", "a row of no table that it was asked for");
  }
  return number - 1;
}

std::size_t width_of(const rewriter::Gather& gather) {
  const rewriter::Gather::Piece& last = gather.pieces.back();
  return 1 + last.first_column + last.columns.size();
}

}  // namespace

Workspace::Workspace(State& state, backends::Lease& lease, const rewriter::Gather& gather)
    : state_(state),
      lease_(lease),
      gather_(gather),
      budget_(state.db->config->limits.spill),
      fields_(width_of(gather)),
      inserts_(gather.pieces.size()) {}

net::Task<backends::CommandResult> Workspace::command(std::string sql) {
  auto answer = co_await backends::run_command(lease_, std::move(sql), state_.token());
  if (!answer) throw backends::ServerError(answer.error(), lease_.shard(), lease_.shard_name());
  co_return std::move(*answer);
}

net::Task<void> Workspace::create() {
  for (const std::string& definition : gather_.definitions) co_await make(definition);
}

net::Task<void> Workspace::make(const std::string& definition) {
  auto answer = co_await backends::run_command(lease_, definition, state_.token());
  if (answer) co_return;
  const backends::ServerError error(answer.error(), lease_.shard(), lease_.shard_name());
  refuse(fmt::format("{} makes no temporary table for them: {}", lease_.shard_name(), error.message));
}

net::Task<void> Workspace::take(const merge::Batch& rows) {
  bytes_ += rows.byte_size();
  if (bytes_ > budget_) throw values::make_error(values::ErrorId::gather_budget, budget_);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows.row(i).split(fields_);
    const std::size_t piece = piece_of(fields_.front(), inserts_.size());
    Insert& insert = inserts_[piece];
    add(insert, gather_.pieces[piece]);
    if (insert.sql.size() >= insert_bytes) co_await send(piece);
  }
}

void Workspace::add(Insert& insert, const rewriter::Gather::Piece& piece) {
  if (std::exchange(insert.any, true)) {
    insert.sql += "), (";
  } else {
    insert.sql = piece.insert;
    insert.warnings = piece.defaults;
  }
  const std::size_t first = 1 + piece.first_column;
  for (std::size_t i = 0; i < piece.columns.size(); ++i) {
    if (i > 0) insert.sql += ", ";
    rewriter::mysql::append_literal(insert.sql, piece.columns[i], fields_[first + i]);
    if (piece.columns[i].form == Form::member && fields_[first + i] == "0") ++insert.warnings;
  }
}

net::Task<void> Workspace::send(std::size_t piece) {
  Insert& insert = inserts_[piece];
  if (!std::exchange(insert.any, false)) co_return;
  insert.sql += ")";
  if (insert.sql.size() > longest_insert) refuse("one row of theirs is more than a server reads at once: 16 MiB");
  auto result = co_await backends::run_command(lease_, std::move(insert.sql), state_.token());
  insert.sql.clear();
  if (!result) {
    const backends::ServerError error(result.error(), lease_.shard(), lease_.shard_name());
    constexpr std::uint16_t duplicate = 1062;
    if (error.mysql_code != duplicate) throw error;
    refuse("rows of several shards are of one unique key: " + error.message);
  }
  // The protocol tells no more.
  constexpr int most = 65535;
  if (result->warnings > std::min(insert.warnings, most)) {
    refuse("a value of theirs is none that its column's definition allows");
  }
}

net::Task<void> Workspace::finish() {
  for (std::size_t piece = 0; piece < inserts_.size(); ++piece) co_await send(piece);
}

net::Task<void> Workspace::drop() {
  (void)co_await command(fmt::format("DROP TEMPORARY TABLE {}", fmt::join(gather_.tables, ", ")));
  if (lease_->transaction_status() == 'T') (void)co_await command("ROLLBACK");
}

}  // namespace anabranch::proxy::mysql
