#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"
#include "conf/diagnostic.h"

namespace anabranch::conf {

/// Where `env:` and `file:` secrets and the existence of named files come from; tests put their
/// own.
struct Surroundings {
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::function<std::optional<std::string>(const std::string& path)> read_file;
};
Surroundings real_surroundings();

struct Loaded {
  std::shared_ptr<const Config> config;  // null if any diagnostic is an error
  std::vector<Diagnostic> diagnostics;   // all that was found, in file order
};

/// Reads and validates a whole file. Never throws for what the file says; bounded in size (4 MiB),
/// depth and number of nodes. Warnings do not prevent loading.
Loaded load_file(const std::string& path);
Loaded load_text(std::string_view text, const std::string& file,
                 const Surroundings& surroundings = real_surroundings());

}  // namespace anabranch::conf
