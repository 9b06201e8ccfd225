#pragma once

#include <string>
#include <string_view>

#include "conf/load.h"

namespace anabranch::conf::testing {

/// No environment but `APP_PASSWORD`, no files but those named `present`.
inline Surroundings surroundings() {
  return {
      [](const std::string& name) -> std::optional<std::string> {
        if (name == "APP_PASSWORD") return "secret";
        return std::nullopt;
      },
      [](const std::string& path) -> std::optional<std::string> {
        if (path.ends_with("present")) return "from a file\n";
        return std::nullopt;
      },
  };
}

inline Loaded load(std::string_view text) {
  return load_text(text, "dir/test.yaml", surroundings());
}

/// A file with one database `shop` of shards s1 and s2 (weight 2), and `more` in that entry.
inline std::string shop(std::string_view more) {
  return "listen: {postgres: 127.0.0.1:6432}\n"
         "users: [{name: app, password: secret}]\n"
         "databases:\n"
         "  shop:\n"
         "    backend: {user: app}\n"
         "    shards:\n"
         "      s1: {primary: 10.0.0.1:5432}\n"
         "      s2: {primary: 10.0.0.2:5432, weight: 2}\n"
         "    default_shard: s1\n" +
         std::string(more);
}

}  // namespace anabranch::conf::testing
