#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewriter/plan.h"

namespace anabranch::proxy {

/// One row of a COPY stream as it stands in the data, its end of line included.
struct CopyRow {
  std::string_view bytes;
  std::uint64_t line = 0;   ///< the client's line that the server would name: the last it spans, from 1
  std::uint32_t lines = 1;  ///< that a server counts for it
  std::uint32_t lines_if_first = 1;  ///< the same where it is the first that the server sees
  bool header = false;      ///< goes ahead of every shard's rows
  bool last = false;        ///< what follows does not count (`\.`)
  bool marker = false;      ///< it is `\.` and nothing else: no row
  /// Last, and not as a row should be: the server that gets it will say so. Nothing may follow it.
  bool broken = false;
};

/// Cuts a COPY stream (PostgreSQL, "COPY", "File Formats") into rows and reads the fields that place
/// them. Pure. Data may be fed in pieces that end anywhere.
class CopyReader {
 public:
  explicit CopyReader(const rewriter::CopySplit& copy) : copy_(copy), values_(copy.key.size()) {}
  CopyReader(const CopyReader&) = delete;
  CopyReader& operator=(const CopyReader&) = delete;
  virtual ~CopyReader() = default;

  void feed(std::string_view data);
  /// The client has said CopyDone: a last line without an end is a row too.
  void finish() { finished_ = true; }
  /// Bytes held until their row is whole.
  std::size_t held() const { return buffer_.capacity(); }

  /// The next whole row, valid until the next feed(); nothing: more data is needed. Throws SqlError
  /// for data that no server would take, with its line as the error's context.
  virtual std::optional<CopyRow> next() = 0;
  /// The row's key fields in the order of CopySplit::key, decoded (nothing: NULL). False: the row
  /// has not the fields that it should have; the server has the words for that. Valid until the
  /// next call.
  virtual bool read_keys(const CopyRow& row, std::vector<std::optional<std::string_view>>& keys) = 0;
  /// The first of the row's dates and times that says `now` or `today`, decoded; nothing: none does.
  /// Valid until the next call.
  virtual std::optional<std::string_view> clock_word(const CopyRow&) { return std::nullopt; }
  /// What is put behind the fields of every row (and of the header): further fields.
  virtual void fill(const std::vector<std::optional<std::string>>&) {}
  /// The same as it stands in the rows.
  virtual std::string_view filling() const { return {}; }
  /// The row with those fields, or as it is where it has too few of its own: then the server must
  /// complain of the ones it lacks. Valid until the next call.
  virtual std::string_view filled(const CopyRow& row) { return row.bytes; }

 protected:
  std::string_view rest() const { return std::string_view(buffer_).substr(begin_); }

  const rewriter::CopySplit& copy_;
  std::string buffer_;
  std::size_t begin_ = 0;    ///< of the next row in the buffer
  std::size_t scanned_ = 0;  ///< how far the search for its end has come
  std::uint64_t line_ = 0;   ///< of the row before
  bool finished_ = false;
  std::vector<std::string> values_;
};

/// Text and CSV. Rows end where the server's own reader ends them, and mixed ends of lines are found
/// here: no shard sees all lines.
class CopyRows final : public CopyReader {
 public:
  explicit CopyRows(const rewriter::CopySplit& copy, std::string table = {});

  std::optional<CopyRow> next() override;
  bool read_keys(const CopyRow& row, std::vector<std::optional<std::string_view>>& keys) override;
  std::optional<std::string_view> clock_word(const CopyRow& row) override;
  void fill(const std::vector<std::optional<std::string>>& values) override;
  std::string_view filling() const override { return fill_; }
  std::string_view filled(const CopyRow& row) override;

 private:
  enum class Ending { unknown, newline, carriage_return, both };

  std::size_t find_end();
  std::size_t end_at_return(std::size_t at);
  [[noreturn]] void refuse_ending(bool carriage_return) const;
  void count_quoted(char letter);
  bool read_text_field(std::string_view& rest, std::string& value, bool& null) const;
  bool read_csv_field(std::string_view& rest, std::string& value, bool& quoted) const;
  bool is_plain(std::string_view row) const;
  bool has_fields(std::string_view row) const;

  std::string table_;
  bool csv_;
  std::array<bool, 256> special_{};  ///< bytes that decide where a row ends
  Ending ending_ = Ending::unknown;
  bool in_quotes_ = false;  ///< at scanned_
  bool escaped_ = false;    ///< a backslash (text) or an escape (CSV) stands before scanned_
  bool marker_ = false;     ///< text: the row holds `\.`
  std::uint32_t newlines_ = 0;  ///< inside the row's quotes
  std::uint32_t returns_ = 0;
  bool first_ = true;
  std::string clock_;
  std::string fill_;         ///< delimiters and fields, as the format writes them
  std::string filled_;
};

/// `text` and `csv`, or binary. `table`: as errors name it.
std::unique_ptr<CopyReader> make_copy_reader(const rewriter::CopySplit& copy, std::string table);

}  // namespace anabranch::proxy
