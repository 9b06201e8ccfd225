#pragma once

#include <string>
#include <string_view>

#include "values/collation.h"

namespace anabranch::values {

/// Appends the canonical key of a jsonb value, given as jsonb_out() prints it (members in the
/// server's own order). The order is that of jsonb_cmp() of PostgreSQL 12 to 17, in which an empty
/// array sorts below everything; strings compare by the database's default collation. Throws
/// invalid_text.
void append_jsonb_key(std::string_view text, const Collation& collation, std::string& out);

}  // namespace anabranch::values
