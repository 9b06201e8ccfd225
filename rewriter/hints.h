#pragma once

#include <optional>
#include <string>
#include <string_view>

/// `/* anabranch: shard=s2, key=42 */` before a statement.
namespace anabranch::rewriter {

struct Hints {
  std::optional<std::string> shard;  ///< the whole statement goes there, whatever it reads
  std::optional<std::string> key;    ///< the same, for the shard of this key
};

/// Unknown words are left to others (replica, timeout).
Hints parse_hints(std::string_view comment);

}  // namespace anabranch::rewriter
