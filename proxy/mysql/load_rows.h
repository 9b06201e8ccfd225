#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewriter/plan.h"

namespace anabranch::proxy::mysql {

/// Cuts the file of a LOAD DATA into rows where a server would, and reads the fields that are asked for. Pure. Data may
/// be fed in pieces that end anywhere.
class LoadRows {
 public:
  struct Field {
    bool given = false;                     ///< the line is long enough
    std::optional<std::string_view> value;  ///< nothing: NULL
  };

  /// `wanted`: numbers of fields, ascending. `multibyte`: characters of the file may be of several bytes (UTF-8).
  LoadRows(const rewriter::LoadFormat& format, std::vector<int> wanted, bool multibyte);

  void feed(std::string_view data);
  /// There is no more: what is left is a row, too.
  void finish() { finished_ = true; }
  /// Bytes held until their row is whole.
  std::size_t held() const { return buffer_.capacity(); }

  /// The next whole row as it stands in the file; nothing: more data is needed, or there is none. Throws SqlError 0A000
  /// for what a server would cut in a way of its own. Valid until the next feed().
  std::optional<std::string_view> next();
  /// The row's number as servers count: from 1, without the lines that are skipped.
  std::uint64_t number() const { return number_; }
  /// Of the last row, in the order of `wanted`. Valid until the next call.
  const std::vector<Field>& fields() const { return fields_; }

 private:
  enum class Found { no, yes, more };
  enum class Stop { field, line, data, more };  ///< what a field ends with; more: data is needed

  std::optional<std::size_t> find_row_end();
  Stop read_fields();
  Stop read_field(Field* out, std::string* made);
  void set_value(Field& out, std::size_t begin, std::size_t from, std::size_t end, bool enclosed, bool null_escape,
                 std::string& made) const;
  Stop skip_line();
  Found matches(const std::string& mark, std::size_t at) const;
  void check_whole_character(std::size_t end) const;
  std::size_t next_special(const std::array<bool, 256>& special) const;

  const rewriter::LoadFormat format_;
  const std::vector<int> wanted_;
  const bool multibyte_;
  std::array<bool, 256> in_field_{};    ///< bytes that decide something within a field
  std::array<bool, 256> in_skipped_{};  ///< and where only the line's end counts
  std::string buffer_;
  std::size_t begin_ = 0;  ///< of the next row
  std::size_t at_ = 0;     ///< how far it has been read
  std::size_t look_again_ = 0;  ///< not before there is as much of it
  std::uint64_t to_skip_;
  std::uint64_t number_ = 0;
  bool finished_ = false;
  std::vector<Field> fields_;
  std::vector<std::string> made_;  ///< values that do not stand in the file as they are
};

}  // namespace anabranch::proxy::mysql
