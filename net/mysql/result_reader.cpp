#include "net/mysql/result_reader.h"

#include "net/mysql/result_messages.h"

namespace anabranch::net::mysql {

namespace {

constexpr std::uint64_t most_columns = 0xffff;  // servers stop at 4096
constexpr std::uint8_t end_header = 0xfe;

std::unexpected<DecodeError> unexpected_packet(std::string_view where) {
  return std::unexpected(DecodeError{fmt::format("unexpected packet {}", where)});
}

}  // namespace

ResultReader::ResultReader(Reply reply, Capabilities capabilities)
    : capabilities_(capabilities), reply_(reply) {
  if (reply == Reply::nothing) state_ = State::done;
  if (reply == Reply::ok) state_ = State::ok_only;
  if (reply == Reply::fetch) state_ = State::rows;
}

ResultReader::Read ResultReader::read(std::string_view frame) {
  if (continues_) {
    continues_ = frame.size() == max_frame_bytes;
    return Event::continuation;
  }
  if (frame.empty()) return unexpected_packet("without a byte");
  if (frame.size() == max_frame_bytes) {
    if (state_ != State::rows) return unexpected_packet("of 16 MiB that is no row");
    continues_ = true;
    return Event::row;
  }
  switch (state_) {
    case State::start:
      return read_start(frame);
    case State::ok_only:
      return first_byte(frame) == Err::header ? read_error(frame) : read_ok(frame, Event::ok);
    case State::definitions:
    case State::parameters:
      return read_definition(frame);
    case State::definitions_end:
      return read_end(frame, Event::columns_end);
    case State::parameters_end:
      return read_end(frame, Event::parameters_end);
    case State::rows:
      return read_row(frame);
    case State::done:
      break;
  }
  return unexpected_packet("after the end of a reply");
}

ResultReader::Read ResultReader::read_start(std::string_view frame) {
  const std::uint8_t first = *first_byte(frame);
  if (first == Err::header) return read_error(frame);
  switch (reply_) {
    case Reply::prepare:
      return read_prepared(frame);
    case Reply::field_list:
      return first == end_header ? read_end(frame, Event::rows_end) : Read(Event::column);
    case Reply::statistics:
      state_ = State::done;
      return Event::statistics;
    default:
      break;
  }
  if (first == Ok::header) return read_ok(frame, Event::ok);
  if (first != LocalInfileRequest::header) return read_column_count(frame);
  if (reply_ != Reply::text) return unexpected_packet("in answer to an execution");
  state_ = State::ok_only;
  return Event::infile_request;
}

ResultReader::Read ResultReader::read_column_count(std::string_view frame) {
  const auto count = ColumnCount::decode(frame, capabilities_);
  if (!count) return std::unexpected(count.error());
  if (count->columns == 0 || count->columns > most_columns) {
    return unexpected_packet("with an impossible number of columns");
  }
  columns_ = count->columns;
  definitions_left_ = count->metadata_follows ? columns_ : 0;
  expect_definitions();
  return Event::column_count;
}

void ResultReader::expect_definitions() {
  state_ = State::definitions;
  if (definitions_left_ == 0) expect_after_definitions();
}

void ResultReader::expect_after_definitions() {
  if (!deprecate_eof()) {
    state_ = State::definitions_end;
  } else {
    state_ = reply_ == Reply::prepare ? State::done : State::rows;
  }
}

ResultReader::Read ResultReader::read_definition(std::string_view frame) {
  if (first_byte(frame) == Err::header) return read_error(frame);
  if (first_byte(frame) == end_header) return unexpected_packet("in place of a definition");
  const bool is_parameter = state_ == State::parameters;
  if (--definitions_left_ > 0) return is_parameter ? Event::parameter : Event::column;
  if (!is_parameter) {
    expect_after_definitions();
    return Event::column;
  }
  if (deprecate_eof()) {
    definitions_left_ = columns_;
    state_ = columns_ > 0 ? State::definitions : State::done;
  } else {
    state_ = State::parameters_end;
  }
  return Event::parameter;
}

ResultReader::Read ResultReader::read_prepared(std::string_view frame) {
  const auto prepared = PrepareOk::decode(frame);
  if (!prepared) return std::unexpected(prepared.error());
  columns_ = prepared->columns;
  parameters_ = prepared->parameters;
  warnings_ = prepared->warnings;
  if (parameters_ > 0) {
    state_ = State::parameters;
    definitions_left_ = parameters_;
  } else if (columns_ > 0) {
    state_ = State::definitions;
    definitions_left_ = columns_;
  } else {
    state_ = State::done;
  }
  return Event::prepared;
}

/// EOF behind definitions, or the end of a field list.
ResultReader::Read ResultReader::read_end(std::string_view frame, Event event) {
  if (first_byte(frame) == Err::header) return read_error(frame);
  const auto read = read_ok(frame, event);
  if (!read) return read;
  if (event == Event::parameters_end && columns_ > 0) {
    state_ = State::definitions;
    definitions_left_ = columns_;
  }
  const bool to_be_fetched = reply_ == Reply::binary && (status_ & status::cursor_exists) != 0;
  const bool has_rows = reply_ != Reply::prepare && !to_be_fetched;
  if (event == Event::columns_end && has_rows) state_ = State::rows;
  return event;
}

/// OK or EOF, whichever `event` comes as; takes the result for ended.
ResultReader::Read ResultReader::read_ok(std::string_view frame, Event event) {
  if (first_byte(frame) == end_header && !deprecate_eof()) {
    const auto eof = Eof::decode(frame);
    if (!eof) return std::unexpected(eof.error());
    status_ = eof->status;
    warnings_ = eof->warnings;
  } else {
    const auto ok = Ok::decode(frame, capabilities_);
    if (!ok) return std::unexpected(ok.error());
    status_ = ok->status;
    warnings_ = ok->warnings;
  }
  end_result();
  return event;
}

void ResultReader::end_result() {
  const bool several = reply_ == Reply::text || reply_ == Reply::binary;
  state_ = several && more_results() ? State::start : State::done;
}

ResultReader::Read ResultReader::read_error(std::string_view frame) {
  const auto error = Err::decode(frame);
  if (!error) return std::unexpected(error.error());
  state_ = State::done;
  return Event::error;
}

/// 0xfe also begins a text row whose first value has 16 MiB or more: only in a full frame.
ResultReader::Read ResultReader::read_row(std::string_view frame) {
  const std::uint8_t first = *first_byte(frame);
  if (first == Err::header) return read_error(frame);
  if (first == end_header) return read_ok(frame, Event::rows_end);
  if (reply_ != Reply::text && first != Ok::header) return unexpected_packet("in place of a row");
  return Event::row;
}

}  // namespace anabranch::net::mysql
