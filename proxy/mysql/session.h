#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "backends/pool.h"
#include "net/mysql/command_messages.h"
#include "net/mysql/result_reader.h"
#include "net/socket.h"
#include "proxy/client_session.h"
#include "proxy/mysql/login.h"
#include "proxy/mysql/sharded.h"
#include "proxy/worker.h"

namespace anabranch::proxy::mysql {

/// One MySQL client's conversation, from its login to its end ("Command Phase"). In a database without
/// schemes a server's connection is its own, and commands and replies are passed on frame by frame, as they
/// are; in one with schemes `Sharded` carries them out. The session answers itself what names sessions (KILL),
/// who the client is (COM_CHANGE_USER), and what no proxy can pass on.
class Session final : public ClientSession {
 public:
  Session(Worker& worker, net::Socket client, MysqlLogin login, std::int32_t process);
  ~Session() override;

  /// Serves the client until it leaves.
  net::Task<void> run();

  bool has_secret(std::int32_t) const override { return false; }
  bool belongs_to(std::string_view user) const override { return login_.user == user; }
  void cancel() override;
  void wake() override { idle_.cancel(); }
  bool busy_in(const std::string& database) const override;
  void rest() override {}
  void end_now() override;

 private:
  using Reply = net::mysql::ResultReader::Reply;

  net::Task<void> converse();
  net::Task<bool> serve_one();
  void end_by(const std::exception_ptr& fault);
  net::Task<std::optional<net::mysql::Frame>> next_command();
  net::Task<void> handle(const net::mysql::Frame& frame);
  net::Task<void> carry_out(net::mysql::Frame frame);
  void refuse_packet();
  void hush_if_killed();
  net::Task<void> pass_on(const net::mysql::Frame& frame, Reply reply);
  net::Task<bool> send_command(net::mysql::Frame frame);
  net::Task<void> pass_back(Reply reply);
  net::Task<void> pass_file_on();
  net::Task<void> use(std::string_view database);
  net::Task<void> change_user(std::string payload);
  net::Task<bool> kill(const net::mysql::Frame& frame, net::mysql::Command command);
  net::Task<void> connect();
  void answer_ok(std::string_view session_state = {});
  void answer_login();
  void fail(const values::SqlError& error);
  void lose_server(std::string_view reason);
  void lose_client();

  Worker& worker_;
  net::Socket client_;
  Login login_;
  Agreement agreement_;
  const std::int32_t process_;
  backends::Holder holder_;
  backends::Lease lease_;
  net::mysql::Sequence sequence_;  ///< of our own next packet to the client
  net::CancelSource idle_;
  net::CancelSource statement_;
  bool in_statement_ = false;
  bool in_transaction() const { return sharded_ != nullptr ? sharded_->in_transaction() : in_transaction_; }

  bool in_transaction_ = false;
  std::unique_ptr<Sharded> sharded_;  ///< null in a database without schemes
  bool ended_ = false;
};

/// Greets a client, has it log in, and serves it until it leaves; never throws.
net::Task<void> serve_client(Worker& worker, net::Socket socket, Newcomer newcomer);

}  // namespace anabranch::proxy::mysql
