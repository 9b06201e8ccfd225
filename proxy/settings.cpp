#include "proxy/settings.h"

namespace anabranch::proxy {

void end_local_settings(SessionState& state) {
  for (const auto& [name, before] : state.locals) {
    if (before) {
      state.settings.set(name, *before);
    } else {
      state.settings.reset(name);
    }
  }
  if (!state.locals.empty()) state.refresh_planning();
  forget_local_settings(state);
}

void forget_local_settings(SessionState& state) {
  state.locals.clear();
  state.locals_at.clear();
}

}  // namespace anabranch::proxy
