#include "conf/config.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "conf/diagnostic.h"

namespace anabranch::conf {
namespace {

template <class T>
std::optional<std::uint32_t> index_of(const std::vector<T>& list, std::string_view name) {
  const auto found = std::ranges::find(list, name, &T::name);
  if (found == list.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - list.begin());
}

template <class T>
const T* find_named(const std::vector<T>& list, std::string_view name) {
  const auto found = std::ranges::find(list, name, &T::name);
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

std::string Address::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool User::may_use(std::string_view database) const {
  return !databases || std::ranges::find(*databases, database) != databases->end();
}

bool Rule::operator==(const Rule& other) const {
  return match == other.match && user == other.user && action == other.action &&
         message == other.message && shard == other.shard;
}

std::optional<std::uint32_t> Database::find_shard(std::string_view shard_name) const {
  return index_of(shards, shard_name);
}

std::optional<std::uint32_t> Database::find_scheme(std::string_view scheme_name) const {
  return index_of(schemes, scheme_name);
}

const Table* Database::find_table(std::string_view schema, std::string_view table_name) const {
  const auto found = std::ranges::find_if(tables, [&](const Table& table) {
    return table.name.schema == schema && table.name.name == table_name;
  });
  return found == tables.end() ? nullptr : &*found;
}

Position Config::where(std::string_view path) const {
  std::string key(path);
  while (true) {
    if (const auto found = written.find(key); found != written.end()) return found->second;
    const std::size_t dot = key.rfind('.');
    if (dot == std::string::npos) return {};
    key.erase(dot);
  }
}

const Database* Config::find_database(std::string_view name) const {
  const Database* exact = find_named(databases, name);
  return exact != nullptr ? exact : find_named(databases, "*");
}

const User* Config::find_user(std::string_view name) const {
  return find_named(users, name);
}

std::optional<TableName> parse_table_name(std::string_view text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) < 0x20 || c == '\x7F') return std::nullopt;
    if (c == '"') {
      const bool doubled = quoted && i + 1 < text.size() && text[i + 1] == '"';
      if (doubled) parts.back() += text[++i];
      if (!doubled) quoted = !quoted;
    } else if (c == '.' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  const bool empty_part = std::ranges::any_of(parts, [](const auto& p) { return p.empty(); });
  if (quoted || parts.size() > 2 || empty_part) return std::nullopt;
  if (parts.size() == 1) return TableName{"public", std::move(parts[0])};
  return TableName{std::move(parts[0]), std::move(parts[1])};
}

std::string_view to_string(Hash hash) {
  constexpr std::array<std::string_view, 10> names{"none",    "intHash64", "cityHash64", "xxh64",
                                                   "murmur3", "crc32",     "md5",        "sha1",
                                                   "pg_hash", "rand"};
  return names[static_cast<std::size_t>(hash)];
}

std::string_view to_string(StrategyKind kind) {
  constexpr std::array<std::string_view, 10> names{"modulo",      "buckets", "range",      "list",
                                                   "lookup",      "ring",    "rendezvous", "jump",
                                                   "multi_probe", "maglev"};
  return names[static_cast<std::size_t>(kind)];
}

std::string Diagnostic::text() const {
  std::string place = file;
  if (where.line > 0) {
    place += ":" + std::to_string(where.line) + ":" + std::to_string(where.column);
  }
  return place + (severity == Severity::error ? ": error: " : ": warning: ") + message;
}

void sort_by_place(std::vector<Diagnostic>& diagnostics) {
  std::ranges::sort(diagnostics, {}, [](const Diagnostic& d) {
    return std::tuple(d.where.line, d.where.column, std::string_view(d.message));
  });
}

bool has_errors(const std::vector<Diagnostic>& diagnostics) {
  return std::ranges::any_of(diagnostics,
                             [](const Diagnostic& d) { return d.severity == Severity::error; });
}

}  // namespace anabranch::conf
