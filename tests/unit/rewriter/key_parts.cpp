#include "rewriter/key_parts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "conf/load.h"
#include "rewriter/key_binding.h"
#include "router/composite_key.h"

/// Conditions on a key of three columns, held against every row there may be.
namespace anabranch::rewriter {
namespace {

using Kind = KeyCondition::Kind;
using conf::KeyType;
using conf::KeyValue;

const std::vector<KeyType> types{KeyType::bigint, KeyType::text, KeyType::bigint};
const std::vector<std::vector<std::string>> domain{{"", "1", "2", "3"}, {"", "x", "y", "z"}, {"", "7", "8"}};  // "": NULL
using Row = std::vector<std::string>;

std::shared_ptr<const router::ShardMap> map_of_a_list() {
  const conf::Loaded loaded = conf::load_text(
      "listen: {postgres: 127.0.0.1:6432}\n"
      "users: [{name: app, password: secret}]\n"
      "databases:\n"
      "  shop:\n"
      "    backend: {user: app}\n"
      "    shards: {s1: {primary: 10.0.0.1:5432}, s2: {primary: 10.0.0.2:5432}, s3: {primary: 10.0.0.3:5432},\n"
      "      s4: {primary: 10.0.0.4:5432}, s5: {primary: 10.0.0.5:5432}, s6: {primary: 10.0.0.6:5432}}\n"
      "    default_shard: s1\n"
      "    schemes: {by_three: {type: [bigint, text, bigint], hash: xxh64, strategy: modulo}}\n"
      "    tables: {t: {scheme: by_three, key: [a, b, c]}}\n",
      "test.yaml");
  REQUIRE(loaded.config != nullptr);
  std::vector<conf::Diagnostic> diagnostics;
  return router::ShardMap::build(loaded.config->databases.front(), "test.yaml", diagnostics);
}

KeyOperand operand(std::size_t part, const std::string& text) {
  KeyOperand made;
  made.column_type = types[part] == KeyType::text ? values::oid::text : values::oid::int8;
  made.value.text = text;
  if (text.empty()) made.value.from = ValueRef::From::is_null;
  return made;
}

KeyCondition leaf(Kind kind, std::size_t part, const std::string& text) {
  KeyCondition made;
  made.kind = kind;
  made.table = 0;
  made.operands.push_back(operand(part, text));
  return of_part(std::move(made), part, types.size());
}

KeyCondition anything() {
  KeyCondition made;
  made.table = 0;
  return made;
}

class Conditions {
 public:
  explicit Conditions(std::uint64_t seed) : random_(seed) {}

  KeyCondition next(int depth) {
    if (depth > 0 && below(3) > 0) {
      KeyCondition made;
      made.kind = below(2) == 0 ? Kind::all_of : Kind::any_of;
      for (std::size_t i = below(3) + 2; i > 0; --i) made.parts.push_back(next(depth - 1));
      return made;
    }
    const std::size_t part = below(types.size());
    switch (below(12)) {
      case 0:
        return anything();
      case 1:
      case 2:
        return leaf(Kind::is_null, part, "");
      case 3:
      case 4:
        return leaf(Kind::any_element, part, array(part));
      default:
        return leaf(Kind::equals, part, domain[part][below(domain[part].size())]);
    }
  }

 private:
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  std::string array(std::size_t part) {
    std::string text = "{";
    for (std::size_t i = below(3) + 1; i > 0; --i) {
      const std::string& value = domain[part][below(domain[part].size())];
      text += (text.size() > 1 ? "," : "") + (value.empty() ? "NULL" : value);
    }
    return text + "}";
  }

  std::mt19937_64 random_;
};

/// What SQL says of the row: true or not.
bool holds(const KeyCondition& condition, const Row& row) {
  const auto of_row = [&](const KeyCondition& part) { return holds(part, row); };
  if (condition.kind == Kind::all_of) return std::ranges::all_of(condition.parts, of_row);
  if (condition.kind == Kind::any_of) return std::ranges::any_of(condition.parts, of_row);
  if (condition.kind == Kind::anything) return true;
  std::size_t part = 0;
  while (condition.operands[part].value.from == ValueRef::From::absent) ++part;
  const std::string& text = condition.operands[part].value.text;
  if (condition.kind == Kind::is_null) return row[part].empty();
  if (row[part].empty()) return false;
  if (condition.kind == Kind::equals) return row[part] == text;
  return ("," + text.substr(1, text.size() - 2) + ",").find("," + row[part] + ",") != std::string::npos;
}

std::uint32_t shard_of(const router::ShardMap& map, const Row& row) {
  std::vector<KeyValue> parts;
  for (std::size_t i = 0; i < row.size(); ++i) {
    parts.push_back(row[i].empty() ? KeyValue::null() : *conf::parse_key(types[i], row[i]));
  }
  return map.place(0, router::composite_key(types, parts))->shard;
}

router::ShardSet shards_of_rows(const router::ShardMap& map, const KeyCondition& condition) {
  router::ShardSet shards;
  for (const std::string& a : domain[0]) {
    for (const std::string& b : domain[1]) {
      for (const std::string& c : domain[2]) {
        if (holds(condition, {a, b, c})) shards.add(shard_of(map, {a, b, c}));
      }
    }
  }
  return shards;
}

}  // namespace

TEST_CASE("key parts: no row that satisfies a condition is on a shard that is not asked") {
  const auto map = map_of_a_list();
  BindRequest request;
  request.map = map.get();
  Conditions conditions(20241124);
  int exact = 0;
  int limited = 0;
  for (int i = 0; i < 20'000; ++i) {
    const KeyCondition condition = conditions.next(3);
    const router::ShardSet asked = shards_of(condition, request);
    const router::ShardSet needed = shards_of_rows(*map, condition);
    REQUIRE_EQ(asked | needed, asked);
    exact += asked == needed ? 1 : 0;
    // What is limited everywhere asks no shard in vain.
    if (!limits_every_part(condition, types.size())) continue;
    ++limited;
    CHECK_EQ(asked, needed);
  }
  CHECK_GT(limited, 1'000);
  CHECK_GT(exact, limited);
}

TEST_CASE("key parts: a key about to be stored has a place, whatever of it is NULL") {
  const auto map = map_of_a_list();
  BindRequest request;
  request.map = map.get();
  for (const Row& row : {Row{"1", "x", "7"}, Row{"", "x", "7"}, Row{"2", "", ""}, Row{"", "", ""}}) {
    std::vector<KeyOperand> key;
    for (std::size_t i = 0; i < row.size(); ++i) key.push_back(operand(i, row[i]));
    CHECK_EQ(shard_of_stored(0, key, request), shard_of(*map, row));
  }
}

TEST_CASE("key parts: more keys than can be named ask every shard") {
  const auto map = map_of_a_list();
  BindRequest request;
  request.map = map.get();
  std::string numbers = "{0";
  for (int i = 1; i < 5'000; ++i) numbers += "," + std::to_string(i);
  KeyCondition condition;
  condition.kind = Kind::all_of;
  condition.parts = {leaf(Kind::any_element, 0, numbers + "}"), leaf(Kind::equals, 1, "x"), leaf(Kind::equals, 2, "7")};
  CHECK_EQ(shards_of(condition, request), map->all_shards());
}

}  // namespace anabranch::rewriter
