#include "backends/shard_epochs.h"

#include <fmt/format.h>

#include <charconv>

#include "backends/context.h"
#include "backends/control_connection.h"
#include "backends/every_shard.h"

namespace anabranch::backends {

namespace {

constexpr std::string_view heading = "Anabranch: epochs of schemes, do not change\n";

/// One line a scheme: `EPOCH NAME`.
std::string to_text(const Epochs& epochs) {
  std::string text(heading);
  for (const auto& [scheme, epoch] : epochs) text += fmt::format("{} {}\n", epoch, scheme);
  return text;
}

Epochs from_text(std::string_view text) {
  Epochs epochs;
  if (!text.starts_with(heading)) return epochs;
  text.remove_prefix(heading.size());
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::uint64_t epoch = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), epoch);
    if (error != std::errc{} || end == line.data() + line.size() || *end != ' ') continue;
    epochs[std::string(line.substr(static_cast<std::size_t>(end - line.data()) + 1))] = epoch;
  }
  return epochs;
}

std::expected<Epochs, std::string> read(ControlConnection& connection) {
  auto answer = connection.run(
      "SELECT pg_catalog.obj_description(pg_catalog.to_regnamespace('anabranch'), 'pg_namespace')");
  if (!answer) return std::unexpected(answer.error());
  return from_text(answer->back().text(0, 0));
}

/// Empty: done.
std::string write(ControlConnection& connection, const router::ShardMap& map) {
  auto known = read(connection);
  if (!known) return known.error();
  Epochs wanted = *known;
  for (const router::MappedScheme& scheme : map.schemes()) {
    const auto found = wanted.find(scheme.name);
    const std::uint64_t remembered = found == wanted.end() ? 1 : found->second;
    if (scheme.epoch > remembered) wanted[scheme.name] = scheme.epoch;
  }
  if (wanted == *known) return {};
  const auto done = connection.run("CREATE SCHEMA IF NOT EXISTS anabranch; COMMENT ON SCHEMA anabranch IS " +
                                   quote_literal(to_text(wanted)));
  return done ? std::string() : done.error();
}

Server server_of(const conf::Database& database, std::size_t shard) {
  return control_server(database, static_cast<std::uint32_t>(shard), {}, database.name);
}

}  // namespace

std::vector<std::optional<Epochs>> read_epochs(const conf::Database& database) {
  std::vector<std::optional<Epochs>> remembered(database.shards.size());
  if (database.kind == conf::Kind::mysql) return remembered;  // there keys do not move by a reload
  on_every_shard(remembered.size(), [&](std::size_t shard) {
    auto connection = ControlConnection::open(server_of(database, shard));
    if (!connection) return;
    if (auto epochs = read(*connection)) remembered[shard] = std::move(*epochs);
  });
  return remembered;
}

std::vector<std::string> write_epochs(const conf::Database& database, const router::ShardMap& map) {
  std::vector<std::string> failures(database.shards.size());
  on_every_shard(failures.size(), [&](std::size_t shard) {
    const Server server = server_of(database, shard);
    auto connection = ControlConnection::open(server);
    const std::string why = connection ? write(*connection, map) : connection.error();
    if (why.empty()) return;
    failures[shard] = fmt::format("database {}: shard {} cannot remember the epoch: {}", database.name, server.text(), why);
  });
  std::erase(failures, std::string());
  return failures;
}

std::string find_outdated(const router::ShardMap& map, const std::vector<std::optional<Epochs>>& remembered) {
  for (std::size_t shard = 0; shard < remembered.size(); ++shard) {
    if (!remembered[shard]) continue;
    for (const router::MappedScheme& scheme : map.schemes()) {
      const auto found = remembered[shard]->find(scheme.name);
      if (found == remembered[shard]->end() || found->second <= scheme.epoch) continue;
      return fmt::format("shard {} has rows of epoch {} of scheme {}, and the map here is of epoch {}",
                         map.shards()[shard].name, found->second, scheme.name, scheme.epoch);
    }
  }
  return {};
}

}  // namespace anabranch::backends
