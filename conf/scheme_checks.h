#pragma once

#include <cstdint>

#include "conf/config.h"
#include "conf/document.h"
#include "conf/reader.h"

namespace anabranch::conf {

/// What the parameters of a scheme, defaults filled in, say together: hashes that do not fit the
/// type, tables that are too small, weights without effect. `node` is the scheme's own map.
void check_scheme(Reader& reader, const Node& node, const Scheme& scheme, const Database& database);

/// The least prime that is no less.
std::uint32_t next_prime(std::uint32_t number);

}  // namespace anabranch::conf
