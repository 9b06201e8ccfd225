#include "proxy/copy_rows.h"

#include <algorithm>

#include "proxy/copy_tuples.h"
#include "rewriter/clock.h"
#include "values/sql_error.h"

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

void CopyReader::feed(std::string_view data) {
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
  }
  buffer_.append(data);
}

CopyRows::CopyRows(const CopySplit& copy, std::string table)
    : CopyReader(copy), table_(std::move(table)), csv_(copy.format == CopySplit::Format::csv) {
  const auto mark = [this](char letter) { special_[static_cast<unsigned char>(letter)] = true; };
  mark('\n');
  mark('\r');
  if (csv_) {
    mark(copy.quote);
    mark(copy.escape);
  } else {
    mark('\\');
  }
}

void CopyRows::refuse_ending(bool carriage_return) const {
  const std::string what = carriage_return ? "carriage return" : "newline";
  values::SqlError error("22P04", (csv_ ? "unquoted " : "literal ") + what + " found in data",
                         csv_ ? "Use quoted CSV field to represent " + what + "."
                              : "Use \"" + std::string(carriage_return ? "\\r" : "\\n") + "\" to represent " + what + ".");
  const bool returns = ending_ != Ending::newline;
  error.context = "COPY " + table_ + ", line " + std::to_string(line_ + 1 + (returns ? returns_ : newlines_));
  throw error;
}

/// One past the end of a row whose end begins with a carriage return; npos: what follows must be seen.
std::size_t CopyRows::end_at_return(std::size_t at) {
  if (ending_ == Ending::newline) refuse_ending(true);
  if (ending_ == Ending::carriage_return) return at + 1;
  if (at + 1 == buffer_.size() && !finished_) return std::string::npos;
  if (at + 1 < buffer_.size() && buffer_[at + 1] == '\n') {
    ending_ = Ending::both;
    return at + 2;
  }
  if (ending_ == Ending::both) refuse_ending(true);
  ending_ = Ending::carriage_return;
  return at + 1;
}

void CopyRows::count_quoted(char letter) {
  if (letter == '\n') ++newlines_;
  if (letter == '\r') ++returns_;
}

/// One past the row's end, or npos with `scanned_` where the search goes on.
std::size_t CopyRows::find_end() {
  std::size_t at = std::max(scanned_, begin_);
  for (; at < buffer_.size(); ++at) {
    const char letter = buffer_[at];
    if (escaped_) {
      escaped_ = false;
      if (csv_) {
        count_quoted(letter);
      } else if (letter == '.') {
        marker_ = true;
      }
    } else if (!special_[static_cast<unsigned char>(letter)]) {
      continue;
    } else if (csv_ && in_quotes_ && letter == copy_.escape && copy_.escape != copy_.quote) {
      escaped_ = true;
    } else if (csv_ && letter == copy_.quote) {
      // A doubled quote leaves and enters again.
      in_quotes_ = !in_quotes_;
    } else if (in_quotes_) {
      count_quoted(letter);
    } else if (!csv_ && letter == '\\') {
      escaped_ = true;
    } else if (letter == '\n') {
      if (ending_ == Ending::carriage_return || ending_ == Ending::both) refuse_ending(false);
      ending_ = Ending::newline;
      return at + 1;
    } else if (letter == '\r') {
      const std::size_t end = end_at_return(at);
      if (end != std::string::npos) return end;
      break;
    }
  }
  scanned_ = at;
  return std::string::npos;
}

std::optional<CopyRow> CopyRows::next() {
  const bool first = ending_ == Ending::unknown;
  std::size_t end = find_end();
  if (end == std::string::npos) {
    if (!finished_ || begin_ == buffer_.size()) return std::nullopt;
    end = buffer_.size();
  }
  CopyRow row;
  row.bytes = rest().substr(0, end - begin_);
  // Before the first end of a line a server takes lines to end with a carriage return.
  row.lines_if_first = 1 + returns_;
  row.lines = ending_ == Ending::newline ? 1 + newlines_ : row.lines_if_first;
  line_ += first ? row.lines_if_first : row.lines;
  row.line = line_;
  row.header = first_ && copy_.header;
  row.marker = content_of(row.bytes) == "\\.";
  row.last = marker_ || row.marker;
  first_ = false;
  begin_ = scanned_ = end;
  in_quotes_ = escaped_ = marker_ = false;
  newlines_ = returns_ = 0;
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

bool CopyRows::read_keys(const CopyRow& row, std::vector<std::optional<std::string_view>>& keys) {
  keys.assign(copy_.key.size(), std::nullopt);
  int last = -1;
  for (const auto& key : copy_.key) last = std::max(last, key.field);
  std::string_view rest = content_of(row.bytes);
  // What stands before the marker is the last row.
  if (row.last && rest.ends_with("\\.")) rest.remove_suffix(2);
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

std::optional<std::string_view> CopyRows::clock_word(const CopyRow& row) {
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

void CopyRows::fill(const std::vector<std::optional<std::string>>& values) {
  for (const auto& value : values) {
    fill_ += copy_.delimiter;
    if (!value) {
      fill_ += copy_.null_text;
      continue;
    }
    if (csv_) fill_ += copy_.quote;
    for (const char letter : *value) {
      const bool special = csv_ ? letter == copy_.quote || letter == copy_.escape
                                : letter == '\\' || letter == copy_.delimiter || letter == '\n' || letter == '\r';
      if (special) fill_ += csv_ ? copy_.escape : '\\';
      fill_ += letter;
    }
    if (csv_) fill_ += copy_.quote;
  }
}

/// At least as many as the client's columns.
bool CopyRows::has_fields(std::string_view row) const {
  int fields = 1;
  bool inside = false;
  for (std::size_t at = 0; at < row.size() && fields < copy_.field_count; ++at) {
    const char letter = row[at];
    if (csv_ ? inside && letter == copy_.escape && copy_.escape != copy_.quote : letter == '\\') {
      ++at;
    } else if (csv_ && letter == copy_.quote) {
      inside = !inside;
    } else if (letter == copy_.delimiter && !inside) {
      ++fields;
    }
  }
  return fields >= copy_.field_count;
}

std::string_view CopyRows::filled(const CopyRow& row) {
  if (fill_.empty() || row.last) return row.bytes;
  const std::string_view content = content_of(row.bytes);
  if (!row.header && !has_fields(content)) return row.bytes;
  filled_.assign(content);
  filled_ += fill_;
  filled_ += row.bytes.substr(content.size());
  return filled_;
}

std::unique_ptr<CopyReader> make_copy_reader(const CopySplit& copy, std::string table) {
  if (copy.format == CopySplit::Format::binary) return std::make_unique<CopyTuples>(copy);
  return std::make_unique<CopyRows>(copy, std::move(table));
}

}  // namespace anabranch::proxy
