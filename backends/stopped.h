#pragma once

#include "net/wait.h"
#include "values/errors.h"

namespace anabranch::backends {

/// What a statement fails with whose wait was ended: 57014, in the words of a timeout or a cancel.
inline values::SqlError stopped(net::Wait why) {
  if (why == net::Wait::timed_out) return make_error(values::ErrorId::statement_timeout);
  return make_error(values::ErrorId::canceled);
}

}  // namespace anabranch::backends
