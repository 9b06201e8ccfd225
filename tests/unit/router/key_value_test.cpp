#include "router/key_value.h"

#include <doctest/doctest.h>

#include "values/decimal.h"

using namespace anabranch::router;
using anabranch::values::Format;
using anabranch::values::Oid;
namespace oid = anabranch::values::oid;
namespace conf = anabranch::conf;

namespace {

/// The key's text, or what became of the constant.
std::string shown(KeyType type, const KeyConversion& conversion) {
  if (conversion.outcome == KeyConversion::Outcome::nothing) return "nothing";
  if (conversion.outcome == KeyConversion::Outcome::unknown) return "unknown";
  return conf::to_text(type, conversion.key);
}

std::string compared(KeyType type, Oid column, Oid constant, std::string_view bytes,
                     Format format = Format::text) {
  return shown(type, key_for_comparison({type, column, -1}, {constant, format, bytes}));
}

std::string stored(KeyType type, Oid column, std::int32_t modifier, Oid constant,
                   std::string_view bytes) {
  return shown(type, key_for_storage({type, column, modifier}, {constant, Format::text, bytes}));
}

std::string big_endian(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

}  // namespace

TEST_CASE("integers") {
  const auto key = [](Oid column, Oid constant, std::string_view text) {
    return compared(KeyType::bigint, column, constant, text);
  };
  CHECK(key(oid::int8, oid::int4, "42") == "42");
  CHECK(key(oid::int8, oid::unknown, " 42 ") == "42");
  CHECK(key(oid::int8, oid::unknown, "+42") == "42");
  CHECK(key(oid::int8, oid::unknown, "0x2A") == "unknown");
  CHECK(key(oid::int8, oid::unknown, "abc") == "unknown");
  CHECK(key(oid::int8, oid::unknown, "99999999999999999999") == "nothing");
  CHECK(key(oid::int8, oid::numeric, "99999999999999999999") == "nothing");
  CHECK(key(oid::int8, oid::numeric, "1.5") == "nothing");
  CHECK(key(oid::int8, oid::numeric, "1.0") == "1");
  CHECK(key(oid::int8, oid::numeric, "1e3") == "1000");
  CHECK(key(oid::int8, oid::float8, "1") == "unknown");
  CHECK(key(oid::int8, oid::text, "1") == "unknown");
  CHECK(key(oid::int2, oid::int4, "70000") == "nothing");
  CHECK(key(oid::int4, oid::int8, "-2147483649") == "nothing");
  CHECK(key(oid::int4, oid::int8, "-2147483648") == "-2147483648");
  CHECK(compared(KeyType::bigint, oid::int8, oid::int4, big_endian(0xFFFFFFFF, 4),
                 Format::binary) == "-1");
  CHECK(compared(KeyType::bigint, oid::int8, oid::int8, big_endian(7, 8), Format::binary) == "7");
  CHECK(compared(KeyType::bigint, oid::int8, oid::int2, big_endian(7, 2), Format::binary) == "7");
  CHECK(compared(KeyType::bigint, oid::int8, oid::int8, big_endian(7, 4), Format::binary) ==
        "unknown");
}

TEST_CASE("NULL stays NULL") {
  const KeyConversion key =
      key_for_comparison({KeyType::bigint, oid::int8, -1}, {oid::int8, Format::text, std::nullopt});
  CHECK(shown(KeyType::bigint, key) == "\\N");
}

TEST_CASE("a column that cannot hold keys proves nothing") {
  CHECK(compared(KeyType::bigint, oid::numeric, oid::int4, "1") == "unknown");
  CHECK(compared(KeyType::text, oid::name, oid::text, "a") == "unknown");
  CHECK(holds_keys(KeyType::timestamp, oid::timestamptz));
  CHECK(!holds_keys(KeyType::bigint, oid::float8));
}

TEST_CASE("texts: trailing spaces count, except in char") {
  CHECK(compared(KeyType::text, oid::text, oid::unknown, "a ") == "a ");
  CHECK(compared(KeyType::text, oid::varchar, oid::text, "a ") == "a ");
  CHECK(compared(KeyType::text, oid::text, oid::bpchar, "a ") == "a");
  CHECK(compared(KeyType::text, oid::bpchar, oid::unknown, "a ") == "a");
  CHECK(compared(KeyType::text, oid::bpchar, oid::text, "a ") == "nothing");
  CHECK(compared(KeyType::text, oid::bpchar, oid::text, "a") == "a");
  CHECK(stored(KeyType::text, oid::bpchar, 9, oid::text, "a ") == "a");
  CHECK(stored(KeyType::text, oid::varchar, 7, oid::unknown, "abc") == "abc");
  CHECK(stored(KeyType::text, oid::varchar, 7, oid::unknown, "abc ") == "unknown");
  CHECK(stored(KeyType::text, oid::varchar, 7, oid::unknown, "äöü") == "äöü");
}

TEST_CASE("numerics") {
  CHECK(compared(KeyType::numeric, oid::numeric, oid::numeric, "1.50") == "1.5");
  CHECK(compared(KeyType::numeric, oid::numeric, oid::int4, "7") == "7");
  CHECK(compared(KeyType::numeric, oid::numeric, oid::unknown, "-0.00") == "0");
  CHECK(compared(KeyType::numeric, oid::numeric, oid::float8, "1.5") == "unknown");
  std::string binary;
  anabranch::values::Decimal::parse("-12345.6700").append_binary(binary);
  CHECK(compared(KeyType::numeric, oid::numeric, oid::numeric, binary, Format::binary) ==
        "-12345.67");
  CHECK(compared(KeyType::numeric, oid::numeric, oid::numeric, "xx", Format::binary) == "unknown");
  const std::int32_t two_decimals = ((10 << 16) | 2) + 4;
  CHECK(stored(KeyType::numeric, oid::numeric, two_decimals, oid::numeric, "1.25") == "1.25");
  CHECK(stored(KeyType::numeric, oid::numeric, two_decimals, oid::numeric, "1.255") == "unknown");
}

TEST_CASE("dates and timestamps") {
  CHECK(compared(KeyType::date, oid::date, oid::unknown, "2024-02-29") == "2024-02-29");
  CHECK(compared(KeyType::date, oid::date, oid::unknown, "29.02.2024") == "unknown");
  CHECK(compared(KeyType::date, oid::date, oid::unknown, "today") == "unknown");
  CHECK(compared(KeyType::date, oid::date, oid::unknown, "2023-02-29") == "unknown");
  CHECK(compared(KeyType::date, oid::date, oid::timestamp, "2024-02-29") == "unknown");
  CHECK(compared(KeyType::date, oid::date, oid::date, big_endian(0, 4), Format::binary) ==
        "2000-01-01");
  CHECK(compared(KeyType::date, oid::date, oid::date, big_endian(0x7FFFFFFF, 4), Format::binary) ==
        "infinity");
  CHECK(compared(KeyType::timestamp, oid::timestamp, oid::unknown, "2024-02-29 12:00") ==
        "2024-02-29 12:00:00");
  CHECK(compared(KeyType::timestamp, oid::timestamp, oid::unknown, "2024-02-29 12:00Z") ==
        "unknown");
  CHECK(compared(KeyType::timestamp, oid::timestamptz, oid::unknown, "2024-02-29 12:00:00") ==
        "unknown");
  CHECK(compared(KeyType::timestamp, oid::timestamptz, oid::unknown, "2024-02-29 12:00:00+02:30") ==
        "2024-02-29 09:30:00");
  CHECK(compared(KeyType::timestamp, oid::timestamptz, oid::timestamp, "2024-02-29 12:00:00") ==
        "unknown");
  CHECK(compared(KeyType::timestamp, oid::timestamp, oid::timestamp, big_endian(0, 8),
                 Format::binary) == "2000-01-01 00:00:00");
  CHECK(stored(KeyType::timestamp, oid::timestamp, 0, oid::unknown, "2024-02-29 12:00:00.5") ==
        "unknown");
  CHECK(stored(KeyType::timestamp, oid::timestamp, 3, oid::unknown, "2024-02-29 12:00:00.5") ==
        "2024-02-29 12:00:00.5");
}

TEST_CASE("uuids and bytes") {
  const std::string uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
  CHECK(compared(KeyType::uuid, oid::uuid, oid::unknown, "A0EEBC999C0B4EF8BB6D6BB9BD380A11") ==
        uuid);
  CHECK(compared(KeyType::uuid, oid::uuid, oid::unknown, uuid) == uuid);
  CHECK(compared(KeyType::uuid, oid::uuid, oid::unknown, "{" + uuid + "}") == uuid);
  CHECK(compared(KeyType::uuid, oid::uuid, oid::uuid, "0123456789abcdef", Format::binary) ==
        "30313233-3435-3637-3839-616263646566");
  CHECK(compared(KeyType::bytes, oid::bytea, oid::unknown, "\\x00ff") == "\\x00ff");
  CHECK(compared(KeyType::bytes, oid::bytea, oid::unknown, "abc") == "\\x616263");
  CHECK(compared(KeyType::bytes, oid::bytea, oid::unknown, "a\\000c") == "unknown");
}

TEST_CASE("a fraction is rounded on its way into an integer column") {
  CHECK(stored(KeyType::bigint, oid::int8, -1, oid::numeric, "1.5") == "unknown");
  CHECK(stored(KeyType::bigint, oid::int8, -1, oid::numeric, "2.0") == "2");
  CHECK(stored(KeyType::bigint, oid::int4, -1, oid::int8, "3000000000") == "nothing");
}
