#include "proxy/mysql/replies.h"

#include "net/mysql/result_messages.h"

namespace anabranch::proxy::mysql {

void send_error(net::Buffer& out, net::mysql::Sequence& sequence, const values::SqlError& error) {
  const std::string message = error.hint.empty() ? error.message : error.message + ". " + error.hint;
  net::mysql::Err{error.mysql_code, error.sqlstate, message}.encode(out, sequence);
}

values::SqlError server_error(std::uint16_t code, std::string sqlstate, std::string message) {
  values::SqlError error(std::move(sqlstate), std::move(message));
  error.mysql_code = code;
  return error;
}

}  // namespace anabranch::proxy::mysql
