#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "backends/pool.h"
#include "net/mysql/result_reader.h"
#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// What a reply that was passed on has said at its end.
struct ReplyEnd {
  bool failed = false;
  std::uint16_t error = 0;  ///< its number
  std::uint16_t status = 0;
  std::uint16_t warnings = 0;
  std::uint64_t insert_id = 0;
  std::uint64_t affected = 0;
  bool has_rows = false;  ///< it is a result with columns
  std::uint64_t rows = 0;
};

/// Passes the reply to what has been written to the lease on to the client, frame by frame as it comes: only the
/// frames' numbers change, and the last one's status where another statement's result follows. `statement_id`: of
/// a COM_STMT_PREPARE, what the client is told for the server's number, which comes back in its place; `parameters`:
/// how many it has. `told`: what the columns and their tables are called, where the server has other names for them. Throws
/// SqlError 08006 where the server is lost before it has answered, SessionLost after that, or where the client is.
net::Task<ReplyEnd> pass_reply(State& state, backends::Lease& lease, net::mysql::ResultReader::Reply kind,
                               std::uint32_t* statement_id = nullptr, std::uint64_t* parameters = nullptr,
                               const std::vector<rewriter::ResultColumn>* told = nullptr);

/// A result with rows of the proxy's own: what goes ahead of the rows, given payloads of column definitions, and what
/// ends them (`flags`: of the status, beside the session's). Of a cursor that is opened there is the first part of the
/// head only.
void write_definitions(State& state, std::span<const std::string> definitions);
void begin_rows(State& state, std::span<const std::string> definitions);
void end_rows(State& state, std::uint16_t warnings = 0, std::uint16_t flags = 0);

/// A row of texts.
using Row = std::vector<std::optional<std::string>>;
/// The whole of such a result.
void send_rows(State& state, std::span<const std::string> definitions, std::span<const Row> rows,
               std::uint16_t warnings = 0);

/// OK of the proxy's own, of what a server has said about the session.
void send_state(State& state, std::string_view session_state);
/// OK of the proxy's own.
void send_ok(State& state, std::uint64_t affected = 0, std::uint64_t insert_id = 0, std::uint16_t warnings = 0,
             std::string_view info = {}, std::uint16_t flags = 0);

}  // namespace anabranch::proxy::mysql
