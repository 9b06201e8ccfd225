#include "values/oid_map.h"

#include <cstring>

#include "values/codec.h"
#include "values/errors.h"

namespace anabranch::values {

namespace {

using Kind = BinaryShape::Kind;

constexpr Oid kRegproc = 24, kRegclass = 2205, kRegtype = 2206, kRecord = 2249;

/// Deeper values are no honest ones: a type may not contain itself.
constexpr int kDeepest = 100;

Kind kind_of_built_in(Oid type) {
  switch (type) {
    case kRecord: return Kind::row;
    case kRegtype: return Kind::type;
    case kRegclass: return Kind::relation;
    case kRegproc:
    case 2202:  // regprocedure
    case 2203:  // regoper
    case 2204:  // regoperator
    case 3734:  // regconfig
    case 3769:  // regdictionary
    case 4089:  // regnamespace
    case 4096:  // regrole
    case 4191:  // regcollation
      return Kind::object;
    default: return Kind::plain;
  }
}

/// A value's bytes, read and changed from front to back.
class Cursor {
 public:
  explicit Cursor(std::span<char> bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  std::span<char> bytes(int64_t count) {
    if (count < 0 || static_cast<uint64_t>(count) > rest_.size()) fail();
    const std::span<char> taken = rest_.first(static_cast<size_t>(count));
    rest_ = rest_.subspan(static_cast<size_t>(count));
    return taken;
  }
  int32_t int32() { return load_be<int32_t>(bytes(4).data()); }
  /// A length and as many bytes; empty for NULL.
  std::span<char> field() {
    const int32_t length = int32();
    return length == -1 ? std::span<char>() : bytes(length);
  }
  [[noreturn]] static void fail() { throw make_error(ErrorId::invalid_binary, "with OIDs inside"); }

 private:
  std::span<char> rest_;
};

class Translator {
 public:
  Translator(const BinaryShapes& shapes, const OidMap& map, bool to_default)
      : shapes_(shapes), map_(map), to_default_(to_default) {}

  void value(std::span<char> bytes, Oid type, int depth) {
    const BinaryShape shape = shapes_.find(type);
    if (shape.kind == Kind::plain || bytes.empty()) return;
    if (depth > kDeepest) Cursor::fail();
    Cursor in(bytes);
    switch (shape.kind) {
      case Kind::plain: return;
      case Kind::array: array(in, depth); break;
      case Kind::row: row(in, depth); break;
      case Kind::range: range(in, shape.part, depth); break;
      case Kind::multirange: multirange(in, shape.part, depth); break;
      case Kind::type: (void)type_at(in); break;
      case Kind::relation: replace(in, [this](Oid oid) { return map_.relation(oid); }); break;
      case Kind::object: replace(in, [this](Oid oid) { return object(oid); }); break;
    }
    if (!in.at_end()) Cursor::fail();
  }

 private:
  template <class Map>
  Oid replace(Cursor& in, const Map& map) {
    char* const at = in.bytes(4).data();
    const Oid before = load_be<Oid>(at);
    const Oid after = map(before);
    const Oid stored = std::byteswap(after);
    std::memcpy(at, &stored, sizeof(stored));
    return to_default_ ? after : before;
  }
  /// The type named here, by the default shard's OID.
  Oid type_at(Cursor& in) {
    return replace(in, [this](Oid oid) { return map_.type(oid); });
  }
  Oid object(Oid oid) const {
    if (oid < first_user_oid) return oid;
    throw make_error(ErrorId::oid_unmapped, oid, map_.from, map_.to);
  }

  void array(Cursor& in, int depth) {
    const int32_t dimensions = in.int32();
    (void)in.int32();  // flags
    if (dimensions < 0) Cursor::fail();
    const Oid element = type_at(in);
    (void)in.bytes(int64_t{dimensions} * 8);
    if (shapes_.find(element).kind == Kind::plain) {
      while (!in.at_end()) (void)in.field();
      return;
    }
    while (!in.at_end()) value(in.field(), element, depth + 1);
  }

  void row(Cursor& in, int depth) {
    const int32_t columns = in.int32();
    if (columns < 0) Cursor::fail();
    for (int32_t i = 0; i < columns; ++i) {
      const Oid type = type_at(in);
      value(in.field(), type, depth + 1);
    }
  }

  void range(Cursor& in, Oid bound, int depth) {
    constexpr unsigned empty = 0x01, no_lower = 0x08 | 0x20, no_upper = 0x10 | 0x40;
    const auto flags = static_cast<unsigned char>(in.bytes(1).front());
    if ((flags & empty) != 0) return;
    if ((flags & no_lower) == 0) value(in.field(), bound, depth + 1);
    if ((flags & no_upper) == 0) value(in.field(), bound, depth + 1);
  }

  void multirange(Cursor& in, Oid bound, int depth) {
    const int32_t count = in.int32();
    if (count < 0) Cursor::fail();
    for (int32_t i = 0; i < count; ++i) {
      Cursor inside(in.field());
      range(inside, bound, depth + 1);
      if (!inside.at_end()) Cursor::fail();
    }
  }

  const BinaryShapes& shapes_;
  const OidMap& map_;
  bool to_default_;
};

}  // namespace

BinaryShape BinaryShapes::built_in(Oid type) {
  if (const Kind kind = kind_of_built_in(type); kind != Kind::plain) return {kind, 0};
  const TypeInfo* info = find_type(type);
  if (info == nullptr || info->element_oid == 0) return {};
  return {kind_of_built_in(info->element_oid) == Kind::plain ? Kind::plain : Kind::array, 0};
}

BinaryShape BinaryShapes::find(Oid type) const {
  if (type < first_unfixed_oid) return built_in(type);
  const auto found = own_.find(type);
  return found == own_.end() ? BinaryShape{} : found->second;
}

Oid OidMap::type(Oid oid) const {
  if (oid < first_unfixed_oid) return oid;
  const auto found = types.find(oid);
  if (found == types.end() && oid < first_user_oid) return oid;
  if (found == types.end()) throw make_error(ErrorId::oid_unknown, oid, from);
  if (found->second != 0) return found->second;
  const auto name = missing.find(oid);
  throw make_error(ErrorId::type_missing, name == missing.end() ? "?" : name->second, from, to);
}

Oid OidMap::relation(Oid oid) const {
  if (oid < first_user_oid) return oid;
  const auto found = relations.find(oid);
  if (found != relations.end() && found->second.oid != 0) return found->second.oid;
  throw make_error(ErrorId::oid_unmapped, oid, from, to);
}

void translate_oids(std::span<char> value, Oid type, const BinaryShapes& shapes, const OidMap& map,
                    bool to_default) {
  Translator(shapes, map, to_default).value(value, type, 0);
}

}  // namespace anabranch::values
