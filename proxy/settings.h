#pragma once

#include "proxy/session_state.h"

namespace anabranch::proxy {

/// What SET LOCAL covered comes back; call when a transaction commits.
void end_local_settings(SessionState& state);

}  // namespace anabranch::proxy
