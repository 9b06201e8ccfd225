#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/config.h"
#include "conf/diagnostic.h"
#include "conf/document.h"
#include "conf/load.h"

namespace anabranch::conf {

/// What reads values out of nodes: knows the path of keys to where it reads, and collects all
/// diagnostics. Every function answers nothing (or false) after it has said what was wrong.
class Reader {
 public:
  Reader(std::string file, const Surroundings& surroundings)
      : file_(std::move(file)), surroundings_(surroundings) {}

  /// The time spent below one key; the path of messages is longer by its name.
  class Scope {
   public:
    Scope(Reader& reader, const std::string& key, Position where);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Reader& reader_;
    std::size_t path_length_;
    Position outer_;
  };

  void error(Position where, const std::string& message);    // prefixed with the path
  void warning(Position where, const std::string& message);  // prefixed with the path
  void error_at(Position where, std::string message);        // as it is

  std::optional<bool> boolean(const Node& node);
  std::optional<std::uint64_t> whole(const Node& node, std::uint64_t least, std::uint64_t most);
  std::optional<std::string> string(const Node& node);  // not empty, no control characters
  std::optional<std::vector<std::string>> strings(const Node& node);  // one, or a list
  std::optional<Milliseconds> duration(const Node& node, bool zero_allowed);
  std::optional<std::uint64_t> size(const Node& node, bool zero_allowed);
  std::optional<Address> address(const Node& node);
  std::optional<std::vector<Address>> addresses(const Node& node);  // one, or a list
  std::optional<std::string> secret(const Node& node);              // `env:` and `file:` resolved
  std::optional<std::string> readable_file(const Node& node);       // its path
  std::optional<std::string> resolved_path(const Node& node);
  std::optional<std::uint8_t> choice(const Node& node, std::span<const std::string_view> choices);
  std::optional<TableName> table_name(const Node& node);
  std::optional<TableName> table_name(std::string_view text, Position where);
  bool is_map(const Node& node);
  bool is_list(const Node& node);

  /// Says that `written` is none of `known`, with the nearest.
  void unknown(Position where, std::string_view what, std::string_view written,
               std::span<const std::string_view> known);

  const std::string& path() const { return path_; }
  Position here() const { return here_; }  // of the key that the innermost scope is for
  void wrong(const Node& node, std::string_view expected);

  std::vector<Diagnostic> diagnostics;
  std::map<std::string, Position> written;

 private:
  std::optional<Address> address_of(std::string_view text, const Node& node);

  std::string file_;
  const Surroundings& surroundings_;
  std::string path_;
  Position here_{1, 1};
};

/// The nearest of `known` by edit distance; empty if none is near.
std::string_view nearest(std::string_view written, std::span<const std::string_view> known);

/// `a, b, c`
std::string join(std::span<const std::string_view> list);

}  // namespace anabranch::conf
