#include "backends/mysql_rows.h"

#include <utility>

#include "backends/lost.h"
#include "backends/mysql_exchange.h"
#include "net/mysql/stream.h"
#include "values/errors.h"

namespace anabranch::backends {

namespace {

constexpr std::size_t batch_bytes = 64 * 1024;
constexpr std::uint64_t most_columns = 4096;

}  // namespace

MysqlRowStream::MysqlRowStream(Lease& lease, std::size_t longest_row)
    : lease_(&lease),
      longest_row_(longest_row),
      reader_(net::mysql::ResultReader::Reply::text, lease->server().form.capabilities) {}

std::optional<MysqlRowStream::Reply> MysqlRowStream::poll() {
  rows.clear();
  net::Socket& socket = (*lease_)->socket();
  while (!ended_ && rows.byte_size() < batch_bytes) {
    const auto frame = net::mysql::take_frame(socket, net::mysql::max_frame_bytes, &needed_);
    if (!frame) violate(*lease_, frame.error().message);
    if (!*frame) break;
    if (const auto reply = take((*frame)->payload)) return reply;
  }
  if (!rows.empty()) return Reply::rows;
  if (ended_) return Reply::end;
  return std::nullopt;
}

std::optional<MysqlRowStream::Reply> MysqlRowStream::take(std::string_view payload) {
  const auto event = reader_.read(payload);
  if (!event) violate(*lease_, event.error().message);
  switch (*event) {
    case Event::column_count:
      if (reader_.columns() > most_columns) violate(*lease_, "more columns than a server has");
      break;
    case Event::column:
      definitions_.emplace_back(payload);
      if (definitions_.size() == reader_.columns()) return Reply::columns;
      break;
    case Event::columns_end: break;
    case Event::row: take_row_part(payload, true); break;
    case Event::continuation: take_row_part(payload, false); break;
    case Event::rows_end:
      if (reader_.more_results()) violate(*lease_, "more results than were asked for");
      end();
      break;
    case Event::error: {
      const auto error = net::mysql::Err::decode(payload);
      if (!error) violate(*lease_, error.error().message);
      error_ = error->code;
      failure_ = mysql_error_fields(error->code, error->sqlstate, error->message);
      end();
      break;
    }
    default: violate(*lease_, "an answer without rows");
  }
  return std::nullopt;
}

/// Frames of the greatest size go on in the next one.
void MysqlRowStream::take_row_part(std::string_view payload, bool begins) {
  const bool goes_on = payload.size() == net::mysql::max_frame_bytes;
  if (row_.size() + payload.size() > longest_row_) {
    (*lease_)->mark_broken();
    throw values::make_error(values::ErrorId::memory_budget, longest_row_);
  }
  if (begins && !goes_on) return add_row(payload);
  row_ += payload;
  if (goes_on) return;
  add_row(row_);
  row_.clear();
}

void MysqlRowStream::add_row(std::string_view payload) {
  fields_.resize(definitions_.size());
  if (!net::mysql::split_text_row(payload, fields_)) violate(*lease_, "a malformed row");
  merge::RowWriter row(rows, static_cast<int>(fields_.size()));
  for (const net::mysql::Field& field : fields_) row.add(field);
  row.finish();
}

void MysqlRowStream::end() {
  ended_ = true;
  // Errors do not tell the status.
  (*lease_)->on_ready(failure_ ? (*lease_)->transaction_status() : mysql_transaction_status(reader_.status()));
  if (failure_ && ends_mysql_session(error_)) (*lease_)->mark_broken();
}

}  // namespace anabranch::backends
