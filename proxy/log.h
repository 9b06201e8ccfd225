#pragma once

#include <spdlog/spdlog.h>

#include <string>

#include "conf/config.h"

namespace anabranch::proxy {

/// Sets up the process's log on standard error as `log` says: one line an event, text or JSON.
/// May be called again (reload); any thread may log at any time.
void configure_log(const conf::Log& log);

/// `text` as the inside of a JSON string.
std::string json_escaped(std::string_view text);

}  // namespace anabranch::proxy
