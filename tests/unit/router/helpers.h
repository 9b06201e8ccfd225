#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "conf/load.h"
#include "router/shard_map.h"

namespace anabranch::router::testing {

inline std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> fields(1);
  for (const char c : text) {
    if (c == separator) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

inline KeyValue key(KeyType type, const std::string& text) {
  auto value = conf::parse_key(type, text);
  REQUIRE_MESSAGE(value.has_value(), text);
  return *value;
}

/// The rows of a tab-separated file in vectors/, without its comments.
inline std::vector<std::vector<std::string>> vectors(const std::string& name) {
  std::ifstream file(std::string(ANABRANCH_SOURCE_DIR) + "/tests/unit/router/vectors/" + name);
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) rows.push_back(split(line, '\t'));
  }
  return rows;
}

/// A map of shards s1, s2 (weight 2), s3 and `more`, the schemes and tables.
inline std::shared_ptr<const ShardMap> map_of(const std::string& more) {
  const std::string text =
      "listen: {postgres: 127.0.0.1:6432}\n"
      "users: [{name: app, password: secret}]\n"
      "databases:\n"
      "  shop:\n"
      "    backend: {user: app}\n"
      "    shards:\n"
      "      s1: {primary: 10.0.0.1:5432}\n"
      "      s2: {primary: 10.0.0.2:5432, weight: 2}\n"
      "      s3: {primary: 10.0.0.3:5432}\n"
      "    default_shard: s1\n" +
      more;
  const conf::Loaded loaded = conf::load_text(text, "test.yaml");
  for (const auto& diagnostic : loaded.diagnostics) MESSAGE(diagnostic.text());
  REQUIRE(loaded.config != nullptr);
  std::vector<conf::Diagnostic> diagnostics;
  auto map = ShardMap::build(loaded.config->databases.front(), "test.yaml", diagnostics);
  for (const auto& diagnostic : diagnostics) MESSAGE(diagnostic.text());
  REQUIRE(map != nullptr);
  return map;
}

}  // namespace anabranch::router::testing
