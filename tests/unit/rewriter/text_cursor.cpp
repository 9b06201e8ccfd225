#include "rewriter/text_cursor.h"

#include <doctest/doctest.h>

namespace anabranch::rewriter {

TEST_CASE("text cursor: the words before a statement") {
  const std::string_view text = " /* a /* b */ */ PREPARE -- c\n \"the \"\"name\" (int, varchar(3)) as x";
  TextCursor cursor(text);
  cursor.skip_blanks();
  CHECK_FALSE(cursor.skip_word("prep"));
  CHECK(cursor.skip_word("prepare"));
  CHECK(cursor.skip_name());
  CHECK(cursor.skip_parentheses());
  CHECK_EQ(text.substr(cursor.at()), "as x");
  CHECK_FALSE(cursor.skip_parentheses());
  CHECK(cursor.skip_word("as"));
  CHECK(cursor.skip_name());
  CHECK(cursor.done());
  CHECK_FALSE(cursor.skip_name());
  CHECK_FALSE(cursor.skip_word("x"));
}

TEST_CASE("text cursor: what does not end") {
  for (const std::string_view text : {"/* x", "\"x", "U&\"x", "(x", "('", "-- x", ""}) {
    TextCursor cursor(text);
    cursor.skip_blanks();
    (void)cursor.skip_parentheses();
    (void)cursor.skip_name();
    CHECK_MESSAGE(cursor.at() <= text.size(), text);
  }
}

}  // namespace anabranch::rewriter
