#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/diagnostic.h"

namespace anabranch::conf {

/// One node of a YAML file as it was written: scalars are texts, not yet numbers or truths, and
/// each node knows its place. (yaml-cpp's own tree would read `yes` as true, `010` as 8, and keep
/// only one of two equal keys.)
struct Node {
  enum class Kind : std::uint8_t { null, scalar, sequence, map };
  struct Entry;

  Kind kind = Kind::null;
  Position where;
  std::string text;            // of a scalar
  bool quoted = false;         // of a scalar: written in quotes or as a block
  std::vector<Node> items;     // of a sequence
  std::vector<Entry> entries;  // of a map, in file order, without equal keys

  const Entry* find(std::string_view key) const;
};

struct Node::Entry {
  std::string key;
  Position where;  // of the key
  Node value;
};

/// A name of the node's kind for messages: `a map`, `a list`, `nothing`, `"text"`.
std::string describe(const Node& node);

/// Parses a whole file into a map. Adds what is wrong to `diagnostics` (syntax, equal keys,
/// anchors, tags, a second document, too much or too deep); nothing if there is no map to go on
/// with.
std::optional<Node> parse_document(std::string_view text, const std::string& file,
                                   std::vector<Diagnostic>& diagnostics);

}  // namespace anabranch::conf
