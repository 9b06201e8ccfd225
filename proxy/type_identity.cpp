#include "proxy/type_identity.h"

#include <algorithm>
#include <cstring>

#include "net/pg/framing.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using values::BinaryShape;
using values::Oid;
using values::OidMap;

[[noreturn]] void malformed(const OidMap& map, std::string_view what) {
  throw values::make_error(values::ErrorId::shard_protocol, map.from, what);
}

/// A message's fields, read and changed from front to back.
class MessageCursor {
 public:
  MessageCursor(std::span<char> message, const OidMap& map) : rest_(message), map_(map) { (void)bytes(5); }

  std::span<char> bytes(std::size_t count) {
    if (count > rest_.size()) malformed(map_, "a message shorter than it says");
    const std::span<char> taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  std::int16_t int16() { return net::pg::load_int16(bytes(2).data()); }
  /// A value of a DataRow; no bytes where it is NULL.
  std::span<char> field() {
    const std::int32_t length = net::pg::load_int32(bytes(4).data());
    return length < 0 ? std::span<char>() : bytes(static_cast<std::size_t>(length));
  }
  void skip_string() {
    const auto end = std::ranges::find(rest_, '\0');
    if (end == rest_.end()) malformed(map_, "a name without an end");
    (void)bytes(static_cast<std::size_t>(end - rest_.begin()) + 1);
  }

 private:
  std::span<char> rest_;
  const OidMap& map_;
};

/// Where a column comes from, as clients are told: nowhere, if the default shard has no such table.
void translate_origin(const OidMap& map, Oid& table, std::int16_t& attribute) {
  if (table < values::first_user_oid) return;
  const auto found = map.relations.find(table);
  if (found == map.relations.end() || found->second.oid == 0) {
    table = 0;
    attribute = 0;
    return;
  }
  table = found->second.oid;
  for (const auto& [here, there] : found->second.attributes) {
    if (here != attribute) continue;
    attribute = there;
    break;
  }
}

/// Whether a column's binary values have to be looked into.
bool names_oids(const DatabaseState& db, const values::ShardOids& oids, Oid type, std::int16_t type_size) {
  const bool known = type < values::first_user_oid || oids.to_shard.types.contains(type);
  if (known) return db.identity->shapes.find(type).kind != BinaryShape::Kind::plain;
  // Newer than the catalog: an array or a row, unless it is of fixed size.
  if (type_size > 0) return false;
  throw values::make_error(values::ErrorId::oid_unknown, type, oids.to_shard.from);
}

}  // namespace

const values::ShardOids* foreign_oids(const DatabaseState& db, std::uint32_t shard) {
  if (shard == db.map->default_shard() || db.identity == nullptr) return nullptr;
  return &db.identity->shards.at(shard);
}

Oid type_on(const DatabaseState& db, std::uint32_t shard, Oid type) {
  if (type < values::first_unfixed_oid) return type;
  const values::ShardOids* oids = foreign_oids(db, shard);
  if (oids == nullptr) return type;
  return oids->to_shard.types.contains(type) ? oids->to_shard.type(type) : 0;
}

bool may_name_oids(Oid type, std::int16_t type_size) {
  if (type >= values::first_unfixed_oid) return type_size < 0;
  return values::BinaryShapes::built_in(type).kind != BinaryShape::Kind::plain;
}

bool may_name_oids(std::span<const rewriter::ResultColumn> columns) {
  return std::ranges::any_of(
      columns, [](const auto& column) { return may_name_oids(column.type, column.type_size); });
}

void RowOids::add(const DatabaseState& db, std::uint32_t shard, std::size_t column, Oid type,
                  std::int16_t type_size) {
  const values::ShardOids* oids = foreign_oids(db, shard);
  if (oids == nullptr || !names_oids(db, *oids, type, type_size)) return;
  identity_ = db.identity.get();
  map_ = &oids->to_default;
  columns_.push_back({column, type});
}

void RowOids::translate(std::span<char> message) const {
  MessageCursor in(message, *map_);
  const std::int16_t count = in.int16();
  auto wanted = columns_.begin();
  for (std::size_t i = 0; wanted != columns_.end(); ++i) {
    if (i >= static_cast<std::size_t>(std::max<std::int16_t>(count, 0))) malformed(*map_, "a row with too few columns");
    const std::span<char> value = in.field();
    if (wanted->index != i) continue;
    values::translate_oids(value, wanted->type, identity_->shapes, *map_, true);
    ++wanted;
  }
}

void RowOids::translate(merge::Batch& rows) const {
  if (columns_.empty()) return;
  for (std::size_t i = 0; i < rows.size(); ++i) translate(rows.writable(i));
}

RowOids row_oids(const DatabaseState& db, std::uint32_t shard,
                 std::span<const rewriter::ResultColumn> columns, net::pg::FormatList formats) {
  RowOids oids;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (net::pg::format_of(formats, i) == 0) continue;
    oids.add(db, shard, i, columns[i].type, columns[i].type_size);
  }
  return oids;
}

void translate_description(const DatabaseState& db, std::uint32_t shard, std::span<char> message,
                           RowOids& binary) {
  const values::ShardOids* oids = foreign_oids(db, shard);
  if (oids == nullptr) return;
  MessageCursor in(message, oids->to_default);
  const std::int16_t count = in.int16();
  for (std::int16_t i = 0; i < count; ++i) {
    in.skip_string();
    char* const at = in.bytes(18).data();
    auto table = static_cast<Oid>(net::pg::load_int32(at));
    std::int16_t attribute = net::pg::load_int16(at + 4);
    translate_origin(oids->to_default, table, attribute);
    net::pg::store_int32(at, static_cast<std::int32_t>(table));
    net::pg::store_int16(at + 4, attribute);
    const Oid type = oids->to_default.type(static_cast<Oid>(net::pg::load_int32(at + 6)));
    net::pg::store_int32(at + 6, static_cast<std::int32_t>(type));
    if (net::pg::load_int16(at + 16) == 0) continue;
    binary.add(db, shard, static_cast<std::size_t>(i), type, net::pg::load_int16(at + 10));
  }
}

void translate_description(const DatabaseState& db, std::uint32_t shard,
                           rewriter::Description& description) {
  const values::ShardOids* oids = foreign_oids(db, shard);
  if (oids == nullptr) return;
  for (Oid& type : description.parameters) type = oids->to_default.type(type);
  if (!description.columns) return;
  for (rewriter::ResultColumn& column : *description.columns) {
    column.type = oids->to_default.type(column.type);
    translate_origin(oids->to_default, column.table, column.attribute);
  }
}

net::pg::FieldList parameters_on(const DatabaseState& db, std::uint32_t shard, std::span<const Oid> types,
                                 net::pg::FormatList formats, net::pg::FieldList values, std::string& kept) {
  const values::ShardOids* oids = foreign_oids(db, shard);
  if (oids == nullptr) return values;
  kept.clear();
  std::size_t index = 0;
  for (const net::pg::Field field : values) {
    const std::size_t i = index++;
    if (!field || i >= types.size() || net::pg::format_of(formats, i) == 0) continue;
    if (!may_name_oids(types[i], -1) || !names_oids(db, *oids, types[i], -1)) continue;
    if (kept.empty()) kept = values.raw();
    const auto offset = static_cast<std::size_t>(field->data() - values.raw().data());
    values::translate_oids({kept.data() + offset, field->size()}, types[i], db.identity->shapes,
                           oids->to_shard, false);
  }
  return kept.empty() ? values : net::pg::FieldList(static_cast<std::uint16_t>(values.size()), kept);
}

}  // namespace anabranch::proxy
