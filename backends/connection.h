#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "backends/context.h"
#include "backends/server.h"
#include "net/socket.h"
#include "net/task.h"

namespace anabranch::backends {

enum class ConnectionState : std::uint8_t {
  idle,            // in its pool
  leased,          // held by a session, no transaction open at its last report
  in_transaction,  // held, inside a transaction (or a failed one)
  cancelling,      // given back (or still held) while a cancel is under way
  closing,
};
std::string_view to_string(ConnectionState state);

/// The prepared statements that a connection has, by global name, least recently used last. MySQL's servers know
/// them by numbers of their own.
class PreparedStatements {
 public:
  static constexpr std::size_t limit = 500;
  /// All connections to a MySQL server together may have 16,382 (max_prepared_stmt_count).
  static constexpr std::size_t mysql_limit = 100;
  struct Statement {
    std::string name;
    std::uint32_t number = 0;
  };

  /// True if the statement is there; it becomes the most recently used.
  bool touch(std::string_view name) { return find(name) != nullptr; }
  /// The same; null: it is not there. Valid until the next change.
  const Statement* find(std::string_view name);
  bool has(std::string_view name) const { return index_.contains(name); }
  /// Call when its Parse is sent. Answers what must be closed (send Close first) to stay within the limit.
  std::optional<Statement> add(std::string_view name);
  /// Of a MySQL server, which knows it by `number`.
  std::optional<Statement> add(std::string_view name, std::uint32_t number);
  /// Call when its Parse failed, or after Close.
  void remove(std::string_view name);
  void clear();
  std::size_t size() const { return index_.size(); }
  /// Most recently used first.
  const std::list<Statement>& all() const { return order_; }

 private:
  std::optional<Statement> add(Statement statement, std::size_t most);

  std::list<Statement> order_;
  std::unordered_map<std::string_view, std::list<Statement>::iterator> index_;
};

/// A session on a server, open and authenticated. Owned by its pool; used through a Lease by one
/// session at a time, on its pool's loop.
class ServerConnection {
 public:
  ServerConnection(std::shared_ptr<const Server> server, net::pg::BackendLink link);
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  const Server& server() const { return *server_; }
  const std::shared_ptr<const Server>& shared_server() const { return server_; }
  net::Socket& socket() { return socket_; }
  std::int32_t process() const { return process_; }
  std::int32_t secret() const { return secret_; }

  ConnectionState state() const { return state_; }

  /// As last reported; null: never. Names are compared as the server does, whatever their case.
  const std::string* parameter(std::string_view name) const;
  const std::map<std::string, std::string, std::less<>>& parameters() const { return parameters_; }
  void on_parameter(std::string_view name, std::string_view value);

  /// 'I', 'T', 'E' of the last ReadyForQuery.
  char transaction_status() const { return transaction_status_; }
  /// ReadyForQuery messages still to come. Count each Query and Sync when it is written.
  unsigned pending() const { return static_cast<unsigned>(sent_ - answered_); }
  void expect_ready(unsigned count = 1) { sent_ += count; }
  /// Counts the request just written as one whose reply ReplyStream swallows (a context change).
  void skip_reply() { skips_.push_back(sent_++); }
  /// How many of pending() are of that kind, and whether the next one is.
  unsigned skipped() const { return static_cast<unsigned>(skips_.size()); }
  bool skipping() const { return !skips_.empty() && skips_.front() == answered_; }
  void on_ready(char status);

  /// Of no further use (I/O error, FATAL, protocol violation): closed at its release.
  bool broken() const { return broken_; }
  void mark_broken() { broken_ = true; }
  /// Half a conversation is under way that pending() does not tell (COPY IN without its end, a
  /// request written without Sync).
  void set_mid_request(bool mid) { mid_request_ = mid; }
  /// May go back to its pool and serve someone else.
  bool clean() const {
    return !broken_ && !mid_request_ && pending() == 0 && transaction_status_ == 'I';
  }

  /// A cancel connection is under way.
  bool being_cancelled() const { return cancels_in_flight_ > 0; }
  /// Set when that has ended; nothing: none is.
  std::shared_ptr<net::Event> cancels_ended() const { return cancels_ended_; }

  /// The Holder for which nextval() may have run here: currval() is his. 0: nobody's.
  std::uint64_t sequences_of = 0;
  /// MySQL: the settings of who holds it have not been put on it yet.
  bool newly_lent = false;
  /// MySQL: what a session has left here would change what statements do: it is reset before the next one.
  bool tainted = false;
  /// Notifications that have come for the session that holds this, as whole messages.
  std::string notifications;

  PreparedStatements statements;
  /// What has been SET here, following transactions; the pool resets levels at release.
  SettingsStack applied;

  std::uint64_t created_ms() const { return created_ms_; }
  std::uint64_t idle_since_ms() const { return idle_since_ms_; }
  std::uint64_t leases() const { return leases_; }  // times lent

 private:
  friend class ServerPool;
  /// The one place where the state changes; an impossible step aborts.
  void change_state(ConnectionState to);

  std::shared_ptr<const Server> server_;
  net::Socket socket_;
  std::map<std::string, std::string, std::less<>> parameters_;
  std::int32_t process_;
  std::int32_t secret_;
  ConnectionState state_ = ConnectionState::leased;
  char transaction_status_ = 'I';
  std::uint64_t sent_ = 0;      // requests that end in ReadyForQuery
  std::uint64_t answered_ = 0;  // ReadyForQuery messages that have come
  std::deque<std::uint64_t> skips_;
  unsigned cancels_in_flight_ = 0;
  std::shared_ptr<net::Event> cancels_ended_;  // while one is
  bool broken_ = false;
  bool mid_request_ = false;
  bool returned_ = false;  // its lease has ended
  std::uint64_t created_ms_;
  std::uint64_t idle_since_ms_ = 0;
  std::uint64_t lifetime_ms_ = 0;  // max_lifetime with its jitter; 0: no limit
  std::uint64_t leases_ = 0;
};

}  // namespace anabranch::backends
