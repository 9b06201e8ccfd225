#include "proxy/copy_rows.h"

#include <algorithm>

#include "rewriter/clock.h"

namespace anabranch::proxy {

namespace {

using rewriter::CopySplit;

int hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

bool is_octal(char letter) { return letter >= '0' && letter <= '7'; }

/// The row without its end of line.
std::string_view content_of(std::string_view row) {
  if (row.ends_with('\n')) row.remove_suffix(1);
  if (row.ends_with('\r')) row.remove_suffix(1);
  return row;
}

/// What a backslash in text format stands for; `at` is behind the backslash and moves on.
char unescape(std::string_view text, std::size_t& at) {
  const char letter = text[at++];
  switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: break;
  }
  if (is_octal(letter)) {
    int value = letter - '0';
    for (int i = 0; i < 2 && at < text.size() && is_octal(text[at]); ++i) value = value * 8 + (text[at++] - '0');
    return static_cast<char>(value & 0xFF);
  }
  if (letter == 'x' && at < text.size() && hex_digit(text[at]) >= 0) {
    int value = hex_digit(text[at++]);
    if (at < text.size() && hex_digit(text[at]) >= 0) value = value * 16 + hex_digit(text[at++]);
    return static_cast<char>(value);
  }
  return letter;
}

}  // namespace

CopyRows::CopyRows(const CopySplit& copy)
    : copy_(copy), csv_(copy.format == CopySplit::Format::csv), values_(copy.key.size()) {}

void CopyRows::feed(std::string_view data) {
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
  }
  buffer_.append(data);
}

/// One past the row's newline, or npos.
std::size_t CopyRows::find_end(std::size_t from) {
  for (std::size_t at = from; at < buffer_.size(); ++at) {
    const char letter = buffer_[at];
    if (csv_) {
      // A doubled quote leaves and enters again; an escape inside quotes covers what follows it.
      if (escaped_) {
        escaped_ = false;
      } else if (in_quotes_ && letter == copy_.escape && copy_.escape != copy_.quote) {
        escaped_ = true;
      } else if (letter == copy_.quote) {
        in_quotes_ = !in_quotes_;
      } else if (letter == '\n' && !in_quotes_) {
        return at + 1;
      }
    } else if (escaped_) {
      escaped_ = false;
    } else if (letter == '\\') {
      escaped_ = true;
    } else if (letter == '\n') {
      return at + 1;
    }
  }
  return std::string::npos;
}

std::optional<CopyRows::Row> CopyRows::next() {
  std::size_t end = find_end(std::max(scanned_, begin_));
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    if (!finished_ || begin_ == buffer_.size()) return std::nullopt;
    end = buffer_.size();
  }
  Row row;
  row.bytes = std::string_view(buffer_).substr(begin_, end - begin_);
  row.line = line_;
  row.header = first_ && copy_.header;
  row.end_marker = content_of(row.bytes) == "\\.";
  line_ += static_cast<std::uint64_t>(std::ranges::count(row.bytes, '\n'));
  first_ = false;
  begin_ = scanned_ = end;
  in_quotes_ = escaped_ = false;
  return row;
}

/// Cuts one field off `rest`; false: there was none left.
bool CopyRows::read_text_field(std::string_view& rest, std::string& value, bool& null) const {
  std::size_t at = 0;
  value.clear();
  while (at < rest.size() && rest[at] != copy_.delimiter) {
    if (rest[at] == '\\' && at + 1 < rest.size()) {
      ++at;
      value += unescape(rest, at);
    } else {
      value += rest[at++];
    }
  }
  null = rest.substr(0, at) == copy_.null_text;
  const bool more = at < rest.size();
  rest.remove_prefix(more ? at + 1 : at);
  return more;
}

bool CopyRows::read_csv_field(std::string_view& rest, std::string& value, bool& quoted) const {
  std::size_t at = 0;
  bool inside = false;
  value.clear();
  quoted = false;
  for (; at < rest.size(); ++at) {
    const char letter = rest[at];
    if (!inside && letter == copy_.delimiter) break;
    const bool next_special =
        at + 1 < rest.size() && (rest[at + 1] == copy_.quote || rest[at + 1] == copy_.escape);
    if (inside && letter == copy_.escape && next_special) {
      value += rest[++at];
    } else if (letter == copy_.quote) {
      inside = !inside;
      quoted = true;
    } else {
      value += letter;
    }
  }
  const bool more = at < rest.size();
  rest.remove_prefix(more ? at + 1 : at);
  return more;
}

bool CopyRows::read_keys(const Row& row, std::vector<std::optional<std::string_view>>& keys) {
  keys.assign(copy_.key.size(), std::nullopt);
  int last = -1;
  for (const auto& key : copy_.key) last = std::max(last, key.field);
  std::string_view rest = content_of(row.bytes);
  std::string value;
  bool more = true;
  for (int field = 0; field <= last; ++field) {
    if (!more) return false;
    bool special = false;
    more = csv_ ? read_csv_field(rest, value, special) : read_text_field(rest, value, special);
    for (std::size_t i = 0; i < copy_.key.size(); ++i) {
      const auto& key = copy_.key[i];
      if (key.field != field) continue;
      bool null = special;
      if (csv_) {
        const bool looks_null = value == copy_.null_text;
        null = looks_null && (special ? key.force_null : !key.force_not_null);
      }
      if (null) continue;
      values_[i] = value;
      keys[i] = values_[i];
    }
  }
  for (std::size_t i = 0; i < copy_.key.size(); ++i) {
    if (copy_.key[i].field < 0 && copy_.key[i].default_text) keys[i] = *copy_.key[i].default_text;
  }
  return true;
}

/// Its fields stand in the row as they are.
bool CopyRows::is_plain(std::string_view row) const {
  const char special = csv_ ? copy_.quote : '\\';
  return row.find(special) == std::string_view::npos;
}

std::optional<std::string_view> CopyRows::clock_word(const Row& row) {
  const auto& fields = copy_.clock_fields;
  std::string_view rest = content_of(row.bytes);
  if (fields.empty() || (is_plain(rest) && !rewriter::may_say_now(rest))) return std::nullopt;
  bool more = true;
  auto next = fields.begin();
  for (int field = 0; more && next != fields.end(); ++field) {
    bool special = false;
    more = csv_ ? read_csv_field(rest, clock_, special) : read_text_field(rest, clock_, special);
    if (field != *next) continue;
    ++next;
    if (rewriter::says_now(clock_)) return clock_;
  }
  return std::nullopt;
}

}  // namespace anabranch::proxy
