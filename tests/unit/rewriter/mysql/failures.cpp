#include "support_mysql.h"

using namespace anabranch::rewriter;
using namespace anabranch::rewriter::mysql::testing;
using anabranch::rewriter::mysql::Mode;

TEST_CASE("what is no MySQL statement fails where reading ended") {
  // Reading ends at the ^, which is taken out, or at what follows its blank.
  static constexpr const char* cases[] = {
      "^selec 1",
      "^foo",
      "SELECT ^",
      "SELECT ^FROM t",
      "SELECT a, ^FROM t",
      "SELECT a b ^c FROM t",
      "SELECT a FROM ^",
      "SELECT a FROM t t2 ^t3",
      "SELECT a FROM t WHERE ^",
      "SELECT a FROM t WHERE a = ^",
      "SELECT a FROM t WHERE a ^b",
      "SELECT (a ^FROM t",
      "SELECT a^) FROM t",
      "SELECT a + ^* b",
      "SELECT a IN ^b",
      "SELECT a IN (^)",
      "SELECT a BETWEEN 1 ^OR 2",
      "SELECT a IS ^5",
      "SELECT a NOT ^5",
      "SELECT CASE END^",
      "SELECT CASE WHEN 1 ^END",
      "SELECT CASE WHEN 1 THEN 2 ^FROM t",
      "SELECT CAST(a ^, CHAR)",
      "SELECT CAST(a AS ^foo)",
      "SELECT COUNT^ (*) FROM t",
      "SELECT `count`^(a) FROM t",
      "SELECT EXTRACT(^foo FROM d)",
      "SELECT d + INTERVAL 1 ^foo",
      "SELECT INTERVAL 1 DAY^",
      "SELECT INTERVAL 1 DAY ^- d",
      "SELECT TRIM(LEADING 'x' ^)",
      "SELECT f(a^ b)",
      "SELECT f(a,^)",
      "SELECT SUM(a) OVER ^5",
      "SELECT SUM(a) OVER (^PARTITION b)",
      "SELECT @@^",
      "SELECT a FROM t JOIN ^",
      "SELECT a FROM t LEFT JOIN u^",
      "SELECT a FROM t LEFT JOIN u ^WHERE 1",
      "SELECT a FROM t NATURAL ^u",
      "SELECT a FROM t AS x ^FULL JOIN u USING (id)",
      "SELECT a FROM t JOIN u USING (id^",
      "SELECT a FROM (SELECT 1^",
      "SELECT a FROM t ^GROUP a",
      "SELECT a FROM t GROUP BY ^",
      "SELECT a FROM t ORDER BY a ^b",
      "SELECT a FROM t LIMIT ^'x'",
      "SELECT a FROM t LIMIT 1, ^",
      "SELECT a FROM t LIMIT ^-1",
      "SELECT a FROM t LIMIT 1 ^UNION SELECT 2",
      "SELECT a FROM t ^FOR DELETE",
      "SELECT 1 UNION ^",
      "SELECT a^::int",
      "SELECT a FROM t WHERE a ^ILIKE 'x'",
      "SELECT ^[a]",
      "SELECT ^'abc",
      "WITH x ^SELECT 1",
      "WITH x AS (^) SELECT 1",
      "WITH x AS (SELECT 1) ^FROM t",
      "INSERT t ^",
      "INSERT INTO ^VALUES (1)",
      "INSERT INTO t (a^ b) VALUES (1)",
      "INSERT INTO t VALUES ^1",
      "INSERT INTO t VALUES (1) ^ON DUPLICATE KEY a = 1",
      "INSERT INTO t SET a ^5",
      "REPLACE INTO t VALUES (1) ^ON DUPLICATE KEY UPDATE a = 1",
      "UPDATE t a ^= 1",
      "UPDATE t SET ^",
      "UPDATE t SET a = ^WHERE 1",
      "UPDATE ^SET a = 1",
      "DELETE ^WHERE 1",
      "DELETE FROM t ^SET a = 1",
      "DELETE t ^WHERE 1",
      "DELETE FROM t, u ^WHERE 1",
      "^START",
      "COMMIT ^5",
      "SAVEPOINT ^",
      "SET ^",
      "SET a ^5",
      "SET TRANSACTION ^foo",
      "USE ^",
      "SHOW ^",
      "LOCK TABLES t ^",
      "CALL ^5",
      "CREATE ^foo",
      "CREATE TABLE ^",
      "CREATE TABLE n (^)",
      "DROP ^foo",
      "DROP TABLE ^",
      "ALTER TABLE ^",
      "RENAME TABLE t ^u",
      "TRUNCATE ^",
      "PREPARE s ^'x'",
      "LOAD DATA ^t",
  };
  CHECK(std::size(cases) >= 60);
  for (const char* marked : cases) {
    std::string text = marked;
    CAPTURE(text);
    const std::size_t mark = text.find('^');
    text.erase(mark, 1);
    const int position = failure(text);
    std::size_t expected = mark;
    while (expected < text.size() && text[expected] == ' ') ++expected;
    CHECK(position == static_cast<int>(expected) + 1);
  }
}

TEST_CASE("a MySQL syntax error says where") {
  Shape made;
  const std::string text = "SELECT 1\nFROM t WHERE a b";
  mysql::shape(text, {}, LexLimits{}, made);
  const auto result = mysql::parse(text, made, {});
  const auto* error = std::get_if<SyntaxError>(&result);
  REQUIRE(error);
  CHECK(error->message == "You have an error in your SQL syntax near 'b' at line 2");
  CHECK(error->position == 25);
}
