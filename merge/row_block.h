#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "merge/batch.h"
#include "values/type.h"

namespace anabranch::merge {

/// What a column of the rows between two operators is.
struct Column {
  values::ColumnType type;
  values::Format format = values::Format::binary;
};
using Shape = std::vector<Column>;

/// One field of a row; the bytes belong to the batch.
struct Field {
  const char* data = nullptr;
  std::int32_t length = -1;  ///< -1: NULL

  bool is_null() const { return length < 0; }
  std::string_view bytes() const { return {data, static_cast<std::size_t>(length)}; }
  std::optional<std::string_view> value() const {
    return is_null() ? std::nullopt : std::optional(bytes());
  }
  /// The field as it stands in its row, length first.
  std::string_view framed() const {
    return {data - 4, 4 + static_cast<std::size_t>(length < 0 ? 0 : length)};
  }
};

/// The fields of up to kRows rows of a batch, column by column: operators loop over a column
/// instead of calling something per row.
class RowBlock {
 public:
  static constexpr std::size_t kRows = 256;

  explicit RowBlock(std::size_t columns) : columns_(columns), fields_(columns * kRows) {}

  /// Reads rows first … first + count - 1 (count <= kRows). Throws SqlError 08P01 for a row that is
  /// malformed or has another number of columns.
  void load(const Batch& batch, std::size_t first, std::size_t count);

  std::size_t size() const { return size_; }
  std::size_t columns() const { return columns_; }
  const Field* column(std::size_t index) const { return fields_.data() + index * kRows; }
  const Field& field(std::size_t row, std::size_t column) const {
    return fields_[column * kRows + row];
  }
  /// The fields of a row in one piece.
  std::string_view framed_row(std::size_t row) const;

 private:
  std::size_t columns_;
  std::size_t size_ = 0;
  std::vector<Field> fields_;
};

/// Calls `body(first)` for the rows of `batch`, a block (of `rows` at most) at a time.
template <typename Body>
void for_each_block(const Batch& batch, RowBlock& block, Body body, std::size_t rows = RowBlock::kRows) {
  for (std::size_t first = 0; first < batch.size(); first += rows) {
    block.load(batch, first, std::min(rows, batch.size() - first));
    body(first);
  }
}

}  // namespace anabranch::merge
