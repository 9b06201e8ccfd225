#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "conf/config.h"
#include "conf/diagnostic.h"

namespace anabranch::proxy {

/// The exit statuses of every subcommand.
inline constexpr int exit_fine = 0;
inline constexpr int exit_refused = 1;
inline constexpr int exit_usage = 2;

struct CheckOptions {
  std::string config;  // path
};

/// `anabranch check`: validates the file whole. Every diagnostic goes to `err`, one a line; `ok` to
/// `out` if none is an error. Connects to nothing.
int check(const CheckOptions& options, std::ostream& out, std::ostream& err);

/// The file's configuration; null: it is not valid, and `err` says why.
std::shared_ptr<const conf::Config> load_config(const std::string& path, std::ostream& err);

void print(const std::vector<conf::Diagnostic>& diagnostics, std::ostream& err);

}  // namespace anabranch::proxy
