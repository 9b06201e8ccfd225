#include "proxy/statement.h"

namespace anabranch::proxy {

void type_values(const net::pg::FieldList& fields, const net::pg::FormatList& formats,
                 std::span<const values::Oid> types, std::vector<rewriter::BoundValue>& into) {
  into.clear();
  into.reserve(fields.size());
  std::size_t index = 0;
  for (const net::pg::Field field : fields) {
    rewriter::BoundValue value;
    if (index < types.size()) value.type = types[index];
    value.format = static_cast<values::Format>(net::pg::format_of(formats, index));
    value.bytes = field;
    into.push_back(value);
    ++index;
  }
}

}  // namespace anabranch::proxy
