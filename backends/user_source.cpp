#include "backends/user_source.h"

#include <algorithm>
#include <utility>

#include "backends/control_connection.h"

namespace anabranch::backends {

struct UserSource::Kept {
  Server server;
  ControlConnection connection;
};

UserSource::UserSource() = default;
UserSource::~UserSource() = default;

std::unique_ptr<UserSource::Kept> UserSource::take(const Server& server) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::ranges::find_if(kept_, [&](const auto& kept) { return kept->server == server; });
  if (found == kept_.end()) return nullptr;
  std::unique_ptr<Kept> taken = std::move(*found);
  kept_.erase(found);
  return taken;
}

void UserSource::keep(std::unique_ptr<Kept> connection) {
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= most_kept) kept_.erase(kept_.begin());
  kept_.push_back(std::move(connection));
}

namespace {

std::expected<std::optional<std::string>, std::string> verifier_in(const ControlResult& result) {
  if (result.columns() < 1) return std::unexpected("authentication.query answers no column");
  if (result.rows() == 0) return std::nullopt;
  if (result.rows() > 1) return std::unexpected("authentication.query answers more than one row");
  const int column = result.columns() - 1;
  if (result.null(0, column)) return std::nullopt;
  return std::string(result.text(0, column));
}

}  // namespace

std::expected<std::optional<std::string>, std::string> UserSource::fetch(const Server& server,
                                                                         const std::string& query,
                                                                         const std::string& user) {
  // A kept connection may have died meanwhile: then a new one is asked.
  if (std::unique_ptr<Kept> kept = take(server)) {
    if (const auto result = kept->connection.run(query, {user}, time_limit)) {
      keep(std::move(kept));
      return verifier_in(*result);
    }
  }
  auto opened = ControlConnection::open(server);
  if (!opened) return std::unexpected(opened.error());
  const auto result = opened->run(query, {user}, time_limit);
  if (!result) return std::unexpected(result.error());
  keep(std::make_unique<Kept>(server, std::move(*opened)));
  return verifier_in(*result);
}

}  // namespace anabranch::backends
