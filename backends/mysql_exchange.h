#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "backends/exchange.h"
#include "net/mysql/result_messages.h"

/// The same small conversations as in exchange.h with servers that speak MySQL's protocol.
namespace anabranch::backends {

/// Appends a client's command: its packets are numbered from 0.
template <class Command>
void write_command(Lease& lease, const Command& command) {
  net::mysql::Sequence numbers;
  command.encode(lease->socket().out(), numbers);
}

/// run_command() on a MySQL connection. The tag is what an OK says in words.
net::Task<std::expected<CommandResult, net::pg::ErrorFields>> run_mysql_command(Lease& lease, std::string sql,
                                                                                net::CancelToken token = {});

/// A client's command, as it came, that is answered by OK.
net::Task<std::expected<CommandResult, net::pg::ErrorFields>> run_mysql_packet(Lease& lease, std::string_view payload,
                                                                               net::CancelToken token = {});

/// What the server says of its session now (COM_PING): flags of net::mysql::status. Throws SqlError 08006
/// where the connection is lost.
net::Task<std::uint16_t> mysql_status(Lease& lease, net::CancelToken token = {});

/// COM_RESET_CONNECTION: the connection is as it was when it was opened. Throws as mysql_status() does.
net::Task<void> reset_mysql_session(Lease& lease, net::CancelToken token = {});

/// What COM_STMT_PREPARE answers.
struct MysqlPrepared {
  std::uint32_t statement = 0;  ///< the server's number for it
  std::size_t parameters = 0;
  std::vector<std::string> columns;  ///< payloads of their definitions
};
/// The server's error, or that.
net::Task<std::expected<MysqlPrepared, net::pg::ErrorFields>> prepare_mysql_statement(Lease& lease, std::string sql,
                                                                                      net::CancelToken token = {});

/// A server's error in the form that sessions know; its number in a field that PostgreSQL does not have.
net::pg::ErrorFields mysql_error_fields(std::uint16_t code, std::string_view sqlstate, std::string_view message);
/// Of that number, the server closes the connection behind it.
bool ends_mysql_session(std::uint16_t code);
/// 'T' or 'I', as ServerConnection::on_ready() wants it.
char mysql_transaction_status(std::uint16_t status);

}  // namespace anabranch::backends
