#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conf/config.h"

namespace anabranch::conf {

enum class Severity : std::uint8_t { error, warning };

/// One thing to say about a configuration file, and where it stands.
struct Diagnostic {
  Severity severity = Severity::error;
  std::string file;
  Position where;
  std::string message;

  std::string text()
      const;  // `FILE:LINE:COL: error: MESSAGE`; without a place: `FILE: error: MESSAGE`
};

void sort_by_place(std::vector<Diagnostic>& diagnostics);

bool has_errors(const std::vector<Diagnostic>& diagnostics);

}  // namespace anabranch::conf
