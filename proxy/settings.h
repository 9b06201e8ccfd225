#pragma once

#include "proxy/session_state.h"

namespace anabranch::proxy {

/// After a statement that may have changed settings invisibly (set_config, DO, CALL): what the
/// server now has is what the session wants.
net::Task<void> read_back_settings(SessionState& state, backends::Lease& lease);

/// What SET LOCAL covered comes back; call when a transaction commits.
void end_local_settings(SessionState& state);

}  // namespace anabranch::proxy
