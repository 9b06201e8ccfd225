#include "merge/sort_keys.h"

#include "values/errors.h"

namespace anabranch::merge {

SortKeys::SortKeys(const std::vector<SortKey>& keys, const Shape& shape) {
  for (const SortKey& key : keys) {
    const auto index = static_cast<std::size_t>(key.column);
    const Column& column = shape.at(index);
    auto encoder = values::KeyEncoder::make({.type = column.type,
                                             .format = column.format,
                                             .collation = key.collation,
                                             .descending = key.descending,
                                             .nulls_first = key.nulls_first});
    if (!encoder)
      throw values::make_error(values::ErrorId::ordering_unprovable,
                               "column " + std::to_string(key.column + 1), encoder.error());
    parts_.push_back({index, std::move(*encoder)});
  }
}

SortKeys::SortKeys(const std::vector<int>& columns, const Shape& shape) {
  for (const int column : columns) {
    const auto index = static_cast<std::size_t>(column);
    parts_.push_back({index, equality_encoder(shape.at(index))});
  }
}

values::KeyEncoder equality_encoder(const Column& column) {
  auto encoder =
      values::KeyEncoder::make({.type = column.type, .format = column.format, .collation = {}});
  if (!encoder)
    throw values::make_error(values::ErrorId::no_equality, "grouping values",
                             values::type_name(column.type), encoder.error());
  return std::move(*encoder);
}

}  // namespace anabranch::merge
