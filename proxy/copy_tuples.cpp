#include "proxy/copy_tuples.h"

#include <algorithm>

#include "net/pg/framing.h"
#include "values/sql_error.h"

namespace anabranch::proxy {

namespace {

constexpr std::string_view signature("PGCOPY\n\xff\r\n\0", 11);
constexpr std::string_view plain_header("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19);
/// PostgreSQL's own bound of what one allocation may be.
constexpr std::int32_t longest_field = 0x3fffffff;

[[noreturn]] void bad_file(const char* message) { throw values::SqlError("22P04", message); }

}  // namespace

CopyTuples::CopyTuples(const rewriter::CopySplit& copy) : CopyReader(copy), keys_(copy.key.size()) {}

/// False: more is needed. The words are the server's.
bool CopyTuples::read_header() {
  const std::string_view bytes = rest();
  const std::string_view given = bytes.substr(0, signature.size());
  if (given != signature.substr(0, given.size())) bad_file("COPY file signature not recognized");
  if (bytes.size() < plain_header.size() && !finished_) return false;
  if (bytes.size() < 11) bad_file("COPY file signature not recognized");
  if (bytes.size() < 15) bad_file("invalid COPY file header (missing flags)");
  const auto flags = static_cast<std::uint32_t>(net::pg::load_int32(bytes.data() + 11));
  if ((flags & 0x10000U) != 0) bad_file("invalid COPY file header (WITH OIDS)");
  if ((flags >> 16U) != 0) bad_file("unrecognized critical flags in COPY file header");
  if (bytes.size() < 19) bad_file("invalid COPY file header (missing length)");
  const std::int32_t extension = net::pg::load_int32(bytes.data() + 15);
  if (extension < 0) bad_file("invalid COPY file header (missing length)");
  extension_left_ = static_cast<std::size_t>(extension);
  begin_ += plain_header.size();
  header_read_ = true;
  return true;
}

bool CopyTuples::skip_extension() {
  const std::size_t skipped = std::min(extension_left_, rest().size());
  begin_ += skipped;
  extension_left_ -= skipped;
  if (extension_left_ > 0 && finished_) bad_file("invalid COPY file header (wrong length)");
  return extension_left_ == 0;
}

std::optional<CopyRow> CopyTuples::next() {
  if (ended_) {
    begin_ = buffer_.size();
    scanned_ = begin_;
    return std::nullopt;
  }
  if (!header_read_ && !read_header()) return std::nullopt;
  const bool skipped = skip_extension();
  scanned_ = begin_;
  if (!skipped) return std::nullopt;
  if (header_given_) return tuple();
  header_given_ = true;
  CopyRow header;
  header.bytes = plain_header;
  header.header = true;
  header.lines = header.lines_if_first = 0;
  return header;
}

std::optional<CopyRow> CopyTuples::row_of(std::size_t bytes, bool broken) {
  CopyRow row;
  row.bytes = rest().substr(0, bytes);
  row.line = ++line_;
  row.last = row.broken = broken;
  ended_ = broken;
  begin_ += row.bytes.size();
  scanned_ = begin_;
  return row;
}

std::optional<CopyRow> CopyTuples::cut_short() {
  if (!finished_) return std::nullopt;
  return row_of(rest().size(), true);
}

std::optional<CopyRow> CopyTuples::tuple() {
  const std::string_view bytes = rest();
  if (bytes.size() < 2) return std::nullopt;  // at the end: as good as a trailer
  const std::int16_t count = net::pg::load_int16(bytes.data());
  if (count == -1) {
    // Behind the trailer nothing may come.
    if (bytes.size() > trailer.size()) return row_of(trailer.size() + 1, true);
    return std::nullopt;
  }
  if (count != copy_.field_count) return row_of(2, true);
  std::size_t at = 2;
  for (int field = 0; field < count; ++field) {
    if (bytes.size() - at < 4) return cut_short();
    const std::int32_t length = net::pg::load_int32(bytes.data() + at);
    at += 4;
    if (length < -1 || length > longest_field) return row_of(at, true);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (copy_.key[i].field == field) keys_[i] = {at, length};
    }
    if (length <= 0) continue;
    if (bytes.size() - at < static_cast<std::size_t>(length)) return cut_short();
    at += static_cast<std::size_t>(length);
  }
  return row_of(at, false);
}

bool CopyTuples::read_keys(const CopyRow& row, std::vector<std::optional<std::string_view>>& keys) {
  keys.assign(copy_.key.size(), std::nullopt);
  if (row.broken) return false;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (copy_.key[i].field < 0 || keys_[i].length < 0) continue;
    keys[i] = row.bytes.substr(keys_[i].offset, static_cast<std::size_t>(keys_[i].length));
  }
  return true;
}

}  // namespace anabranch::proxy
