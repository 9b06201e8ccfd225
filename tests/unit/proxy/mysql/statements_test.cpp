#include "proxy/mysql/statements.h"

#include <doctest/doctest.h>

#include "proxy/mysql/variables.h"

using namespace anabranch::proxy::mysql;
using anabranch::rewriter::mysql::Mode;

namespace {

using Texts = std::vector<std::string_view>;

Texts split(std::string_view text) {
  return split_statements(text, Mode());
}

}  // namespace

TEST_CASE("a text is cut at semicolons") {
  CHECK(split("SELECT 1") == Texts{"SELECT 1"});
  CHECK(split("SELECT 1;") == Texts{"SELECT 1"});
  CHECK(split("SELECT 1; SELECT 2 ;\n") == Texts{"SELECT 1", " SELECT 2 "});
  CHECK(split("SELECT ';', \";\", `;` /* ; */ -- ;\n; DO 0") ==
        Texts{"SELECT ';', \";\", `;` /* ; */ -- ;\n", " DO 0"});
  CHECK(split("SELECT 'it''s;', 'a\\';' ; DO 0") == Texts{"SELECT 'it''s;', 'a\\';' ", " DO 0"});
  CHECK(split("").empty());
  CHECK(split(" -- nothing").empty());
  CHECK(split("DO 0; -- nothing") == Texts{"DO 0", " -- nothing"});
  // What cannot be read is the server's to say something about.
  CHECK(split("SELECT 1; SELECT 'open") == Texts{"SELECT 1", " SELECT 'open"});
}

TEST_CASE("a stored program's definition is one statement") {
  const std::string_view program = "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END";
  CHECK(split(program) == Texts{program});
  const std::string_view trigger = "CREATE OR REPLACE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET @x = 1; END; DO 0";
  CHECK(split(trigger) == Texts{trigger});
  CHECK(split("CREATE TABLE a (b INT); DO 0") == Texts{"CREATE TABLE a (b INT)", " DO 0"});
}

TEST_CASE("user variables of a statement") {
  const auto use = [](std::string_view text) { return variables_of(text, Mode()); };
  CHECK(use("SELECT 1").names.empty());
  CHECK(use("SELECT '@a', @@sql_mode").names.empty());
  CHECK(use("SELECT @a, @A, @`b c`, @'d'").names == std::vector<std::string>{"a", "b c", "d"});
  CHECK_FALSE(use("SELECT @a FROM t WHERE b = @b").assigns);
  CHECK(use("SELECT @a := 1").assigns);
  CHECK(use("SELECT b INTO @a FROM t").assigns);
  CHECK(use("INSERT INTO t VALUES (@a)").assigns);
  CHECK_FALSE(use("INSERT INTO t VALUES (1)").assigns);
}
