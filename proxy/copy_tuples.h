#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "proxy/copy_rows.h"

namespace anabranch::proxy {

/// A binary COPY stream (PostgreSQL, "COPY", "Binary Format"). Its header comes out first, without an
/// extension; the trailer does not come out. A length that cannot be is found before anything is held
/// because of it, and the tuple passed on as broken.
class CopyTuples final : public CopyReader {
 public:
  explicit CopyTuples(const rewriter::CopySplit& copy);

  std::optional<CopyRow> next() override;
  bool read_keys(const CopyRow& row, std::vector<std::optional<std::string_view>>& keys) override;

  static constexpr std::string_view trailer{"\xff\xff", 2};

 private:
  bool read_header();
  bool skip_extension();
  std::optional<CopyRow> tuple();
  std::optional<CopyRow> row_of(std::size_t bytes, bool broken);
  /// Not whole: more is to come, or it is broken.
  std::optional<CopyRow> cut_short();

  bool header_read_ = false;
  bool header_given_ = false;
  std::size_t extension_left_ = 0;
  bool ended_ = false;
  struct Slice {
    std::size_t offset = 0;  ///< in the row
    std::int32_t length = -1;
  };
  std::vector<Slice> keys_;
};

}  // namespace anabranch::proxy
