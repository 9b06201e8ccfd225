#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewriter/plan.h"

namespace anabranch::proxy {

/// Cuts a COPY stream (text or CSV; PostgreSQL, "COPY", "File Formats") into rows and reads the
/// fields that place them. Pure. Data may be fed in pieces that end anywhere.
class CopyRows {
 public:
  explicit CopyRows(const rewriter::CopySplit& copy);

  /// A row as it stands in the data, its end of line included.
  struct Row {
    std::string_view bytes;
    std::uint64_t line = 0;  ///< the first of the client's lines that it spans, from 1
    bool header = false;
    bool end_marker = false;  ///< `\.`: nothing after it counts
  };

  void feed(std::string_view data);
  /// The client has said CopyDone: a last line without an end is a row too.
  void finish() { finished_ = true; }
  /// The next whole row, valid until the next feed(); nothing: more data is needed.
  std::optional<Row> next();

  /// The row's key fields in the order of CopySplit::key, decoded (nothing: NULL). False: the row
  /// has not the fields that it should have; the server has the words for that. Valid until the
  /// next call.
  bool read_keys(const Row& row, std::vector<std::optional<std::string_view>>& keys);

  /// The first of the row's dates and times that says `now` or `today`, decoded; nothing: none does.
  /// Valid until the next call.
  std::optional<std::string_view> clock_word(const Row& row);

 private:
  std::size_t find_end(std::size_t from);
  bool read_text_field(std::string_view& rest, std::string& value, bool& null) const;
  bool read_csv_field(std::string_view& rest, std::string& value, bool& quoted) const;
  bool is_plain(std::string_view row) const;

  const rewriter::CopySplit& copy_;
  bool csv_;
  std::string buffer_;
  std::size_t begin_ = 0;    ///< of the next row in the buffer
  std::size_t scanned_ = 0;  ///< how far the search for its end has come
  bool in_quotes_ = false;   ///< at scanned_
  bool escaped_ = false;     ///< text: a backslash stands before scanned_
  std::uint64_t line_ = 1;
  bool first_ = true;
  bool finished_ = false;
  std::vector<std::string> values_;
  std::string clock_;
};

}  // namespace anabranch::proxy
