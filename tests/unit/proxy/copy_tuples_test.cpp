#include "proxy/copy_tuples.h"

#include <doctest/doctest.h>

#include "values/sql_error.h"

using anabranch::proxy::CopyTuples;
using anabranch::rewriter::CopySplit;

namespace {

using namespace std::string_literals;

const std::string header = "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"s;

/// `COPY (VALUES (1::bigint, 'a'), (2, NULL)) TO STDOUT (FORMAT binary)`, as PostgreSQL 15 writes it.
const std::string two_rows = header + "\0\2\0\0\0\10\0\0\0\0\0\0\0\1\0\0\0\1a"s +
                             "\0\2\0\0\0\10\0\0\0\0\0\0\0\2\xff\xff\xff\xff"s + "\xff\xff"s;

CopySplit binary_copy(int key_field) {
  CopySplit copy;
  copy.format = CopySplit::Format::binary;
  copy.key.push_back({key_field, 20, std::nullopt, false, false});
  copy.field_count = 2;
  return copy;
}

struct Found {
  std::vector<std::string> rows;
  std::vector<std::string> keys;  ///< "~" for NULL, "?" where it could not be read
  std::string error;
  bool broken = false;
};

Found split(const CopySplit& copy, std::string_view data, std::size_t piece) {
  CopyTuples tuples(copy);
  Found found;
  std::vector<std::optional<std::string_view>> keys;
  const auto drain = [&] {
    while (const auto row = tuples.next()) {
      found.broken |= row->broken;
      if (row->header) continue;
      found.rows.emplace_back(row->bytes);
      found.keys.push_back(tuples.read_keys(*row, keys) ? std::string(keys[0].value_or("~")) : "?");
    }
  };
  try {
    for (std::size_t at = 0; at < data.size(); at += piece) {
      tuples.feed(data.substr(at, piece));
      drain();
    }
    tuples.finish();
    drain();
  } catch (const anabranch::values::SqlError& error) {
    found.error = error.sqlstate + " " + error.message;
  }
  return found;
}

}  // namespace

TEST_CASE("tuples are cut by their lengths, wherever pieces end") {
  for (std::size_t piece = 1; piece <= two_rows.size(); ++piece) {
    CAPTURE(piece);
    const Found found = split(binary_copy(0), two_rows, piece);
    CHECK(found.error.empty());
    CHECK_FALSE(found.broken);
    REQUIRE(found.rows.size() == 2);
    CHECK(found.rows[0] + found.rows[1] == two_rows.substr(19, two_rows.size() - 21));
    CHECK(found.keys[1] == "\0\0\0\0\0\0\0\2"s);
    CHECK(split(binary_copy(1), two_rows, piece).keys == std::vector<std::string>{"a", "~"});
  }
}

TEST_CASE("a stream may end without its trailer, and its header may have an extension") {
  CHECK(split(binary_copy(0), two_rows.substr(0, two_rows.size() - 2), 7).rows.size() == 2);
  CHECK(split(binary_copy(0), header, 5).rows.empty());
  const std::string extended = header.substr(0, 18) + "\3xyz" + two_rows.substr(19);
  for (std::size_t piece = 1; piece < 30; ++piece) CHECK(split(binary_copy(0), extended, piece).rows.size() == 2);
}

TEST_CASE("headers that no server takes") {
  const auto error = [](const std::string& data) { return split(binary_copy(0), data, 4).error; };
  CHECK(error("1\ta\n") == "22P04 COPY file signature not recognized");
  CHECK(error("") == "22P04 COPY file signature not recognized");
  CHECK(error(header.substr(0, 10)) == "22P04 COPY file signature not recognized");
  CHECK(error(header.substr(0, 13)) == "22P04 invalid COPY file header (missing flags)");
  CHECK(error(header.substr(0, 17)) == "22P04 invalid COPY file header (missing length)");
  CHECK(error(header.substr(0, 11) + "\0\1\0\0\0\0\0\0"s) == "22P04 invalid COPY file header (WITH OIDS)");
  CHECK(error(header.substr(0, 11) + "\0\2\0\0\0\0\0\0"s) == "22P04 unrecognized critical flags in COPY file header");
  CHECK(error(header.substr(0, 15) + "\xff\0\0\0"s) == "22P04 invalid COPY file header (missing length)");
  CHECK(error(header.substr(0, 15) + "\0\0\0\3xy"s) == "22P04 invalid COPY file header (wrong length)");
}

TEST_CASE("what is not a tuple is passed on to be complained of, and nothing after it") {
  const auto last = [](const std::string& data) {
    const Found found = split(binary_copy(0), header + data, 3);
    CHECK(found.broken);
    CHECK(found.keys.back() == "?");
    return found.rows.back();
  };
  CHECK(last("\0\3\0\0\0\1a\0\0"s) == "\0\3"s);
  CHECK(last("\0\2\xff\xff\xff\xfe\0\0"s) == "\0\2\xff\xff\xff\xfe"s);
  CHECK(last("\0\2\x7f\xff\xff\xff\0\0"s) == "\0\2\x7f\xff\xff\xff"s);
  CHECK(last("\0\2\0\0\0\10\0\0"s) == "\0\2\0\0\0\10\0\0"s);
  CHECK(last("\xff\xff\0\0"s) == "\xff\xff\0"s);
}
