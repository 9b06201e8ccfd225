#include "proxy/mysql/load_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

unsigned char byte(char c) { return static_cast<unsigned char>(c); }

/// "LOAD DATA", "Escape sequences".
char unescaped(char c) {
  switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'b': return '\b';
    case '0': return '\0';
    case 'Z': return '\032';
    default: return c;
  }
}

/// Bytes of a UTF-8 character that begins so.
std::size_t length_of_character(unsigned char lead) {
  if (lead < 0xc2) return 1;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

}  // namespace

LoadRows::LoadRows(const rewriter::LoadFormat& format, std::vector<int> wanted, bool multibyte)
    : format_(format),
      wanted_(std::move(wanted)),
      multibyte_(multibyte),
      to_skip_(format.skipped_lines),
      fields_(wanted_.size()),
      made_(wanted_.size()) {
  in_field_[byte(format_.line_end.front())] = in_skipped_[byte(format_.line_end.front())] = true;
  in_field_[byte(format_.field_end.front())] = true;
  if (format_.enclosed) in_field_[byte(*format_.enclosed)] = true;
  if (format_.escape) in_field_[byte(*format_.escape)] = in_skipped_[byte(*format_.escape)] = true;
}

void LoadRows::feed(std::string_view data) {
  buffer_.erase(0, begin_);
  begin_ = 0;
  buffer_ += data;
}

std::optional<std::string_view> LoadRows::next() {
  for (;;) {
    const std::size_t there = buffer_.size() - begin_;
    if (there == 0 || (!finished_ && there < look_again_)) return std::nullopt;
    const bool skips = to_skip_ > 0;
    const auto end = find_row_end();
    // A row that comes in many pieces is not read from its beginning with each of them.
    look_again_ = end ? 0 : 2 * there;
    if (!end) return std::nullopt;
    const std::string_view row = std::string_view(buffer_).substr(begin_, *end - begin_);
    begin_ = *end;
    if (skips) {
      --to_skip_;
      continue;
    }
    ++number_;
    return row;
  }
}

std::optional<std::size_t> LoadRows::find_row_end() {
  at_ = begin_;
  Stop stop = Stop::field;
  if (to_skip_ == 0) stop = read_fields();
  if (stop == Stop::field) stop = skip_line();
  return stop == Stop::more ? std::nullopt : std::optional(at_);
}

/// Stop::field: the line goes on.
LoadRows::Stop LoadRows::read_fields() {
  std::ranges::fill(fields_, Field{});
  std::size_t wanted = 0;
  for (int field = 0; field < format_.fields; ++field) {
    // What is left cannot hide the line's end.
    if (wanted == wanted_.size() && !format_.enclosed) return Stop::field;
    if (at_ == buffer_.size()) return finished_ ? Stop::data : Stop::more;
    const bool reads = wanted < wanted_.size() && wanted_[wanted] == field;
    const Stop stop = read_field(reads ? &fields_[wanted] : nullptr, reads ? &made_[wanted] : nullptr);
    if (reads) ++wanted;
    if (stop != Stop::field) return stop;
  }
  return Stop::field;
}

std::size_t LoadRows::next_special(const std::array<bool, 256>& special) const {
  std::size_t at = at_;
  while (at < buffer_.size() && !special[byte(buffer_[at])]) ++at;
  return at;
}

LoadRows::Found LoadRows::matches(const std::string& mark, std::size_t at) const {
  const std::size_t there = std::min(mark.size(), buffer_.size() - at);
  if (std::memcmp(buffer_.data() + at, mark.data(), there) != 0) return Found::no;
  if (there == mark.size()) return Found::yes;
  return finished_ ? Found::no : Found::more;
}

/// One field from at_ on; at_ is then behind what ends it. `out`: null where nobody asks for the value.
LoadRows::Stop LoadRows::read_field(Field* out, std::string* made) {
  const std::size_t begin = at_;
  const bool quoted = format_.enclosed && buffer_[begin] == *format_.enclosed;
  if (quoted) ++at_;
  std::size_t from = begin;  // of what stands for itself, and is not in `made` yet
  bool null_escape = false;
  if (made != nullptr) made->clear();
  const auto put = [&](std::size_t end, char c) {
    if (made != nullptr) made->append(buffer_, from, end - from).push_back(c);
  };
  const auto ends = [&](std::size_t end, std::size_t behind, bool enclosed, Stop how) {
    if (out != nullptr) set_value(*out, begin, from, end, enclosed, null_escape, *made);
    at_ = behind;
    return how;
  };
  for (;;) {
    at_ = next_special(in_field_);
    const bool last = at_ + 1 >= buffer_.size();
    if (last && !finished_) return Stop::more;
    if (at_ == buffer_.size()) return ends(at_, at_, false, Stop::data);
    const char c = buffer_[at_];
    if (format_.escape && c == *format_.escape) {
      if (last) return ends(at_ + 1, at_ + 1, false, Stop::data);
      const char escaped = buffer_[at_ + 1];
      // Where one character does both, it is doubled to stand for itself, and does nothing else.
      if (!format_.enclosed || c != *format_.enclosed || escaped == c) {
        put(at_, unescaped(escaped));
        null_escape |= escaped == 'N';
        from = at_ += 2;
        continue;
      }
    }
    if (!quoted) {
      const Found line = matches(format_.line_end, at_);
      const Found field = line == Found::no ? matches(format_.field_end, at_) : Found::no;
      if (line == Found::more || field == Found::more) return Stop::more;
      if (line == Found::yes) return ends(at_, at_ + format_.line_end.size(), false, Stop::line);
      if (field == Found::yes) return ends(at_, at_ + format_.field_end.size(), false, Stop::field);
    } else if (c == *format_.enclosed) {
      if (last) return ends(at_, at_ + 1, true, Stop::line);
      if (buffer_[at_ + 1] == c) {
        put(at_, c);
        from = at_ += 2;
        continue;
      }
      const Found line = matches(format_.line_end, at_ + 1);
      const Found field = line == Found::no ? matches(format_.field_end, at_ + 1) : Found::no;
      if (line == Found::more || field == Found::more) return Stop::more;
      if (line == Found::yes) return ends(at_, at_ + 1 + format_.line_end.size(), true, Stop::line);
      if (field == Found::yes) return ends(at_, at_ + 1 + format_.field_end.size(), true, Stop::field);
    }
    ++at_;
  }
}

/// `begin`: of the field, its quote included; `made`: what has been put together of it before `from`.
void LoadRows::set_value(Field& out, std::size_t begin, std::size_t from, std::size_t end, bool enclosed,
                         bool null_escape, std::string& made) const {
  std::string_view value = std::string_view(buffer_).substr(begin, end - begin);
  if (from != begin) value = made.append(buffer_, from, end - from);
  if (enclosed) value.remove_prefix(1);
  const bool null_word = format_.enclosed && !enclosed && value == "NULL";
  out.given = true;
  if (!null_word && !(null_escape && value.size() == 1)) out.value = value;
}

/// What follows the fields does not count, quotes included.
LoadRows::Stop LoadRows::skip_line() {
  for (;;) {
    at_ = next_special(in_skipped_);
    const bool last = at_ + 1 >= buffer_.size();
    if (last && !finished_ && (at_ == buffer_.size() || (format_.escape && buffer_[at_] == *format_.escape))) {
      return Stop::more;
    }
    if (at_ == buffer_.size()) return Stop::data;
    check_whole_character(at_);
    if (format_.escape && buffer_[at_] == *format_.escape) {
      at_ = std::min(at_ + 2, buffer_.size());
      continue;
    }
    const Found line = matches(format_.line_end, at_);
    if (line == Found::more) return Stop::more;
    at_ += line == Found::yes ? format_.line_end.size() : 1;
    if (line == Found::yes) return Stop::line;
  }
}

/// A server that skips takes what stands behind half a character for its rest.
void LoadRows::check_whole_character(std::size_t end) const {
  if (!multibyte_) return;
  for (std::size_t back = 1; back <= 3 && back <= end - begin_; ++back) {
    const unsigned char c = byte(buffer_[end - back]);
    if (c < 0x80) return;
    if (c < 0xc0) continue;
    if (length_of_character(c) <= back) return;
    throw values::make_error(values::ErrorId::unsupported_clause, "LOAD DATA of this file",
                             fmt::format("half a character stands at the end of row {}", number_ + 1),
                             "Write the file in the character set that it is loaded with.");
  }
}

}  // namespace anabranch::proxy::mysql
