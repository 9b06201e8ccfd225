#include "net/pg/lists.h"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <limits>

namespace anabranch::net::pg {

Field FieldList::Iterator::operator*() const {
  const std::int32_t length = load_int32(at_);
  if (length < 0) return std::nullopt;
  return std::string_view(at_ + 4, static_cast<std::size_t>(length));
}

FieldList::Iterator& FieldList::Iterator::operator++() {
  const std::int32_t length = load_int32(at_);
  at_ += 4 + (length > 0 ? length : 0);
  --left_;
  return *this;
}

Field FieldList::operator[](std::size_t index) const {
  Iterator at = begin();
  for (std::size_t i = 0; i < index; ++i) ++at;
  return *at;
}

void Fields::add(Field value) {
  if (count_ == std::numeric_limits<std::uint16_t>::max()) {
    fmt::print(stderr, "net::pg::Fields: more than 65535 values\n");
    std::abort();
  }
  ++count_;
  store_int32(bytes_.grow(4), value ? static_cast<std::int32_t>(value->size()) : -1);
  if (value) bytes_.append(*value);
}

}  // namespace anabranch::net::pg
