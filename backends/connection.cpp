#include "backends/connection.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "net/loop.h"
#include "values/ascii.h"

namespace anabranch::backends {

std::string_view to_string(ConnectionState state) {
  switch (state) {
    case ConnectionState::idle:
      return "idle";
    case ConnectionState::leased:
      return "leased";
    case ConnectionState::in_transaction:
      return "in_transaction";
    case ConnectionState::cancelling:
      return "cancelling";
    case ConnectionState::closing:
      return "closing";
  }
  return "?";
}

const PreparedStatements::Statement* PreparedStatements::find(std::string_view name) {
  const auto found = index_.find(name);
  if (found == index_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return &order_.front();
}

std::optional<PreparedStatements::Statement> PreparedStatements::add(std::string_view name) {
  return add({std::string(name), 0}, limit);
}

std::optional<PreparedStatements::Statement> PreparedStatements::add(std::string_view name, std::uint32_t number) {
  return add({std::string(name), number}, mysql_limit);
}

std::optional<PreparedStatements::Statement> PreparedStatements::add(Statement statement, std::size_t most) {
  if (touch(statement.name)) return std::nullopt;
  std::optional<Statement> evicted;
  if (order_.size() >= most) {
    index_.erase(order_.back().name);
    evicted = std::move(order_.back());
    order_.pop_back();
  }
  order_.push_front(std::move(statement));
  index_.emplace(order_.front().name, order_.begin());
  return evicted;
}

void PreparedStatements::remove(std::string_view name) {
  const auto found = index_.find(name);
  if (found == index_.end()) return;
  const auto place = found->second;
  index_.erase(found);
  order_.erase(place);
}

void PreparedStatements::clear() {
  index_.clear();
  order_.clear();
}

ServerConnection::ServerConnection(std::shared_ptr<const Server> server, net::pg::BackendLink link)
    : server_(std::move(server)),
      socket_(std::move(link.socket)),
      process_(link.process),
      secret_(link.secret),
      created_ms_(net::Loop::current().now_ms()) {
  for (auto& [name, value] : link.parameters) parameters_.insert_or_assign(name, std::move(value));
}

const std::string* ServerConnection::parameter(std::string_view name) const {
  const std::string wanted = values::lower_case(name);
  const auto found = std::ranges::find_if(
      parameters_, [&](const auto& known) { return values::lower_case(known.first) == wanted; });
  return found == parameters_.end() ? nullptr : &found->second;
}

void ServerConnection::on_parameter(std::string_view name, std::string_view value) {
  const auto found = parameters_.find(name);
  if (found != parameters_.end()) {
    found->second = value;
  } else {
    parameters_.emplace(name, value);
  }
}

void ServerConnection::on_ready(char status) {
  if (pending() == 0) {
    broken_ = true;
    return;
  }
  if (skipping()) skips_.pop_front();
  ++answered_;
  transaction_status_ = status;
  if (state_ == ConnectionState::leased && status != 'I') {
    change_state(ConnectionState::in_transaction);
  } else if (state_ == ConnectionState::in_transaction && status == 'I') {
    change_state(ConnectionState::leased);
  }
}

namespace {

bool allowed(ConnectionState from, ConnectionState to) {
  using enum ConnectionState;
  switch (from) {
    case idle:
      return to == leased || to == closing;
    case leased:
      return to != leased;
    case in_transaction:
      return to == leased || to == closing || to == cancelling;
    case cancelling:
      return to == idle || to == leased || to == closing;
    case closing:
      return false;
  }
  return false;
}

}  // namespace

void ServerConnection::change_state(ConnectionState to) {
  if (!allowed(state_, to)) {
    std::fprintf(stderr, "anabranch: a server connection cannot go from %s to %s\n",
                 std::string(to_string(state_)).c_str(), std::string(to_string(to)).c_str());
    std::abort();
  }
  state_ = to;
}

}  // namespace anabranch::backends
