#include "router/key_expression.h"

#include <doctest/doctest.h>

#include "router/hash.h"

using namespace anabranch::router;
namespace conf = anabranch::conf;

namespace {

KeyExpression parsed(std::string_view text) {
  auto expression = KeyExpression::parse(text);
  REQUIRE_MESSAGE(expression.has_value(), text);
  return *expression;
}

std::string evaluated(std::string_view text, KeyType type, const std::string& value) {
  const KeyExpression expression = parsed(text);
  const std::vector<KeyType> types(expression.columns().size(), type);
  const auto result_type = expression.type(types);
  if (!result_type) return "type: " + result_type.error().message;
  const KeyValue key = value == "\\N" ? KeyValue::null() : *conf::parse_key(type, value);
  const std::vector<KeyValue> values(types.size(), key);
  const auto result = expression.evaluate(types, values);
  return result ? conf::to_text(*result_type, *result) : "none";
}

std::string failure(std::string_view text) {
  const auto expression = KeyExpression::parse(text);
  REQUIRE_MESSAGE(!expression.has_value(), text);
  return std::to_string(expression.error().offset) + ": " + expression.error().message;
}

}  // namespace

TEST_CASE("arithmetic") {
  CHECK(evaluated("a + 2 * 3", KeyType::bigint, "1") == "7");
  CHECK(evaluated("(a + 2) * 3", KeyType::bigint, "1") == "9");
  CHECK(evaluated("a - 2 - 3", KeyType::bigint, "10") == "5");
  CHECK(evaluated("a-2", KeyType::bigint, "10") == "8");
  CHECK(evaluated("a / 2", KeyType::bigint, "-7") == "-3");
  CHECK(evaluated("a % 4", KeyType::bigint, "-7") == "-3");
  CHECK(evaluated("a * -2", KeyType::bigint, "5") == "-10");
  CHECK(evaluated("a + a", KeyType::bigint, "5") == "10");
  CHECK(evaluated("a", KeyType::bigint, "\\N") == "\\N");
}

TEST_CASE("what cannot be computed has no key") {
  CHECK(evaluated("a / 0", KeyType::bigint, "1") == "none");
  CHECK(evaluated("a % 0", KeyType::bigint, "1") == "none");
  CHECK(evaluated("a + 1", KeyType::bigint, "9223372036854775807") == "none");
  CHECK(evaluated("a / -1", KeyType::bigint, "-9223372036854775808") == "none");
  CHECK(evaluated("a % -1", KeyType::bigint, "-9223372036854775808") == "0");
  CHECK(evaluated("toYear(a)", KeyType::date, "infinity") == "none");
  CHECK(evaluated("lower(a)", KeyType::text, "Grüße") == "none");
}

TEST_CASE("dates") {
  CHECK(evaluated("toYYYYMM(d)", KeyType::date, "2024-02-29") == "202402");
  CHECK(evaluated("toYYYYMMDD(d)", KeyType::date, "2024-02-29") == "20240229");
  CHECK(evaluated("toYear(d)", KeyType::timestamp, "1969-12-31 23:59:59.9") == "1969");
  CHECK(evaluated("toMonday(d)", KeyType::date, "2024-02-29") == "2024-02-26");
  CHECK(evaluated("toMonday(d)", KeyType::date, "2024-02-26") == "2024-02-26");
  CHECK(evaluated("toMonday(d)", KeyType::timestamp, "1969-12-28 12:00:00") == "1969-12-22");
  CHECK(evaluated("toYYYYMM(d)", KeyType::timestamp, "0001-01-01 00:00:00") == "101");
}

TEST_CASE("texts and hashes") {
  CHECK(evaluated("lower(t)", KeyType::text, "ABC-xyz") == "abc-xyz");
  CHECK(evaluated("left(t, 2)", KeyType::text, "Grüße") == "Gr");
  CHECK(evaluated("left(t, 3)", KeyType::text, "Grüße") == "Grü");
  CHECK(evaluated("left(t, 0)", KeyType::text, "abc") == "");
  CHECK(evaluated("left(t, 9)", KeyType::text, "abc") == "abc");
  CHECK(evaluated("crc32(t)", KeyType::text, "123456789") == "3421780262");
  CHECK(evaluated("crc32(t) % 10", KeyType::text, "123456789") == "2");
  CHECK(evaluated("intHash64(a)", KeyType::bigint, "0") == "4761183170873013810");
  CHECK(evaluated("xxh64(t)", KeyType::text, "abc") ==
        std::to_string(static_cast<std::int64_t>(xxh64("abc"))));
}

TEST_CASE("types are checked") {
  CHECK(evaluated("toYear(a)", KeyType::bigint, "1") ==
        "type: an argument of type bigint does not fit here");
  CHECK(evaluated("a + 1", KeyType::text, "1") ==
        "type: an argument of type text does not fit here");
  CHECK(evaluated("intHash64(a)", KeyType::text, "1").starts_with("type: "));
  CHECK(parsed("toMonday(a)").result_type() == KeyType::date);
  CHECK(parsed("lower(a)").result_type() == KeyType::text);
  CHECK(!parsed("a").result_type());
}

TEST_CASE("columns") {
  CHECK(parsed("a + b * a").columns() == std::vector<std::string>{"a", "b"});
  CHECK(parsed("toYear(\"Created \"\"At\"\"\")").columns() ==
        std::vector<std::string>{"Created \"At\""});
}

TEST_CASE("monotone") {
  CHECK(parsed("a").monotone() == 1);
  CHECK(parsed("toYYYYMM(a)").monotone() == 1);
  CHECK(parsed("toYYYYMM(a) * 10 + 1").monotone() == 1);
  CHECK(parsed("a / 100").monotone() == 1);
  CHECK(parsed("a / -100").monotone() == -1);
  CHECK(parsed("10 - a").monotone() == -1);
  CHECK(parsed("-3 * a").monotone() == -1);
  CHECK(parsed("10 / a").monotone() == 0);
  CHECK(parsed("a % 10").monotone() == 0);
  CHECK(parsed("a - a").monotone() == 0);
  CHECK(parsed("a + b").monotone() == 0);
  CHECK(parsed("intHash64(a)").monotone() == 0);
  CHECK(parsed("lower(a)").monotone() == 0);
  CHECK(parsed("a * 0").monotone() == 0);
}

TEST_CASE("monotone expressions are so on values") {
  for (const char* text : {"a / 7", "a / -7", "3 - a", "a * 5 / 3 - 1"}) {
    const KeyExpression expression = parsed(text);
    const std::vector<KeyType> types{KeyType::bigint};
    std::optional<std::int64_t> before;
    for (int value = -50; value <= 50; ++value) {
      const std::vector<KeyValue> values{KeyValue::of(value)};
      const std::int64_t now = expression.evaluate(types, values)->integer * expression.monotone();
      if (before) CHECK(now >= *before);
      before = now;
    }
  }
}

TEST_CASE("what does not parse says where") {
  CHECK(failure("toYear(a").starts_with("8: expected"));
  CHECK(failure("substring(a, 1)").starts_with("0: unknown function `substring`"));
  CHECK(failure("a +") == "3: expected a column, a number or a function");
  CHECK(failure("a b") == "2: expected an operator or the end");
  CHECK(failure("1.5 * a") == "0: expected an integer");
  CHECK(failure("99999999999999999999 + a") == "0: expected an integer");
  CHECK(failure("left(a, b)") == "8: left takes a constant number of characters, 0 or more");
  CHECK(failure("1 + 2") == "0: expected at least one column");
  CHECK(failure("").starts_with("0: expected"));
  CHECK(failure(std::string(5000, '(')).find("too long") != std::string::npos);
  CHECK(failure(std::string(1000, '(')).find("too deeply") != std::string::npos);
  std::string chain = "a";
  for (int i = 0; i < 500; ++i) chain += "+1";
  CHECK(failure(chain).find("too many operators") != std::string::npos);
}
