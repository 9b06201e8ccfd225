#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "merge/batch.h"
#include "net/pg/lists.h"
#include "proxy/snapshot.h"
#include "rewriter/plan.h"
#include "values/oid_map.h"

/// Clients see and send the default shard's OIDs only; what another shard says, or is told, is
/// translated here (values/oid_map.h). All of it throws where an OID has no counterpart.
namespace anabranch::proxy {

/// Null: the shard is the default one, or the only one.
const values::ShardOids* foreign_oids(const DatabaseState& db, std::uint32_t shard);

/// The shard's own OID of a type that clients know by the default shard's; 0, to be inferred, of a
/// type that the catalog does not know yet.
values::Oid type_on(const DatabaseState& db, std::uint32_t shard, values::Oid type);

/// Whether values of the type in binary form could name OIDs. Cheap, and true rather too often: the
/// plan cache asks once.
bool may_name_oids(values::Oid type, std::int16_t type_size);
bool may_name_oids(std::span<const rewriter::ResultColumn> columns);

/// The columns of one shard's rows that name OIDs.
class RowOids {
 public:
  /// `type`, `type_size`: as the default shard describes the column.
  void add(const DatabaseState& db, std::uint32_t shard, std::size_t column, values::Oid type,
           std::int16_t type_size);
  bool empty() const { return columns_.empty(); }
  /// Of a whole DataRow message of that shard, in place.
  void translate(std::span<char> message) const;
  void translate(merge::Batch& rows) const;

 private:
  struct Column {
    std::size_t index = 0;
    values::Oid type = 0;
  };
  const values::TypeIdentity* identity_ = nullptr;
  const values::OidMap* map_ = nullptr;
  std::vector<Column> columns_;  ///< ascending
};

/// Those of a result that was asked for in these formats.
RowOids row_oids(const DatabaseState& db, std::uint32_t shard,
                 std::span<const rewriter::ResultColumn> columns, net::pg::FormatList formats);

/// A whole RowDescription message of that shard, in place. `binary`: gets the columns in binary form.
void translate_description(const DatabaseState& db, std::uint32_t shard, std::span<char> message,
                           RowOids& binary);

/// Bind's values as that shard has to be sent them. `types`: the parameters', by the default shard's
/// OIDs. `kept`: holds the bytes of the answer where any had to be changed.
net::pg::FieldList parameters_on(const DatabaseState& db, std::uint32_t shard,
                                 std::span<const values::Oid> types, net::pg::FormatList formats,
                                 net::pg::FieldList values, std::string& kept);

/// A description by that shard, with the default shard's OIDs.
void translate_description(const DatabaseState& db, std::uint32_t shard,
                           rewriter::Description& description);

}  // namespace anabranch::proxy
