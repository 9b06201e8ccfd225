#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "net/mysql/auth_server_conversation.h"
#include "net/mysql/connect.h"
#include "proxy/client_login.h"

namespace anabranch::proxy::mysql {

/// What a client is agreed upon with, for as long as it is connected.
struct Agreement {
  std::uint32_t connection = 0;  ///< the id that the client was greeted with
  net::mysql::Capabilities capabilities = 0;
  std::uint8_t collation = 0;
  std::string challenge;  ///< the last one that was answered
};

/// Who has proved who it is. The OK is not sent yet.
struct MysqlLogin {
  Login login;  ///< its database may be empty: the client named none
  Agreement agreement;
  net::mysql::Sequence sequence;  ///< of the OK
};

using LoginResult = std::variant<MysqlLogin, TurnedAway>;

/// Finds the database that `login` names, and whether the user may go there. It names none: the one MySQL
/// database that the user may go to, if there are not several; otherwise `login.state` stays null.
std::optional<values::SqlError> enter_database(const Snapshot& snapshot, const conf::User& user, Login& login);

/// From the greeting to the last packet before OK ("Connection Phase"): TLS, the password, the database.
/// Answers the client's errors itself. The token bounds all of it.
net::Task<LoginResult> log_in(net::Socket& socket, LoginContext context, net::mysql::ServerGreeting greeting,
                              std::uint32_t connection, net::CancelToken token);

/// COM_CHANGE_USER: the same, on a connection that is open. `payload` is the command's.
net::Task<LoginResult> change_user(net::Socket& socket, LoginContext context, Agreement agreement, std::string payload,
                                   net::CancelToken token);

}  // namespace anabranch::proxy::mysql
