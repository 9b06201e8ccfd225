#include "merge/row_block.h"

#include "values/codec.h"
#include "values/errors.h"

namespace anabranch::merge {

namespace {

[[noreturn]] void malformed() {
  throw values::make_error(values::ErrorId::protocol_violation,
                           "a row whose columns are not those of the query");
}

/// Splits one row into `columns` fields, `stride` apart.
void split(std::string_view payload, std::size_t columns, Field* out, std::size_t stride) {
  const char* at = payload.data();
  const char* const end = at + payload.size();
  if (payload.size() < 2 || values::load_be<std::uint16_t>(at) != columns) malformed();
  at += 2;
  for (std::size_t i = 0; i < columns; ++i, out += stride) {
    if (end - at < 4) malformed();
    const auto length = values::load_be<std::int32_t>(at);
    at += 4;
    *out = {at, length};
    if (length < 0) {
      if (length != -1) malformed();
      continue;
    }
    if (end - at < length) malformed();
    at += length;
  }
  if (at != end) malformed();
}

}  // namespace

void RowBlock::load(const Batch& batch, std::size_t first, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    split(batch.row(first + i).payload(), columns_, fields_.data() + i, kRows);
  size_ = count;
}

std::string_view RowBlock::framed_row(std::size_t row) const {
  if (columns_ == 0) return {};
  const char* const begin = field(row, 0).data - 4;
  const std::string_view last = field(row, columns_ - 1).framed();
  return {begin, static_cast<std::size_t>(last.data() + last.size() - begin)};
}

}  // namespace anabranch::merge
