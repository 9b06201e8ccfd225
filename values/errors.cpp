#include "values/errors.h"

namespace anabranch::values {

namespace {

constexpr bool in_enum_order() {
  for (size_t i = 0; i < kErrors.size(); ++i) {
    if (static_cast<size_t>(kErrors[i].id) != i || kErrors[i].sqlstate.size() != 5) return false;
  }
  return kErrors.size() == static_cast<size_t>(ErrorId::internal) + 1;
}
static_assert(in_enum_order(), "kErrors must list every ErrorId once, in order");

}  // namespace

SqlError make_error_from(ErrorId id, fmt::format_args args) {
  const ErrorRow& row = error_row(id);
  SqlError error(std::string(row.sqlstate), fmt::vformat(row.message, args), fmt::vformat(row.hint, args));
  error.mysql_code = row.mysql_code;
  return error;
}

}  // namespace anabranch::values
