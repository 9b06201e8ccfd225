#include "proxy/copy_encoder.h"

#include <algorithm>

#include "net/pg/framing.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using rewriter::CopyFormat;

void append_int16(net::Buffer& out, std::size_t value) {
  net::pg::store_int16(out.grow(2), static_cast<std::int16_t>(value));
}

void append_int32(net::Buffer& out, std::int64_t value) {
  net::pg::store_int32(out.grow(4), static_cast<std::int32_t>(value));
}

/// What stands behind the backslash for a character that is escaped.
char escape_letter(char letter) {
  switch (letter) {
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\v': return 'v';
    default: return letter;
  }
}

}  // namespace

CopyEncoder::CopyEncoder(const rewriter::CopyOut& copy) : copy_(copy) {
  const auto mark = [this](char letter) { special_[static_cast<unsigned char>(letter)] = true; };
  mark(copy.delimiter);
  mark('\n');
  mark('\r');
  if (copy.format == CopyFormat::Format::csv) {
    mark(copy.quote);
  } else {
    for (const char letter : {'\b', '\f', '\t', '\v', '\\'}) mark(letter);
  }
}

void CopyEncoder::encode(const merge::RowView& row, net::Buffer& out) {
  row.split(fields_);
  if (fields_.size() != copy_.columns.size()) {
    throw values::make_error(values::ErrorId::protocol_violation, "a row with another number of columns");
  }
  if (copy_.format == CopyFormat::Format::binary) return binary(out);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (i > 0) out.append(copy_.delimiter);
    if (!fields_[i]) {
      out.append(copy_.null_text);
    } else if (copy_.format == CopyFormat::Format::csv) {
      csv(*fields_[i], copy_.force_quote[i], out);
    } else {
      text(*fields_[i], out);
    }
  }
  out.append('\n');
}

void CopyEncoder::binary(net::Buffer& out) const {
  append_int16(out, fields_.size());
  for (const auto& field : fields_) {
    append_int32(out, field ? static_cast<std::int64_t>(field->size()) : -1);
    if (field) out.append(*field);
  }
}

void CopyEncoder::text(std::string_view value, net::Buffer& out) const {
  std::size_t begin = 0;
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (!special_[static_cast<unsigned char>(value[at])]) continue;
    out.append(value.substr(begin, at - begin));
    out.append('\\');
    out.append(escape_letter(value[at]));
    begin = at + 1;
  }
  out.append(value.substr(begin));
}

void CopyEncoder::csv(std::string_view value, bool quote, net::Buffer& out) const {
  quote = quote || value == copy_.null_text || (fields_.size() == 1 && value == "\\.") ||
          std::ranges::any_of(value, [this](char letter) { return special_[static_cast<unsigned char>(letter)]; });
  if (!quote) return out.append(value);
  out.append(copy_.quote);
  std::size_t begin = 0;
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (value[at] != copy_.quote && value[at] != copy_.escape) continue;
    out.append(value.substr(begin, at - begin));
    out.append(copy_.escape);
    begin = at;
  }
  out.append(value.substr(begin));
  out.append(copy_.quote);
}

}  // namespace anabranch::proxy
