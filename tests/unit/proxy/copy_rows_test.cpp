#include "proxy/copy_rows.h"

#include <doctest/doctest.h>

#include "values/sql_error.h"

using anabranch::proxy::CopyRows;
using anabranch::rewriter::CopySplit;

namespace {

CopySplit text_copy(int key_field) {
  CopySplit copy;
  copy.key.push_back({key_field, 20, std::nullopt, false, false});
  copy.field_count = 3;
  return copy;
}

CopySplit csv_copy(int key_field) {
  CopySplit copy = text_copy(key_field);
  copy.format = CopySplit::Format::csv;
  copy.delimiter = ',';
  copy.null_text = "";
  return copy;
}

/// Rows and keys of `data`, fed `piece` bytes at a time, as "row|key" with NULL as `~`.
std::vector<std::string> split(const CopySplit& copy, std::string_view data, std::size_t piece) {
  CopyRows rows(copy);
  std::vector<std::string> found;
  std::vector<std::optional<std::string_view>> keys;
  const auto drain = [&] {
    while (const auto row = rows.next()) {
      const bool read = rows.read_keys(*row, keys);
      found.push_back(std::string(row->bytes) + "|" +
                      (read ? std::string(keys.at(0).value_or("~")) : std::string("?")) + "@" +
                      std::to_string(row->line));
    }
  };
  for (std::size_t at = 0; at < data.size(); at += piece) {
    rows.feed(data.substr(at, piece));
    drain();
  }
  rows.finish();
  drain();
  return found;
}

}  // namespace

TEST_CASE("text rows are cut at newlines that no backslash covers, wherever pieces end") {
  const std::string_view data = "a\t1\tx\nb\t\\N\ty\\\nz\nc\t\\x31\\062\tq\nlast\t4\tend";
  for (std::size_t piece = 1; piece <= data.size(); ++piece) {
    CAPTURE(piece);
    const auto found = split(text_copy(1), data, piece);
    REQUIRE(found.size() == 4);
    CHECK(found[0] == "a\t1\tx\n|1@1");
    CHECK(found[1] == "b\t\\N\ty\\\nz\n|~@2");
    CHECK(found[2] == "c\t\\x31\\062\tq\n|12@3");
    CHECK(found[3] == "last\t4\tend|4@4");
  }
}

TEST_CASE("a NULL is what is written as NULL, not what decodes to it") {
  CHECK(split(text_copy(0), "\\\\N\t1\n", 100).front() == "\\\\N\t1\n|\\N@1");
}

TEST_CASE("CSV rows keep newlines and delimiters inside quotes, wherever pieces end") {
  const std::string_view data = "0,y,z\n1,\"a\nb\",x\n\"2,\"\"3\",c,d\n,e,f\n\"\",g,h\n";
  for (std::size_t piece = 1; piece <= data.size(); ++piece) {
    CAPTURE(piece);
    const auto found = split(csv_copy(0), data, piece);
    REQUIRE(found.size() == 5);
    CHECK(found[1] == "1,\"a\nb\",x\n|1@3");
    CHECK(found[2] == "\"2,\"\"3\",c,d\n|2,\"3@4");
    CHECK(found[3] == ",e,f\n|~@5");
    CHECK(found[4] == "\"\",g,h\n|@6");
  }
}

TEST_CASE("FORCE_NULL and FORCE_NOT_NULL turn the reading of an empty field around") {
  CopySplit copy = csv_copy(0);
  copy.key[0].force_null = true;
  CHECK(split(copy, "\"\",a,b\n", 100).front() == "\"\",a,b\n|~@1");
  copy.key[0] = {0, 20, std::nullopt, false, true};
  CHECK(split(copy, ",a,b\n", 100).front() == ",a,b\n|@1");
}

TEST_CASE("CSV with an escape of its own") {
  CopySplit copy = csv_copy(1);
  copy.escape = '\\';
  const auto found = split(copy, "0,x,y\n1,\"a\\\"\nb\",c\n2,d,e\n", 100);
  REQUIRE(found.size() == 3);
  CHECK(found[1] == "1,\"a\\\"\nb\",c\n|a\"\nb@3");
  CHECK(found[2] == "2,d,e\n|d@4");
}

TEST_CASE("a row without its key field is left to the server to complain of") {
  CHECK(split(text_copy(2), "1\t2\n", 100).front() == "1\t2\n|?@1");
}

TEST_CASE("rows end as the first one does, wherever pieces end") {
  for (const std::string_view data : {"1\ta\r2\tb\r3\tc\r", "1\ta\r\n2\tb\r\n3\tc\r\n", "1\ta\n2\tb\n3\tc"}) {
    for (std::size_t piece = 1; piece <= data.size(); ++piece) {
      CAPTURE(piece);
      const auto found = split(text_copy(0), data, piece);
      REQUIRE(found.size() == 3);
      CHECK(found[0].ends_with("|1@1"));
      CHECK(found[2].ends_with("|3@3"));
    }
  }
}

TEST_CASE("mixed ends of lines are refused in the server's words") {
  const auto refusal = [](const CopySplit& copy, std::string_view data) {
    try {
      (void)split(copy, data, 100);
    } catch (const anabranch::values::SqlError& error) {
      return error.sqlstate + " " + error.message + " at " + error.context;
    }
    return std::string("none");
  };
  CHECK(refusal(text_copy(0), "1\ta\n2\tb\r\n") == "22P04 literal carriage return found in data at COPY , line 2");
  CHECK(refusal(text_copy(0), "1\ta\r\n2\tb\n") == "22P04 literal newline found in data at COPY , line 2");
  CHECK(refusal(text_copy(0), "1\ta\r2\tb\n") == "22P04 literal newline found in data at COPY , line 2");
  CHECK(refusal(csv_copy(0), "1,a\n2,\"\n\",\r\n") == "22P04 unquoted carriage return found in data at COPY , line 3");
  CHECK(refusal(csv_copy(0), "1,a\n2,\"\r\n\"\n") == "none");
}

TEST_CASE("a marker inside a row ends the data") {
  const CopySplit copy = text_copy(0);
  CopyRows rows(copy);
  rows.feed("1\ta\n2\tb\\.\n3\tc\n");
  CHECK_FALSE(rows.next()->last);
  CHECK(rows.next()->last);
}

TEST_CASE("the row before a marker has its own key") {
  const CopySplit copy = text_copy(0);
  CopyRows rows(copy);
  std::vector<std::optional<std::string_view>> keys;
  rows.feed("abc\\.\nd\n");
  const auto row = rows.next();
  REQUIRE(rows.read_keys(*row, keys));
  CHECK(keys[0] == "abc");
  CHECK_FALSE(row->marker);
}

TEST_CASE("fields put behind those of every row") {
  const auto filled = [](CopySplit copy, std::string_view data) {
    copy.field_count = 2;
    CopyRows rows(copy);
    rows.fill({"a\tb,\"c\"\\", std::nullopt});
    rows.feed(data);
    rows.finish();
    return std::string(rows.filled(*rows.next()));
  };
  CHECK(filled(text_copy(0), "1\tx\n") == "1\tx\ta\\\tb,\"c\"\\\\\t\\N\n");
  CHECK(filled(csv_copy(0), "1,x\r\n") == "1,x,\"a\tb,\"\"c\"\"\\\",\r\n");
  CHECK(filled(csv_copy(0), "1,\"x,\"\"y\"") == "1,\"x,\"\"y\",\"a\tb,\"\"c\"\"\\\",");
  CHECK(filled(text_copy(0), "1\\\tx\n") == "1\\\tx\n");
  CHECK(filled(csv_copy(0), "\"1,x\"\n") == "\"1,x\"\n");
}

TEST_CASE("header and end marker are told from rows") {
  CopySplit copy = text_copy(0);
  copy.header = true;
  CopyRows rows(copy);
  rows.feed("id\tname\n1\ta\n\\.\n");
  CHECK(rows.next()->header);
  CHECK_FALSE(rows.next()->header);
  CHECK(rows.next()->last);
  CHECK_FALSE(rows.next());
}

TEST_CASE("a left out key takes its default") {
  CopySplit copy = text_copy(-1);
  copy.key[0].default_text = "7";
  CHECK(split(copy, "x\ty\n", 100).front() == "x\ty\n|7@1");
}

TEST_CASE("dates and times that say now are found, whatever quotes and escapes stand around them") {
  const auto word = [](CopySplit copy, std::string_view data) {
    copy.clock_fields = {2};
    CopyRows rows(copy);
    rows.feed(data);
    return std::string(rows.clock_word(*rows.next()).value_or("~"));
  };
  CHECK(word(text_copy(0), "1\tnow\t2024-01-01\n") == "~");
  CHECK(word(text_copy(0), "1\tx\tnow\n") == "now");
  CHECK(word(text_copy(0), "1\tx\t n\\x6fW \n") == " noW ");
  CHECK(word(text_copy(0), "1\tx\t{2024-01-01,\"TO\\\\DAY 10:00\"}\n") == "{2024-01-01,\"TO\\DAY 10:00\"}");
  CHECK(word(csv_copy(0), "1,x,\"tomorrow\"\n") == "tomorrow");
  CHECK(word(csv_copy(0), "1,\"a,b\",yes\"ter\"day\n") == "yesterday");
  CHECK(word(text_copy(0), "1\tx\n") == "~");
  CHECK(word(text_copy(0), "1\tx\t" + std::string(200, ' ') + "now\n") == std::string(200, ' ') + "now");
}
