#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "merge/batch.h"
#include "net/buffer.h"
#include "rewriter/plan.h"

namespace anabranch::proxy {

/// Writes rows as COPY … TO does: byte for byte what the server's CopyOneRowTo makes of the same
/// values. Pure. Rows are in text format, for a binary COPY in binary.
class CopyEncoder {
 public:
  explicit CopyEncoder(const rewriter::CopyOut& copy);

  /// Appends one row, its end of line included. Throws SqlError 08P01 for a row with other columns.
  void encode(const merge::RowView& row, net::Buffer& out);

 private:
  void binary(net::Buffer& out) const;
  void text(std::string_view value, net::Buffer& out) const;
  void csv(std::string_view value, bool quote, net::Buffer& out) const;

  const rewriter::CopyOut& copy_;
  std::array<bool, 256> special_{};  ///< text: is escaped; csv: makes the value quoted
  std::vector<std::optional<std::string_view>> fields_;
};

}  // namespace anabranch::proxy
