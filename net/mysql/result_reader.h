#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "net/mysql/message.h"

namespace anabranch::net::mysql {

/// Follows the reply to one command, frame by frame and without I/O, and says what each frame is:
/// what a relay and a merge both need, to know where a reply ends. Rows and column definitions are
/// not decoded, and nothing is allocated; frames that end something are checked.
class ResultReader {
 public:
  /// What was asked, which decides how the reply looks.
  enum class Reply : std::uint8_t {
    nothing,     // COM_STMT_CLOSE, COM_STMT_SEND_LONG_DATA, COM_QUIT
    ok,          // COM_PING, COM_INIT_DB, COM_SET_OPTION, …: OK (or EOF), or an error
    text,        // COM_QUERY: results, as many as there are statements
    binary,      // COM_STMT_EXECUTE
    fetch,       // COM_STMT_FETCH: rows alone
    prepare,     // COM_STMT_PREPARE
    field_list,  // COM_FIELD_LIST: definitions alone
    statistics,  // COM_STATISTICS: a text
  };
  /// What a frame is. After those marked with *, done() may be true.
  enum class Event : std::uint8_t {
    ok,            // * a result without rows
    error,         // * nothing follows, whatever was announced
    column_count,  //   columns() is set; definitions follow
    column,        //   a definition
    columns_end,   // * EOF behind the definitions; there are no rows where a cursor was opened
    row,
    rows_end,        // * EOF, or OK with deprecate_eof
    infile_request,  //   the client sends its file, then the reply goes on with ok or error
    prepared,        // * PrepareOk; columns() and parameters() are set
    parameter,       // * the definition of a parameter
    parameters_end,  // * EOF behind them
    statistics,      // *
    continuation,    //   what the frame before it is
  };

  ResultReader(Reply reply, Capabilities capabilities);

  /// Takes the next frame's payload. An error means that the server has broken the protocol.
  std::expected<Event, DecodeError> read(std::string_view frame);
  /// The reply is complete.
  bool done() const { return state_ == State::done; }

  /// Of the last ok, columns_end or rows_end.
  std::uint16_t status() const { return status_; }
  std::uint16_t warnings() const { return warnings_; }
  bool more_results() const { return (status_ & status::more_results) != 0; }
  /// Of the result that is being read, or of the statement that was prepared.
  std::uint64_t columns() const { return columns_; }
  std::uint64_t parameters() const { return parameters_; }

 private:
  enum class State : std::uint8_t {
    start,  // of a result
    ok_only,
    definitions,
    definitions_end,
    rows,
    parameters,
    parameters_end,
    done,
  };
  using Read = std::expected<Event, DecodeError>;

  Read read_start(std::string_view frame);
  Read read_column_count(std::string_view frame);
  Read read_ok(std::string_view frame, Event event);
  Read read_error(std::string_view frame);
  Read read_end(std::string_view frame, Event event);
  Read read_row(std::string_view frame);
  Read read_definition(std::string_view frame);
  Read read_prepared(std::string_view frame);
  bool deprecate_eof() const { return has(capabilities_, capability::deprecate_eof); }
  void expect_definitions();
  void expect_after_definitions();
  void end_result();

  Capabilities capabilities_;
  Reply reply_;
  State state_ = State::start;
  bool continues_ = false;  // the last frame was a full one
  std::uint64_t columns_ = 0;
  std::uint64_t parameters_ = 0;
  std::uint64_t definitions_left_ = 0;
  std::uint16_t status_ = 0;
  std::uint16_t warnings_ = 0;
};

}  // namespace anabranch::net::mysql
