#pragma once

#include "proxy/session_state.h"

namespace anabranch::proxy {

/// What SET LOCAL covered comes back; call when a transaction commits.
void end_local_settings(SessionState& state);
/// It has been rolled back: what came before all of it is back already.
void forget_local_settings(SessionState& state);

}  // namespace anabranch::proxy
