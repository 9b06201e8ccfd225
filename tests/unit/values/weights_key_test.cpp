#include "values/weights_key.h"

#include <doctest/doctest.h>

#include <map>

#include "recorded.h"
#include "values/errors.h"
#include "values/key.h"
#include "values/mysql_type.h"

namespace anabranch::values {
namespace {

using test::Fields;
using test::hex;
using test::recorded;
using test::unhex;

KeyEncoder encoder(Format format, bool descending = false) {
  auto made = KeyEncoder::make({.type = {.oid = kMysqlWeights}, .format = format, .descending = descending});
  REQUIRE(made.has_value());
  return *made;
}

std::string key(const KeyEncoder& encoder, std::string_view value) {
  std::string out;
  encoder.append(value, out);
  return out;
}

/// Of weights in hex: the pad unit and what follows.
std::string key(std::string_view pad, std::string_view weights) {
  const std::string unit = unhex(pad);
  return key(encoder(Format::text), static_cast<char>(unit.size()) + unit + unhex(weights));
}

struct Placed {
  int place;
  std::string string, key;
};

std::map<std::string, std::vector<Placed>> recorded_keys(const KeyEncoder& encoder) {
  std::map<std::string, std::vector<Placed>> collations;
  for (const Fields& row : recorded("mysql.tsv")) {
    if (row[0] != "weights") continue;
    collations[row[1]].push_back({std::stoi(row[2]), row[3], key(encoder, unhex(row[4]))});
  }
  return collations;
}

TEST_CASE("weights: keys have the server's order and equality") {
  for (const Format format : {Format::text, Format::binary}) {
    for (const bool descending : {false, true}) {
      const auto collations = recorded_keys(encoder(format, descending));
      CHECK(collations.size() == 12);
      for (const auto& [collation, strings] : collations) {
        for (const Placed& a : strings) {
          for (const Placed& b : strings) {
            INFO(collation, ": ", a.string, " and ", b.string);
            const int order = a.place < b.place ? -1 : (a.place > b.place ? 1 : 0);
            const int by_key = a.key.compare(b.key);
            CHECK((by_key > 0) - (by_key < 0) == (descending ? -order : order));
            CHECK((order == 0 || !b.key.starts_with(a.key)));
          }
        }
      }
    }
  }
}

TEST_CASE("weights: trailing pads do not count, and what is below them sorts before the end") {
  CHECK(hex(key("20", "61")) == "02" "01" "0361" "02");
  CHECK(key("20", "61") == key("20", "612020"));
  CHECK(key("20", "") == key("20", "2020"));
  CHECK(key("20", "6109") < key("20", "61"));
  CHECK(key("20", "612009") < key("20", "61"));
  CHECK(key("20", "61") < key("20", "612061"));
  CHECK(key("20", "612061") < key("20", "6161"));
  CHECK(key("0020", "00610000") < key("0020", "0061"));
  CHECK(key("0020", "00610021") > key("0020", "00610020"));
}

TEST_CASE("weights: without a pad they are bytes") {
  CHECK(key("", "61") < key("", "6100"));
  CHECK(key("", "61") != key("", "6120"));
  CHECK(hex(key("", "610062")) == "02" "00" "6100ff62" "0001");
}

TEST_CASE("weights: of other pads they are apart") {
  CHECK(key("", "61") < key("20", ""));
  CHECK(key("20", "6161") != key("2020", "6161"));
}

TEST_CASE("weights: what is malformed is refused") {
  for (const std::string_view bytes : {"", "01", "0200", "020020610061", "ff61"}) {
    INFO(bytes);
    std::string out;
    const std::string value = unhex(bytes);
    try {
      append_weights_key(value, out);
      FAIL("no error");
    } catch (const SqlError& error) {
      CHECK(error.sqlstate == "22P03");
    }
  }
}

TEST_CASE("weights: collations whose weights are their order") {
  for (const char* name : {"utf8mb4_general_ci", "utf8mb4_bin", "utf8mb4_nopad_bin", "utf8mb4_uca1400_ai_ci",
                           "utf8mb3_uca1400_swedish_nopad_ai_ci", "latin1_general_cs", "latin1_swedish_ci", "binary",
                           "utf8mb4_unicode_520_nopad_ci", "sjis_japanese_ci", "latin7_bin"})
    CHECK_MESSAGE(weights_are_order(name), name);
  for (const char* name : {"utf8mb4_uca1400_as_ci", "utf8mb4_uca1400_ai_cs", "utf8mb4_uca1400_nopad_as_cs",
                           "utf8mb4_thai_520_w2", "cp1250_czech_cs", "latin2_czech_cs", "latin7_general_ci",
                           "latin7_estonian_cs", "big5_chinese_ci", "utf8mb4_0900_ai_ci", "utf8mb4_0900_bin", ""})
    CHECK_MESSAGE(!weights_are_order(name), name);
}

TEST_CASE("weights: a type of its own, that no statement can name") {
  const TypeInfo* type = find_type(kMysqlWeights);
  REQUIRE(type != nullptr);
  CHECK(type->kind == TypeKind::mysql_weights);
  CHECK(type->has_equality);
  CHECK(type->has_order);
  CHECK(type->text_is_canonical);
  CHECK_FALSE(type->is_collatable);
  CHECK_FALSE(is_mysql_type(kMysqlWeights));
  CHECK(find_type_by_name(type->name) == nullptr);
  CHECK(find_type_by_name("") == nullptr);
  for (const TypeInfo& other : all_types()) CHECK(other.oid != kMysqlWeights);
}

TEST_CASE("weights: a double's text is the key of its number") {
  const auto made = KeyEncoder::make({.type = {.oid = kMysqlReal}, .format = Format::text});
  REQUIRE(made.has_value());
  const auto real = [&](std::string_view text) { return key(*made, text); };
  CHECK(real("1e3") == real("1000"));
  CHECK(real("-0") == real("0"));
  CHECK(real("-1e300") < real("-0.1"));
  CHECK(real("-0.1") < real("0.1"));
  CHECK(real("9") < real("10"));
  CHECK(real("1.5e-7") < real("1e-6"));
  CHECK_THROWS_AS((void)real("ten"), SqlError);
  CHECK_THROWS_AS((void)real(""), SqlError);
  CHECK_THROWS_AS((void)real("1x"), SqlError);
}

}  // namespace
}  // namespace anabranch::values
