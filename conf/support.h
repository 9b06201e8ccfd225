#pragma once

#include <vector>

#include "conf/config.h"
#include "conf/diagnostic.h"

namespace anabranch::conf {

/// What a valid configuration asks for and this build does not carry out yet: one diagnostic
/// `KEY: not supported yet` each, as warnings. `check` prints them; `serve` refuses to start (and
/// to reload) with them. A documented default that is merely written out is never among them.
std::vector<Diagnostic> unsupported(const Config& config);

}  // namespace anabranch::conf
