#include "support_mysql.h"
#include "values/sql_error.h"

using namespace anabranch::rewriter;
using namespace anabranch::rewriter::mysql::testing;
using anabranch::rewriter::mysql::Mode;
using anabranch::values::SqlError;

namespace {

Shape made(std::string_view text, const Mode& mode = {}) {
  Shape out;
  mysql::shape(text, mode, LexLimits{}, out);
  return out;
}

std::vector<std::string> literals(std::string_view text, const Mode& mode = {}) {
  const Shape shape = made(text, mode);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < shape.literals().size(); ++i)
    out.emplace_back(shape.spelling(static_cast<int>(i)));
  return out;
}

bool alike(std::string_view a, std::string_view b) {
  return made(a).text() == made(b).text();
}

std::vector<int> baked(std::string_view text) {
  Shape shape;
  return parse_all(text, shape).at(0)->baked;
}

std::string failure_of(std::string_view text) {
  try {
    made(text);
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

}  // namespace

TEST_CASE("MySQL's literals are taken out of a shape") {
  using List = std::vector<std::string>;
  CHECK(literals("select 1, 'a', \"b\", 1.5, 1e3, 0x1F, b'01', x'41', N'n', _utf8'c'") ==
        List{"1", "'a'", "\"b\"", "1.5", "1e3", "0x1F", "b'01'", "x'41'", "'n'", "'c'"});
  CHECK(literals("select 'a' 'b' /* c */ \"d\", 'e'") == List{"'a' 'b' /* c */ \"d\"", "'e'"});
  CHECK(literals("select \"b\", 'c'", Mode{.ansi_quotes = true}) == List{"'c'"});
  CHECK(literals(R"(select 'a\'b', 'c')") == List{R"('a\'b')", "'c'"});
  CHECK(literals(R"(select 'a\', 'c')", Mode{.no_backslash_escapes = true}) ==
        List{R"('a\')", "'c'"});
  CHECK(literals("select 1a, t.1b, 0xzz, @a1 from 2c").empty());
  CHECK(literals("select 1 -- 2\n, 3 # 4\n, 5 /* 6 */, 7--1") == List{"1", "3", "5", "7", "1"});
  CHECK(literals("select /*!50000 1, */ 2 /*!99999 , 3 */ /*M!100000 , 4 */") ==
        List{"1", "2", "4"});
  CHECK(literals("select /*!50799 1, */ 2") == List{"2"});
  CHECK(literals("select /*!50799 1, */ 2", Mode{.mariadb = false, .version = 80036}) ==
        List{"1", "2"});
}

TEST_CASE("shapes of MySQL statements are alike when only literals of one type class differ") {
  CHECK(alike("select a from t where a = 1", "select a from t where a = 2"));
  CHECK(!alike("select 1", "select 3000000000"));
  CHECK(!alike("select 1", "select '1'"));
  CHECK(!alike("select 1.5", "select 1.5e0"));
  CHECK(!alike("select 1.5", "select 18446744073709551615"));
  CHECK(!alike("select ?", "select 1"));
  // The text of a column without an alias is its name.
  CHECK(!alike("select a+1", "select a + 1"));
  CHECK(!alike("select a  + 1", "select a + 1"));
  CHECK(!alike("select a /* x */ + 1", "select a /* y */ + 1"));
  CHECK(alike("  select 1 /* x */ ", "/* y */ select 1"));
}

TEST_CASE("literals in the names of MySQL's columns belong to the cache key") {
  using List = std::vector<int>;
  CHECK(baked("select a + 1 from t where b = 2") == List{0});
  CHECK(baked("select a + 1 as x from t where b = 2").empty());
  CHECK(baked("select x.n from (select a, 5 from t limit 3) x") == List{0});
  CHECK(baked("select 1 as a union select 2").empty());
  CHECK(baked("select a from t where a in (select b + 1 from u)").empty());
  CHECK(baked("insert into t (a) values (1) returning a + 2") == List{1});
  CHECK(baked("insert into t (a) select 1").empty());
  CHECK(baked("select cast(a as char(10)) as c, current_timestamp(3) as n") == List{0, 1});
  CHECK(baked("set @a = 1") == List{0});
}

TEST_CASE("MySQL statements are bounded before they are parsed") {
  CHECK(failure_of("select " + repeated("(", 300) + "1" + repeated(")", 300)) == "54001");
  CHECK(failure_of("select 1" + repeated(" + 1", 3000)) == "54001");
  CHECK(failure_of("select " + repeated("- ", 3000) + "1") == "54001");
  CHECK(failure_of("select " + repeated("! ", 3000) + "1") == "54001");
  CHECK(failure_of("select " + repeated("binary ", 3000) + "a") == "54001");
  CHECK(failure_of("select 1" + repeated(" xor 1", 3000)) == "54001");
  CHECK(failure_of("select 1" + repeated(" div 1", 3000)) == "54001");
  CHECK(failure_of("select * from t" + repeated(" straight_join t", 3000)) == "54001");
  CHECK(failure_of("select " + repeated("not ", 3000) + "1") == "54001");
  CHECK(failure_of("select " + repeated("case when 1 then ", 300) + "1") == "54001");
  CHECK(failure_of("select 1" + repeated(" and 1", 3000)).empty());
}

// The test's own stack is 8 MiB, a loop's is eight times that.
TEST_CASE("what is nested as deeply as may be is read, or refused as too deep") {
  const std::string cases[] = {
      "select " + repeated("(", 190) + "1" + repeated(")", 190),
      "select " + repeated("(select ", 190) + "1" + repeated(")", 190),
      "select * from " + repeated("(select * from ", 190) + "t" + repeated(") x", 190),
      "select * from " + repeated("(t join ", 190) + "t" + repeated(")", 190),
      "select " + repeated("case when 1 then ", 190) + "1" + repeated(" end", 190),
      "select " + repeated("f(", 190) + "1" + repeated(")", 190),
      "select " + repeated("- ", 1400) + "1",
      "select " + repeated("not ", 1400) + "1",
      "select " + repeated("binary ", 1400) + "a",
      "select " + repeated("@a := ", 1400) + "1",
      "select " + repeated("a between ", 700) + "1" + repeated(" and 1", 700),
      "select " + repeated("interval 1 day + ", 700) + "d",
      "select " + repeated("{fn ", 300) + "1" + repeated("}", 300),
      "select 1" + repeated(" + 1", 1400),
      "select 1" + repeated(" xor 1", 1400),
      "select 1" + repeated(" union select 1", 1400),
      "select * from t" + repeated(" join t", 1400),
  };
  for (const std::string& text : cases) {
    std::string state = "refused";
    try {
      if (!round_trip(text).empty()) state = "read";
    } catch (const SqlError& error) {
      if (error.sqlstate != "54001") state = error.sqlstate;
    }
    const std::string start = text.substr(0, 40);
    CAPTURE(start);
    CHECK((state == "read" || state == "refused"));
  }
}

TEST_CASE("what does not lex has no literals") {
  for (const char* text : {"select 'a", "select `a", "select /* a", "select /*!50000 1",
                           "select x'4'", "select \x01", "select 1.5ex"})
    CHECK_MESSAGE(!made(text).lexed(), text);
}
