#include "rewriter/shape.h"

#include <doctest/doctest.h>

#include <fstream>

#include "rewriter/lexer.h"
#include "values/sql_error.h"

using namespace anabranch::rewriter;
using anabranch::values::SqlError;

namespace {

Shape made(std::string_view text, bool standard_strings = true) {
  Shape out;
  shape(text, standard_strings, LexLimits{}, out);
  return out;
}

std::string kinds(const Shape& shape) {
  std::string out;
  for (const auto& literal : shape.literals()) out += "ibnsB"[static_cast<int>(literal.kind)];
  return out;
}

std::string failure(std::string_view text, LexLimits limits = {}) {
  Shape out;
  try {
    shape(text, true, limits, out);
  } catch (const SqlError& error) {
    return error.sqlstate;
  }
  return {};
}

std::string repeated(std::string_view piece, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += piece;
  return out;
}

/// The shape's text put together token by token.
std::string plain_shape(std::string_view text) {
  std::string out;
  std::size_t literal = 0;
  const Shape shape = made(text);
  Lexer lexer(text, true);
  for (Token token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
    if (token.space_before && !out.empty()) out += ' ';
    const bool taken_out = token.kind == Token::Kind::integer || token.kind == Token::Kind::real ||
                           token.kind == Token::Kind::string || token.kind == Token::Kind::bit_string;
    if (taken_out) {
      out += '?';
      out += static_cast<char>(1 + static_cast<int>(shape.literals().at(literal++).kind));
    } else {
      out += text.substr(token.offset, token.length);
    }
  }
  return out;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& span : split_statements(text))
    out.emplace_back(text.substr(span.offset, span.length));
  return out;
}

}  // namespace

TEST_CASE("literals are taken out, white space and comments folded") {
  const Shape a = made("select  a,\n1 -- x\n from /* y /* z */ */ t where b='x'");
  const Shape b = made("select a, 22 from t where b='it''s'");
  CHECK(a.text() == b.text());
  CHECK(a.hash() == b.hash());
  CHECK(a.text() == "select a, ?\x01 from t where b=?\x04");
  CHECK(a.spelling(0) == "1");
  CHECK(b.value(1, true) == "it's");
}

TEST_CASE("words and stretches that are read at once make the same shape") {
  std::ifstream file(std::string(ANABRANCH_SOURCE_DIR) + "/tests/unit/rewriter/corpus.sql");
  int read = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("--")) continue;
    CAPTURE(line);
    CHECK(made(line).text() == plain_shape(line));
    ++read;
  }
  CHECK(read > 300);
  for (const std::string_view text :
       {"  select   a\tb", "select a e'x' u&'y' n'z' u& b", "a b 'x' c  d", "a . b x", "select a", "select a b",
        "x /* y */ z -- w", "a b1$ _c \xC3\xA4 \"d e\" f", "1 a 2 b 3", "a 1 b", "b e", "b e'", "b u&", "a u&\"x\" b"}) {
    CAPTURE(text);
    const Shape shape = made(text);
    if (shape.lexed()) CHECK(shape.text() == plain_shape(text));
  }
  CHECK(made("a b e'x").lexed() == false);
  CHECK(made("select a e'x'").literals().size() == 1);
  // Words behind others count where they have a meaning.
  CHECK(failure("a b and x is y in z", {.operator_chain = 1}) == "54001");
  CHECK(failure("a b or x is y and z in w", {.operator_chain = 1}).empty());
  CHECK(failure("a b c d", {.tokens = 3}) == "54000");
  CHECK(failure("a b c d", {.tokens = 4}).empty());
}

TEST_CASE("the type class of a literal is part of the shape") {
  CHECK(kinds(made("1 2147483647 2147483648 9223372036854775807 9223372036854775808 1.5 .5 5. 1e5 "
                   "1.e-5 'x' b'01' X'f' "
                   "e'x' $$y$$ 0000000000001")) == "iibbnnnnnnsBBssi");
  CHECK(made("select 1").hash() != made("select 3000000000").hash());
  CHECK(made("select 1").hash() != made("select '1'").hash());
}

TEST_CASE("what a literal cannot be mistaken for") {
  CHECK(made("a1 a$1 t1.x x1e5").literals().empty());
  CHECK(made("select $1").literals().empty());
  CHECK(kinds(made("a-1")) == "i");
  CHECK(kinds(made("a[1..2]")) == "ii");
  CHECK(made("select \"a'b\", \"x\"\"1\"").literals().empty());
  // Placeholders hold a control byte, which no statement can hold outside quotes.
  CHECK(made("select ?\x01").hash() != made("select 5").hash());
  CHECK_FALSE(made("select ?\x01").lexed());
}

TEST_CASE("values are read as the server reads them") {
  CHECK(made("'a''b'").value(0, true) == "a'b");
  CHECK(made("'a\\nb'").value(0, true) == "a\\nb");
  CHECK(made("'a\\nb'", false).value(0, false) == "a\nb");
  CHECK(made("'a\\'b'", false).literals().size() == 1);
  CHECK(made(R"(E'a\tb\\\x41\101\u00e9\U0001F600\'')").value(0, true) ==
        "a\tb\\AA\u00e9\U0001F600'");
  CHECK(made(R"(E'\ud83d\ude00')").value(0, true) == "\U0001F600");
  CHECK(made("$q$a'$b$q$").value(0, true) == "a'$b");
  CHECK(made(R"(U&'d\0061t\+000061 \\')").value(0, true) == "data \\");
  CHECK(made("b'01'").value(0, true) == "b01");
  CHECK(made("X'1F'").value(0, true) == "x1F");
  CHECK(made("1e5").value(0, true) == "1e5");
}

TEST_CASE("strings go on after a line break, not after a blank") {
  const Shape continued = made("select 'a' -- c\n  'b'''");
  REQUIRE(continued.literals().size() == 1);
  CHECK(continued.value(0, true) == "ab'");
  CHECK(made("select 'a' 'b'").literals().size() == 2);
}

TEST_CASE("a statement that does not lex is kept whole") {
  for (const char* text : {"select 'a", "select \"a", "select $$a", "select /* a", "select 1a",
                           "select 1e", "select e'a\\'", "select $1a"}) {
    CAPTURE(text);
    const Shape shape = made(text);
    CHECK_FALSE(shape.lexed());
    CHECK(shape.literals().empty());
    CHECK(shape.text().ends_with(text));
  }
}

TEST_CASE("equal spellings are known") {
  CHECK(made("1, 2, 1, '1', 2").equal_to() == std::vector<int>{0, 1, 0, 3, 1});
  std::string many;
  for (int i = 0; i < 1000; ++i) many += std::to_string(i % 7) + ",";
  const Shape shape = made(many);
  for (int i = 0; i < 1000; ++i) CHECK(shape.equal_to()[static_cast<std::size_t>(i)] == i % 7);
}

TEST_CASE("a hint belongs to the shape") {
  const Shape hinted = made("/* anabranch: shard=2 */ select 1");
  CHECK(hinted.hint() == "shard=2");
  CHECK(hinted.hash() != made("select 1").hash());
  CHECK(made("/* other */ /*anabranch:x*/ select 1").hint() == "x");
  CHECK(made("select 1 /* anabranch: x */").hint().empty());
  CHECK(made("/* x */ select 1").hash() == made("select 1").hash());
}

TEST_CASE("a shape can be used again") {
  Shape out;
  shape("select 1, 'a'", true, {}, out);
  shape("select b", true, {}, out);
  CHECK(out.literals().empty());
  CHECK(out.hash() == made("select b").hash());
  CHECK(out.hint().empty());
}

TEST_CASE("bounds are checked before the parser sees a statement") {
  CHECK(failure("select 1", {.bytes = 4}) == "54000");
  CHECK(failure("select 1, 2, 3", {.tokens = 4}) == "54000");
  CHECK(failure("select " + repeated("(", 100'000) + "1" + repeated(")", 100'000)) == "54001");
  CHECK(failure("select " + repeated("(", 100'000)) == "54001");
  CHECK(failure("select " + repeated("[", 300)) == "54001");
  CHECK(failure("select " + repeated("case when ", 300)) == "54001");
  CHECK(failure("select 1" + repeated("+1", 5000)) == "54001");
  CHECK(failure("select " + repeated("- ", 5000) + "1") == "54001");
  CHECK(failure("select " + repeated("not ", 5000) + "a") == "54001");
  CHECK(failure("select a" + repeated("::int", 5000)) == "54001");
  CHECK(failure("select 1" + repeated(" union select 1", 5000)) == "54001");
  CHECK(failure("select * from t" + repeated(" natural join t", 5000)) == "54001");
  // Left-deep chains in left-deep chains add up.
  CHECK(failure("select " + repeated("(", 150) + "1" + repeated(repeated("+1", 100) + ")", 150)) ==
        "54001");
}

TEST_CASE("long but flat statements pass") {
  CHECK(failure("select 1 where " + repeated("a = 1 and b = 2 or ", 20'000) + "c") == "");
  CHECK(failure("insert into t values " + repeated("(-1, 'a' || 'b', 2 + 3), ", 20'000) +
                "(1, 'a', 2)") == "");
  CHECK(failure("select 1 where a in (1" + repeated(", 1", 100'000) + ")") == "");
  CHECK(failure("select " + repeated("(", 150) + "1" + repeated(")", 150)) == "");
  CHECK(failure("select " + repeated("case a when 1 then 2 end, ", 1000) + "1") == "");
}

TEST_CASE("statements are split at top-level semicolons") {
  CHECK(split("select 1; select 2") == std::vector<std::string>{"select 1", " select 2"});
  CHECK(split(";;select 1;; -- x\n;").size() == 1);
  CHECK(split("select ';', \";\", $$;$$ /* ; */ -- ;\n, 2") ==
        std::vector<std::string>{"select ';', \";\", $$;$$ /* ; */ -- ;\n, 2"});
  CHECK(split("").empty());
  CHECK(split(" /* x */ ").empty());
  CHECK(split("create rule r as on insert to t do also (select 1; select 2); select 3").size() ==
        2);
  CHECK(split("create function f() returns int begin atomic select 1; select 2; end; select 3")
            .size() == 2);
  CHECK(split("begin; select 1; commit").size() == 3);
  CHECK(split("select 'a; select 2").size() == 1);
  const std::string_view text = "/* anabranch: x */ select 1; select 2";
  CHECK(made(split(text)[0]).hint() == "x");
  CHECK(split_statements(R"(select '\'; select 2'; select 3)", false).size() == 2);
}
