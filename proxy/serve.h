#pragma once

#include <string>

namespace anabranch::proxy {

struct ServeOptions {
  std::string config;  ///< path
};

/// `anabranch serve`: runs until SIGTERM (drains, then ends) or SIGINT (ends). SIGHUP reloads.
/// Answers the process's exit status.
int serve(const ServeOptions& options);

}  // namespace anabranch::proxy
