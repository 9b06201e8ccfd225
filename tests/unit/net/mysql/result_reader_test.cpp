#include "net/mysql/result_reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "net/mysql/result_messages.h"
#include "net/mysql/rows.h"

using namespace anabranch::net;
using namespace anabranch::net::mysql;
using Event = ResultReader::Event;
using Reply = ResultReader::Reply;

namespace {

constexpr Capabilities eof_form = capability::protocol_41;
constexpr Capabilities ok_form = eof_form | capability::deprecate_eof;

/// A reply in the making.
struct Script {
  explicit Script(Capabilities agreed) : capabilities(agreed) {}
  Capabilities capabilities;
  Buffer out;
  Sequence sequence{1};

  bool deprecated() const { return has(capabilities, capability::deprecate_eof); }
  void definitions(std::size_t count, std::uint16_t status = 0) {
    for (std::size_t i = 0; i < count; ++i) {
      ColumnDefinition41{}.encode(out, sequence, capabilities);
    }
    if (!deprecated()) Eof{0, status}.encode(out, sequence);
  }
  void header(std::size_t columns, std::uint16_t status = 0) {
    ColumnCount{columns}.encode(out, sequence, capabilities);
    definitions(columns, status);
  }
  void text_row(std::string_view value) { PacketWriter(out, sequence).field(value); }
  void binary_row(std::string_view value) {
    BinaryRowWriter(out, sequence, 1).add(FieldType::var_string, value);
  }
  void rows_end(std::uint16_t status = 0) {
    if (deprecated()) {
      Ok{true, 0, 0, status, 0, {}, {}}.encode(out, sequence, capabilities);
    } else {
      Eof{0, status}.encode(out, sequence);
    }
  }
  void ok(std::uint16_t status = 0) {
    Ok{false, 1, 0, status, 0, {}, {}}.encode(out, sequence, capabilities);
  }
  void error() { Err{1064, "42000", "no"}.encode(out, sequence); }
};

struct Heard {
  std::vector<Event> events;
  std::string error;
  bool done = false;
};

/// Reads until the reply is over; what is left then is a mistake.
Heard listen(const Script& script, Reply reply) {
  ResultReader reader(reply, script.capabilities);
  Heard heard;
  std::string_view left = script.out.view();
  while (!left.empty()) {
    const Frame frame = *cut_frame(left)->frame;
    CHECK_FALSE(reader.done());
    const auto event = reader.read(frame.payload);
    if (!event) {
      heard.error = event.error().message;
      return heard;
    }
    heard.events.push_back(*event);
    left.remove_prefix(frame.raw.size());
  }
  heard.done = reader.done();
  return heard;
}

}  // namespace

TEST_CASE("result reader: text results, with and without EOF") {
  for (const Capabilities capabilities : {eof_form, ok_form}) {
    Script script(capabilities);
    script.header(2);
    script.text_row("a");
    script.text_row("b");
    script.rows_end(status::more_results);
    script.ok(status::more_results);
    script.header(1);
    script.rows_end();
    const Heard heard = listen(script, Reply::text);
    std::vector<Event> expected = {Event::column_count, Event::column, Event::column};
    if (!script.deprecated()) expected.push_back(Event::columns_end);
    expected.insert(expected.end(), {Event::row, Event::row, Event::rows_end, Event::ok,
                                     Event::column_count, Event::column});
    if (!script.deprecated()) expected.push_back(Event::columns_end);
    expected.push_back(Event::rows_end);
    CHECK(heard.events == expected);
    CHECK(heard.done);
  }
}

TEST_CASE("result reader: an error ends everything") {
  for (const Capabilities capabilities : {eof_form, ok_form}) {
    Script early(capabilities);
    early.error();
    CHECK(listen(early, Reply::text).done);
    Script among_rows(capabilities);
    among_rows.header(1);
    among_rows.text_row("a");
    among_rows.error();
    CHECK(listen(among_rows, Reply::text).done);
    CHECK(listen(among_rows, Reply::text).events.back() == Event::error);
    Script second(capabilities);
    second.ok(status::more_results);
    second.error();
    CHECK(listen(second, Reply::text).done);
    Script half(capabilities);
    half.header(1);
    half.text_row("a");
    CHECK_FALSE(listen(half, Reply::text).done);
  }
}

TEST_CASE("result reader: binary rows and cursors") {
  for (const Capabilities capabilities : {eof_form, ok_form}) {
    Script script(capabilities);
    script.header(1);
    script.binary_row("a");
    script.rows_end();
    CHECK(listen(script, Reply::binary).done);
    Script cursor(capabilities);
    cursor.header(1, status::cursor_exists);
    if (cursor.deprecated()) cursor.rows_end(status::cursor_exists);
    CHECK(listen(cursor, Reply::binary).done);
    Script fetch(capabilities);
    fetch.binary_row("a");
    fetch.binary_row("b");
    fetch.rows_end(status::cursor_exists);
    const Heard heard = listen(fetch, Reply::fetch);
    CHECK(heard.events == std::vector{Event::row, Event::row, Event::rows_end});
    CHECK(heard.done);
    Script text_in_binary(capabilities);
    text_in_binary.header(1);
    text_in_binary.text_row("a");
    CHECK(listen(text_in_binary, Reply::binary).error == "unexpected packet in place of a row");
  }
}

TEST_CASE("result reader: preparing") {
  for (const Capabilities capabilities : {eof_form, ok_form}) {
    for (const std::uint16_t parameters : {0, 2}) {
      for (const std::uint16_t columns : {0, 3}) {
        CAPTURE(parameters);
        CAPTURE(columns);
        Script script(capabilities);
        PrepareOk{1, columns, parameters, 0}.encode(script.out, script.sequence);
        if (parameters > 0) script.definitions(parameters);
        if (columns > 0) script.definitions(columns);
        const Heard heard = listen(script, Reply::prepare);
        CHECK(heard.done);
        CHECK(std::count(heard.events.begin(), heard.events.end(), Event::parameter) == parameters);
        CHECK(std::count(heard.events.begin(), heard.events.end(), Event::column) == columns);
      }
    }
  }
}

TEST_CASE("result reader: all other replies") {
  for (const Capabilities capabilities : {eof_form, ok_form}) {
    Script ok(capabilities);
    ok.ok(status::more_results);  // not a command that can have several
    CHECK(listen(ok, Reply::ok).done);
    Script eof(capabilities);
    eof.rows_end();
    CHECK(listen(eof, Reply::ok).done);
    Script fields(capabilities);
    ColumnDefinition41{}.encode(fields.out, fields.sequence, capabilities);
    ColumnDefinition41{}.encode(fields.out, fields.sequence, capabilities);
    fields.rows_end();
    CHECK(listen(fields, Reply::field_list).events ==
          std::vector{Event::column, Event::column, Event::rows_end});
    CHECK(listen(fields, Reply::field_list).done);
    Script statistics(capabilities);
    {
      PacketWriter(statistics.out, statistics.sequence).bytes("Uptime: 1");
    }
    CHECK(listen(statistics, Reply::statistics).events == std::vector{Event::statistics});
    CHECK(listen(statistics, Reply::statistics).done);
    CHECK(ResultReader(Reply::nothing, capabilities).done());
    Script infile(capabilities);
    LocalInfileRequest{"f"}.encode(infile.out, infile.sequence);
    CHECK_FALSE(listen(infile, Reply::text).done);
    infile.ok(status::more_results);
    infile.ok();
    CHECK(listen(infile, Reply::text).events ==
          std::vector{Event::infile_request, Event::ok, Event::ok});
    CHECK(listen(infile, Reply::text).done);
    CHECK_FALSE(listen(infile, Reply::binary).error.empty());
  }
}

TEST_CASE("result reader: rows of 16 MiB and more come in pieces") {
  // A text row whose first value is that long begins as the end of rows does.
  for (const Capabilities capabilities : {eof_form, ok_form}) {
    Script script(capabilities);
    script.header(1);
    const std::string value(2 * max_frame_bytes - 9, 'x');  // the row fills two frames exactly
    script.text_row(value);
    script.rows_end();
    const Heard heard = listen(script, Reply::text);
    const std::vector<Event> expected = {Event::row, Event::continuation, Event::continuation,
                                         Event::rows_end};
    CHECK(std::vector(heard.events.end() - 4, heard.events.end()) == expected);
    CHECK(heard.done);
  }
}

TEST_CASE("result reader: statuses are told, hostile packets refused") {
  ResultReader reader(Reply::text, eof_form);
  CHECK(reader.read(std::string_view("\0\0\0\12\0\5\0", 7)) == Event::ok);
  CHECK(reader.status() == 10);
  CHECK(reader.warnings() == 5);
  CHECK(reader.more_results());
  CHECK_FALSE(reader.done());
  CHECK_FALSE(reader.read("").has_value());
  for (const std::string_view broken :
       {std::string_view("\0\0\0", 3), std::string_view("\376\0\0\2\0", 5),
        std::string_view("\374\0\0", 3), std::string_view("\376\0\0\0\0\1\0\0\0", 9),
        std::string_view("\1x", 2), std::string_view("\377", 1)}) {
    CAPTURE(broken.size());
    CHECK_FALSE(ResultReader(Reply::text, eof_form).read(broken).has_value());
  }
  ResultReader over(Reply::ok, eof_form);
  CHECK(over.read(std::string_view("\0\0\0\2\0\0\0", 7)).has_value());
  CHECK_FALSE(over.read(std::string_view("\0\0\0\2\0\0\0", 7)).has_value());
}
