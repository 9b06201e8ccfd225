#include "proxy/mysql/load_rows.h"

#include <doctest/doctest.h>

#include "values/sql_error.h"

namespace anabranch::proxy::mysql {
namespace {

using Rows = std::vector<std::string>;

/// Each row as it stands in the file and what was read of it: `row -> a | (null) | -` (a field that is not there).
Rows cut(const rewriter::LoadFormat& format, std::vector<int> wanted, std::string_view data, std::size_t piece) {
  LoadRows rows(format, std::move(wanted), true);
  Rows out;
  const auto take = [&] {
    while (const auto row = rows.next()) {
      std::string shown = std::string(*row) + " ->";
      for (const auto& field : rows.fields()) {
        shown += " " + (!field.given ? "-" : field.value ? std::string(*field.value) : "(null)") + " |";
      }
      shown.resize(shown.size() - 2);
      out.push_back(shown);
    }
  };
  for (std::size_t at = 0; at < data.size(); at += piece) {
    rows.feed(data.substr(at, piece));
    take();
  }
  rows.finish();
  take();
  return out;
}

/// The same however the file comes.
Rows cut(const rewriter::LoadFormat& format, std::vector<int> wanted, std::string_view data) {
  Rows whole = cut(format, wanted, data, data.size());
  for (std::size_t piece = 1; piece < data.size(); ++piece) CHECK(cut(format, wanted, data, piece) == whole);
  return whole;
}

rewriter::LoadFormat fields(int count) {
  rewriter::LoadFormat format;
  format.fields = count;
  return format;
}

rewriter::LoadFormat csv(int count) {
  rewriter::LoadFormat format = fields(count);
  format.field_end = ",";
  format.enclosed = '"';
  return format;
}

TEST_CASE("rows of the standard format") {
  CHECK(cut(fields(2), {0, 1}, "1\ta\n2\t\\N\n3\tb\\tc\n") == Rows{"1\ta\n -> 1 | a", "2\t\\N\n -> 2 | (null)", "3\tb\\tc\n -> 3 | b\tc"});
  CHECK(cut(fields(1), {0}, "1\\\n2\n3") == Rows{"1\\\n2\n -> 1\n2", "3 -> 3"});
  CHECK(cut(fields(1), {0}, "a\\") == Rows{"a\\ -> a\\"});
  CHECK(cut(fields(2), {1}, "1\n2\t\n3\t") == Rows{"1\n -> -", "2\t\n -> ", "3\t -> -"});
  CHECK(cut(fields(1), {0}, "\n\n") == Rows{"\n -> ", "\n -> "});
  CHECK(cut(fields(1), {0}, "").empty());
}

TEST_CASE("what follows the last field does not count, quotes included") {
  CHECK(cut(csv(1), {0}, "1,\"a\nb\"\n") == Rows{"1,\"a\n -> 1", "b\"\n -> b\""});
  CHECK(cut(csv(2), {0}, "1,\"a\nb\"\n2,x") == Rows{"1,\"a\nb\"\n -> 1", "2,x -> 2"});
}

TEST_CASE("enclosed fields") {
  CHECK(cut(csv(2), {0, 1}, "\"a,b\",\"c\"\"d\"\n\"x\"y\",z\n") ==
        Rows{"\"a,b\",\"c\"\"d\"\n -> a,b | c\"d", "\"x\"y\",z\n -> x\"y | z"});
  CHECK(cut(csv(1), {0}, "NULL\n\"NULL\"\n\"\\N\"\nx\\N\n") ==
        Rows{"NULL\n -> (null)", "\"NULL\"\n -> NULL", "\"\\N\"\n -> (null)", "x\\N\n -> xN"});
  CHECK(cut(csv(1), {0}, "\"no end\nb\n") == Rows{"\"no end\nb\n -> \"no end\nb\n"});
  CHECK(cut(csv(1), {0}, "\"end\"") == Rows{"\"end\" -> end"});
}

TEST_CASE("a character that encloses and escapes") {
  rewriter::LoadFormat format = csv(2);
  format.escape = '"';
  CHECK(cut(format, {0, 1}, "\"fie\"\"ld1\",\"field2\"\n") == Rows{"\"fie\"\"ld1\",\"field2\"\n -> fie\"ld1 | field2"});
}

TEST_CASE("ends of several characters") {
  rewriter::LoadFormat format = fields(2);
  format.field_end = "||";
  format.line_end = "\r\n";
  CHECK(cut(format, {0, 1}, "a|b||c\rd\r\ne||f\r\n") == Rows{"a|b||c\rd\r\n -> a|b | c\rd", "e||f\r\n -> e | f"});
}

TEST_CASE("lines that are skipped") {
  rewriter::LoadFormat format = csv(1);
  format.skipped_lines = 2;
  CHECK(cut(format, {0}, "\"head\n-\"\n1\n") == Rows{"1\n -> 1"});
  CHECK(cut(format, {0}, "one").empty());
}

TEST_CASE("half a character where a server skips") {
  CHECK_THROWS_AS(cut(csv(1), {0}, "1,\xc3\n2\n"), values::SqlError);
  CHECK(cut(csv(1), {0}, "1,\xc3\xa9\n2\n") == Rows{"1,\xc3\xa9\n -> 1", "2\n -> 2"});
}

}  // namespace
}  // namespace anabranch::proxy::mysql
