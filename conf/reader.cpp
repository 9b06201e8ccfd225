#include "conf/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>

namespace anabranch::conf {
namespace {

constexpr std::uint64_t longest_duration_ms = std::numeric_limits<std::int32_t>::max();

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; });
}

/// Digits only, without leading zeros (which YAML would read as octal); nothing if it is not that
/// or does not fit.
std::optional<std::uint64_t> decimal(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 4> duration_units{
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<Unit, 4> size_units{
    {{"KiB", 1ULL << 10U}, {"MiB", 1ULL << 20U}, {"GiB", 1ULL << 30U}, {"TiB", 1ULL << 40U}}};

std::optional<std::uint64_t> with_unit(std::string_view text, std::span<const Unit> units) {
  const auto digits =
      static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
  const auto number = decimal(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    std::uint64_t value = 0;
    if (unit.name == text.substr(digits) && !__builtin_mul_overflow(*number, unit.factor, &value)) {
      return value;
    }
  }
  return std::nullopt;
}

std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t changed = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest(std::string_view written, std::span<const std::string_view> known) {
  constexpr std::size_t longest_name = 64;
  if (written.size() > longest_name) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, written.size() / 2) + 1;
  for (const std::string_view name : known) {
    const std::size_t distance = edit_distance(written, name);
    if (distance < best_distance && distance < name.size()) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

std::string join(std::span<const std::string_view> list) {
  return fmt::format("{}", fmt::join(list.begin(), list.end(), ", "));
}

Reader::Scope::Scope(Reader& reader, const std::string& key, Position where)
    : reader_(reader), path_length_(reader.path_.size()), outer_(reader.here_) {
  if (!reader_.path_.empty()) reader_.path_ += '.';
  reader_.path_ += key;
  reader_.here_ = where;
  reader_.written.emplace(reader_.path_, where);
}

Reader::Scope::~Scope() {
  reader_.path_.resize(path_length_);
  reader_.here_ = outer_;
}

void Reader::error_at(Position where, std::string message) {
  diagnostics.push_back({Severity::error, file_, where, std::move(message)});
}

void Reader::error(Position where, const std::string& message) {
  error_at(where, path_.empty() ? message : path_ + ": " + message);
}

void Reader::warning(Position where, const std::string& message) {
  diagnostics.push_back(
      {Severity::warning, file_, where, path_.empty() ? message : path_ + ": " + message});
}

void Reader::wrong(const Node& node, std::string_view expected) {
  error(node.where, fmt::format("expected {}, not {}", expected, describe(node)));
}

void Reader::unknown(Position where, std::string_view what, std::string_view name,
                     std::span<const std::string_view> known) {
  std::string message = fmt::format("unknown {} `{}`", what, name);
  if (const std::string_view near = nearest(name, known); !near.empty()) {
    message += fmt::format("; the nearest known one is `{}`", near);
  }
  constexpr std::size_t most_listed = 24;
  if (known.size() <= most_listed && !known.empty()) {
    message += fmt::format(" (expected {}{})", known.size() > 1 ? "one of " : "", join(known));
  }
  error(where, message);
}

bool Reader::is_map(const Node& node) {
  if (node.kind != Node::Kind::map) wrong(node, "a map");
  return node.kind == Node::Kind::map;
}

bool Reader::is_list(const Node& node) {
  if (node.kind != Node::Kind::sequence) wrong(node, "a list");
  return node.kind == Node::Kind::sequence;
}

std::optional<bool> Reader::boolean(const Node& node) {
  if (node.kind == Node::Kind::scalar && !node.quoted) {
    if (node.text == "true") return true;
    if (node.text == "false") return false;
  }
  wrong(node, "true or false");
  return std::nullopt;
}

std::optional<std::uint64_t> Reader::whole(const Node& node, std::uint64_t least,
                                           std::uint64_t most) {
  const auto value =
      node.kind == Node::Kind::scalar && !node.quoted ? decimal(node.text) : std::nullopt;
  if (value && *value >= least && *value <= most) return value;
  const bool zeros =
      node.text.size() > 1 && node.text.front() == '0' && std::ranges::all_of(node.text, is_digit);
  wrong(node, fmt::format("a whole number from {} to {}{}", least, most,
                          zeros ? " without leading zeros" : ""));
  return std::nullopt;
}

std::optional<std::string> Reader::string(const Node& node) {
  if (node.kind != Node::Kind::scalar) {
    wrong(node, "a text");
    return std::nullopt;
  }
  if (node.text.empty() || has_control(node.text)) {
    error(node.where, node.text.empty() ? "expected a text that is not empty"
                                        : "expected a text without control characters");
    return std::nullopt;
  }
  return node.text;
}

std::optional<std::vector<std::string>> Reader::strings(const Node& node) {
  std::vector<std::string> list;
  if (node.kind != Node::Kind::sequence) {
    auto one = string(node);
    if (!one) return std::nullopt;
    list.push_back(std::move(*one));
    return list;
  }
  for (const Node& item : node.items) {
    auto one = string(item);
    if (!one) return std::nullopt;
    if (std::ranges::find(list, *one) != list.end()) {
      error(item.where, fmt::format("`{}` is listed twice", *one));
      return std::nullopt;
    }
    list.push_back(std::move(*one));
  }
  return list;
}

std::optional<Milliseconds> Reader::duration(const Node& node, bool zero_allowed) {
  if (node.kind == Node::Kind::scalar) {
    const auto value =
        node.text == "0" ? std::optional<std::uint64_t>(0) : with_unit(node.text, duration_units);
    if (value && *value <= longest_duration_ms && (*value > 0 || zero_allowed)) {
      return Milliseconds(*value);
    }
  }
  wrong(node, zero_allowed ? "a duration such as 250ms, 5s, 10m, 1h (at most 24 days), or 0"
                           : "a duration such as 250ms, 5s, 10m, 1h (at most 24 days, not 0)");
  return std::nullopt;
}

std::optional<std::uint64_t> Reader::size(const Node& node, bool zero_allowed) {
  if (node.kind == Node::Kind::scalar) {
    const auto value =
        node.text == "0" ? std::optional<std::uint64_t>(0) : with_unit(node.text, size_units);
    if (value && (*value > 0 || zero_allowed)) return value;
  }
  wrong(node, fmt::format("a size such as 64KiB, 256MiB, 10GiB{}", zero_allowed ? ", or 0" : ""));
  return std::nullopt;
}

std::optional<Address> Reader::address_of(std::string_view text, const Node& node) {
  constexpr std::string_view expected =
      "an address such as 127.0.0.1:6432, db.example:5432 or [::1]:6432";
  const std::size_t colon = text.rfind(':');
  Address result;
  if (colon != std::string_view::npos) {
    result.host = text.substr(0, colon);
    const auto port = decimal(text.substr(colon + 1));
    if (port && *port >= 1 && *port <= 65'535) result.port = static_cast<std::uint16_t>(*port);
  }
  const bool brackets =
      result.host.size() > 2 && result.host.front() == '[' && result.host.back() == ']';
  if (brackets) result.host = result.host.substr(1, result.host.size() - 2);
  const bool v6 = result.host.find(':') != std::string::npos;
  const bool odd = result.host.empty() || has_control(result.host) ||
                   result.host.find_first_of(" []/@,") != std::string::npos || v6 != brackets;
  if (odd || result.port == 0) {
    wrong(node, fmt::format("{} (port 1 to 65535)", expected));
    return std::nullopt;
  }
  return result;
}

std::optional<Address> Reader::address(const Node& node) {
  const auto text = string(node);
  if (!text) return std::nullopt;
  return address_of(*text, node);
}

std::optional<std::vector<Address>> Reader::addresses(const Node& node) {
  std::vector<Address> list;
  const std::span<const Node> nodes = node.kind == Node::Kind::sequence
                                          ? std::span<const Node>(node.items)
                                          : std::span<const Node>(&node, 1);
  for (const Node& item : nodes) {
    auto one = address(item);
    if (!one) continue;
    if (std::ranges::find(list, *one) != list.end()) {
      error(item.where, fmt::format("`{}` is listed twice", one->text()));
      continue;
    }
    list.push_back(std::move(*one));
  }
  return list;
}

std::optional<std::string> Reader::secret(const Node& node) {
  const auto text = string(node);
  if (!text) return std::nullopt;
  std::optional<std::string> value;
  if (text->starts_with("env:")) {
    const std::string name = text->substr(4);
    value = name.empty() ? std::nullopt : surroundings_.environment(name);
    if (!value) {
      error(node.where, fmt::format("the environment variable `{}` is not set", name));
      return std::nullopt;
    }
  } else if (text->starts_with("file:")) {
    const std::string path =
        (std::filesystem::path(file_).parent_path() / text->substr(5)).lexically_normal().string();
    value = surroundings_.read_file(path);
    if (!value) {
      error(node.where, fmt::format("the file `{}` cannot be read", path));
      return std::nullopt;
    }
    while (value->ends_with('\n') || value->ends_with('\r')) value->pop_back();
  } else {
    return text;
  }
  if (value->empty() || value->find('\0') != std::string::npos) {
    error(node.where, fmt::format("`{}` holds no secret", *text));
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> Reader::resolved_path(const Node& node) {
  const auto text = string(node);
  if (!text) return std::nullopt;
  return (std::filesystem::path(file_).parent_path() / *text).lexically_normal().string();
}

std::optional<std::string> Reader::readable_file(const Node& node) {
  const auto path = resolved_path(node);
  if (path && !surroundings_.read_file(*path)) {
    error(node.where, fmt::format("the file `{}` cannot be read", *path));
    return std::nullopt;
  }
  return path;
}

std::optional<std::uint8_t> Reader::choice(const Node& node,
                                           std::span<const std::string_view> choices) {
  if (node.kind == Node::Kind::scalar) {
    const auto found = std::ranges::find(choices, node.text);
    if (found != choices.end()) return static_cast<std::uint8_t>(found - choices.begin());
  }
  const std::string_view near =
      node.kind == Node::Kind::scalar ? nearest(node.text, choices) : std::string_view{};
  const std::string hint = near.empty() ? "" : fmt::format("; the nearest is `{}`", near);
  error(node.where,
        fmt::format("expected one of {}, not {}{}", join(choices), describe(node), hint));
  return std::nullopt;
}

std::optional<TableName> Reader::table_name(const Node& node) {
  const auto text = string(node);
  if (!text) return std::nullopt;
  return table_name(*text, node.where);
}

std::optional<TableName> Reader::table_name(std::string_view text, Position where) {
  auto name = parse_table_name(text);
  if (!name) {
    error(where, fmt::format("expected a name such as orders or public.orders, not `{}`", text));
  }
  return name;
}

}  // namespace anabranch::conf
