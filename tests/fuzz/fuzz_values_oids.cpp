// Hostile binary values through the translation of OIDs: their length stays, what is wrong is an
// SqlError, and what went to another server and back is as it was.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "values/oid_map.h"
#include "values/sql_error.h"

namespace {

using namespace anabranch::values;
using Kind = BinaryShape::Kind;

constexpr Oid first = 0x61616161;  // what a fuzzer finds soon

BinaryShapes shapes() {
  BinaryShapes known;
  known.add(first, {Kind::array, 0});
  known.add(first + 1, {Kind::row, 0});
  known.add(first + 2, {Kind::range, first + 1});
  known.add(first + 3, {Kind::multirange, first});
  return known;
}

OidMap map_by(int difference) {
  OidMap map;
  for (Oid type = first; type < first + 5; ++type) {
    const Oid other = type + 1000;
    difference > 0 ? map.types.emplace(type, other) : map.types.emplace(other, type);
  }
  return map;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const BinaryShapes known = shapes();
  static const OidMap there = map_by(1);
  static const OidMap back = map_by(-1);
  if (size == 0) return 0;
  constexpr Oid types[] = {first, first + 1, first + 2, first + 3, 2249, 2287, 2206, 2211};
  const Oid type = types[data[0] % std::size(types)];
  const std::string original(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string value = original;
  try {
    translate_oids(value, type, known, there, false);
    translate_oids(value, type, known, back, true);
  } catch (const SqlError&) {
    return 0;
  }
  if (value != original) std::abort();
  return 0;
}
