#include "values/key.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

#include "recorded.h"
#include "values/array.h"
#include "values/errors.h"

namespace anabranch::values {
namespace {

using test::Fields;
using test::hex;
using test::recorded;
using test::unhex;

constexpr Oid kMood = 90001;
constexpr Oid kMoods = 90002;

struct Recorded {
  std::string type;
  ColumnType column;
  std::string collation;
  long rank;
  std::string text;
  std::string binary;
};

std::string unescape(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      out.push_back(text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i]);
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

ColumnType column_of(const std::string& type, const std::string& recorded_oid) {
  static const auto mood =
      std::make_shared<EnumType>(EnumType{kMood, "mood", {"sad", "ok", "happy", "Ecstatic", "a"}});
  if (type == "pg_temp.mood") return {kMood, -1, mood};
  if (type == "pg_temp.mood[]") return {kMoods, -1, mood};
  return {static_cast<Oid>(std::stoul(recorded_oid)), -1, nullptr};
}

/// All recorded values, by type and collation, in the server's order.
std::map<std::string, std::vector<Recorded>> order_groups() {
  std::map<std::string, std::vector<Recorded>> groups;
  for (const Fields& row : recorded("order.tsv")) {
    groups[row[0] + "/" + row[2]].push_back({row[0], column_of(row[0], row[1]), row[2],
                                             std::stol(row[3]), unescape(row[4]), unhex(row[5])});
  }
  return groups;
}

/// The collation as the server that was recorded describes it.
Collation collation_of(const std::string& name) {
  for (const Fields& row : recorded("server.tsv")) {
    if (row[0] == name) return Collation::from_server(row[1][0], row[2], row[3], true);
  }
  return Collation::c();
}

KeyEncoder encoder(const Recorded& sample, Format format, bool descending = false,
                   bool nulls_first = false) {
  auto made = KeyEncoder::make(
      {sample.column, format, collation_of(sample.collation), descending, nulls_first});
  REQUIRE_MESSAGE(made.has_value(), sample.type, made ? "" : made.error());
  return *made;
}

std::string key(const KeyEncoder& encoder, std::optional<std::string_view> value) {
  std::string out;
  encoder.append(value, out);
  return out;
}

bool text_is_canonical(const Recorded& sample) {
  const TypeInfo* type = find_type(sample.column.oid);
  return type == nullptr || type->text_is_canonical;
}

/// This process's ICU is not the recorded server's: its order proves nothing here.
bool other_icu(const Recorded& sample) {
  return !collation_of(sample.collation).can_order();
}

void check_order(const std::vector<Recorded>& values, Format format, bool descending) {
  const KeyEncoder encode = encoder(values.front(), format, descending);
  for (size_t i = 1; i < values.size(); ++i) {
    const Recorded& left = values[i - 1];
    const Recorded& right = values[i];
    INFO(left.type, "/", left.collation, ": ", left.text, " and ", right.text);
    const std::string left_key = key(encode, format == Format::text ? left.text : left.binary);
    const std::string right_key = key(encode, format == Format::text ? right.text : right.binary);
    if (left.rank == right.rank) {
      CHECK(hex(left_key) == hex(right_key));
    } else if (descending) {
      CHECK(hex(left_key) > hex(right_key));
    } else {
      CHECK(hex(left_key) < hex(right_key));
    }
  }
}

TEST_CASE("key: bytes have the server's order and equality, in both formats and directions") {
  const auto groups = order_groups();
  REQUIRE(groups.size() > 30);
  for (const auto& [name, values] : groups) {
    if (other_icu(values.front())) continue;
    for (const bool descending : {false, true}) {
      check_order(values, Format::binary, descending);
      if (text_is_canonical(values.front())) check_order(values, Format::text, descending);
    }
  }
}

TEST_CASE("key: text and binary give the same bytes") {
  for (const auto& [name, values] : order_groups()) {
    if (!text_is_canonical(values.front()) || other_icu(values.front())) continue;
    const KeyEncoder text = encoder(values.front(), Format::text);
    const KeyEncoder binary = encoder(values.front(), Format::binary);
    for (const Recorded& value : values) {
      INFO(name, ": ", value.text);
      CHECK(hex(key(text, value.text)) == hex(key(binary, value.binary)));
    }
  }
}

TEST_CASE("key: a first column's key never swallows the second's") {
  std::mt19937 random(7);
  const auto groups = order_groups();
  for (const auto& [name, values] : groups) {
    if (other_icu(values.front())) continue;
    for (const bool descending : {false, true}) {
      const KeyEncoder first = encoder(values.front(), Format::binary, descending);
      const KeyEncoder second = encoder(values.front(), Format::binary, !descending, true);
      const auto pick = [&]() -> const Recorded& { return values[random() % values.size()]; };
      for (int i = 0; i < 200; ++i) {
        const Recorded& a = pick();
        const Recorded& b = pick();
        const Recorded& c = pick();
        const bool null = random() % 4 == 0;
        std::string left = key(first, a.binary);
        std::string right = key(first, b.binary);
        const bool equal = a.rank == b.rank;
        const bool less = left < right;
        left += key(second, null ? std::nullopt : std::optional<std::string_view>(c.binary));
        right += key(second, c.binary);
        if (equal) {
          CHECK((left < right) == null);
          CHECK((left == right) == !null);
        } else {
          CHECK((left < right) == less);
        }
      }
    }
  }
}

TEST_CASE("key: NULL stands where it is asked to, in either direction") {
  const Recorded sample{"int4", {oid::int4, -1, nullptr}, "", 0, "", ""};
  for (const bool descending : {false, true}) {
    const KeyEncoder first = encoder(sample, Format::text, descending, true);
    const KeyEncoder last = encoder(sample, Format::text, descending, false);
    for (const std::string_view value : {"-2147483648", "0", "2147483647"}) {
      CHECK(key(first, std::nullopt) < key(first, value));
      CHECK(key(last, std::nullopt) > key(last, value));
    }
    CHECK(key(first, std::nullopt) == key(first, std::nullopt));
  }
}

TEST_CASE("key: what groups must not confuse") {
  const KeyEncoder text = encoder({"text", {oid::text, -1, nullptr}, "C", 0, "", ""}, Format::text);
  CHECK(key(text, "a") + key(text, "bc") != key(text, "ab") + key(text, "c"));
  CHECK(key(text, "") + key(text, std::nullopt) != key(text, std::nullopt) + key(text, ""));
  CHECK(key(text, "NULL") != key(text, std::nullopt));
  CHECK(key(text, std::string_view("a\0b", 3)) + key(text, "c") != key(text, "a") + key(text, "b"));
  CHECK(key(text, "a") < key(text, std::string_view("a\0", 2)));
  const KeyEncoder numeric =
      encoder({"numeric", {oid::numeric, -1, nullptr}, "", 0, "", ""}, Format::text);
  CHECK(key(numeric, "1.0") == key(numeric, "1.00"));
  CHECK(key(numeric, "NaN") == key(numeric, "NaN"));
}

TEST_CASE("key: a long run of keys is each key after the other") {
  const KeyEncoder text = encoder({"text", {oid::text, -1, nullptr}, "C", 0, "", ""}, Format::text);
  const KeyEncoder int8 =
      encoder({"int8", {oid::int8, -1, nullptr}, "", 0, "", ""}, Format::binary);
  const std::string number("\x80\0\0\0\0\0\0\1", 8);
  std::string run;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string word = "word " + std::to_string(i);
    text.append(word, run);
    int8.append(number, run);
    expected += '\x02' + word + std::string("\0\1\2\0\0\0\0\0\0\0\1", 11);
    REQUIRE(run.size() == expected.size());
  }
  CHECK(run == expected);
}

TEST_CASE("key: types, formats and collations without a key say why") {
  const auto reason = [](const KeySpec& spec) {
    const auto made = KeyEncoder::make(spec);
    return made ? std::string() : made.error();
  };
  CHECK(reason({{oid::json, -1, nullptr}}) == "type json has no known equality");
  CHECK(reason({{2205, -1, nullptr}}) == "type regclass has no known equality");
  CHECK(reason({{99999, -1, nullptr}}) == "type with OID 99999 has no known equality");
  for (const Oid type : {oid::date, oid::timestamp, oid::timestamptz, oid::interval, oid::bytea,
                         oid::float4, oid::float8, oid::money, Oid{1182}, Oid{1022}}) {
    CHECK(reason({{type, -1, nullptr}, Format::text}).starts_with("the text of type"));
    CHECK(reason({{type, -1, nullptr}, Format::binary}).empty());
  }
  const Collation libc = Collation::from_server('c', "en_US.UTF-8", "2.36", true);
  CHECK(reason({{oid::text, -1, nullptr}, Format::text, libc}).find("en_US.UTF-8") !=
        std::string::npos);
  CHECK(reason({{oid::int4, -1, nullptr}, Format::text, libc}).empty());
}

TEST_CASE("key: every truncation or extension of a value is refused or harmless") {
  std::mt19937 random(11);
  for (const auto& [name, values] : order_groups()) {
    if (other_icu(values.front())) continue;
    const TypeInfo* type = find_type(values.front().column.oid);
    const bool any_bytes =
        type != nullptr && (type->kind == TypeKind::text || type->kind == TypeKind::bpchar ||
                            type->kind == TypeKind::bytea);
    const KeyEncoder encode = encoder(values.front(), Format::binary);
    for (size_t v = 0; v < values.size(); v += 1 + values.size() / 40) {
      const std::string& good = values[v].binary;
      INFO(name, ": ", hex(good));
      std::string out;
      if (type != nullptr && type->kind != TypeKind::jsonb && !any_bytes) {
        for (size_t length = 0; length < good.size(); ++length)
          CHECK_THROWS_AS(encode.append(std::string_view(good).substr(0, length), out), SqlError);
        CHECK_THROWS_AS(encode.append(good + '\x01', out), SqlError);
      }
      for (int i = 0; i < 60; ++i) {
        std::string bad = good;
        for (size_t flips = 1 + random() % 3; flips > 0 && !bad.empty(); --flips)
          bad[random() % bad.size()] = static_cast<char>(random());
        bad.resize(random() % (bad.size() + 2));
        try {
          encode.append(bad, out);
        } catch (const SqlError& error) {
          CHECK(error.sqlstate.starts_with("22"));
        }
      }
    }
  }
}

TEST_CASE("key: malformed text is refused or harmless") {
  std::mt19937 random(13);
  for (const auto& [name, values] : order_groups()) {
    if (!text_is_canonical(values.front()) || other_icu(values.front())) continue;
    const KeyEncoder encode = encoder(values.front(), Format::text);
    std::string out;
    for (const Recorded& value : values) {
      for (int i = 0; i < 10; ++i) {
        std::string bad = value.text;
        if (!bad.empty()) bad[random() % bad.size()] = "{}\",\\[]:019eN\x80"[random() % 14];
        if (random() % 2 == 0) bad.resize(random() % (bad.size() + 1));
        try {
          encode.append(bad, out);
        } catch (const SqlError& error) {
          CHECK(error.sqlstate.starts_with("22"));
        }
      }
    }
  }
  const KeyEncoder mood =
      encoder({"mood", column_of("pg_temp.mood", ""), "", 0, "", ""}, Format::text);
  CHECK_THROWS_AS(key(mood, "glad"), SqlError);
  const KeyEncoder integer =
      encoder({"int4", {oid::int4, -1, nullptr}, "", 0, "", ""}, Format::text);
  for (const std::string_view text : {"", "-", "1.", "1 ", " 1", "2147483648", "0x1"})
    CHECK_THROWS_AS(key(integer, text), SqlError);
}

TEST_CASE("key: nesting is bounded") {
  const KeyEncoder json =
      encoder({"jsonb", {oid::jsonb, -1, nullptr}, "", 0, "", ""}, Format::text);
  CHECK_NOTHROW(key(json, std::string(1000, '[') + std::string(1000, ']')));
  CHECK_THROWS_AS(key(json, std::string(100000, '[') + std::string(100000, ']')), SqlError);
  const KeyEncoder array = encoder({"int4[]", {1007, -1, nullptr}, "", 0, "", ""}, Format::text);
  CHECK_NOTHROW(key(array, "{{{{{{1}}}}}}"));
  for (const std::string_view text :
       {"{{{{{{{1}}}}}}}", "{1,{2}}", "{{1},2}", "{{1},{2,3}}", "{1", "{1,}", "{,1}", "{}}", "",
        "[1:2]={1}", "[1:1]{1}", "[2:1]={}", "{\"1}", "{1}x", "{{}}"})
    CHECK_THROWS_AS(key(array, text), SqlError);
}

TEST_CASE("array: huge declared sizes allocate nothing") {
  const std::string bytes = unhex("00000002000000000000001700010000000000010001000000000001");
  CHECK_THROWS_AS(parse_array_binary(bytes, oid::int4, "int4[]"), SqlError);
  CHECK_THROWS_AS(parse_array_binary(unhex("000000000000000000000019"), oid::int4, "x"), SqlError);
}

}  // namespace
}  // namespace anabranch::values
