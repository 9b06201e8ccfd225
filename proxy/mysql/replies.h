#pragma once

#include "net/buffer.h"
#include "net/mysql/framing.h"
#include "values/sql_error.h"

namespace anabranch::proxy::mysql {

/// An ERR packet. A hint follows the message: the protocol has no place of its own for it.
void send_error(net::Buffer& out, net::mysql::Sequence& sequence, const values::SqlError& error);
/// What it says, with its hint; its SQLSTATE and number as MySQL has them.
std::string error_text(const values::SqlError& error);
std::string_view error_state(const values::SqlError& error);
std::uint16_t error_number(const values::SqlError& error);
/// A server's own error, as MySQL words it.
values::SqlError server_error(std::uint16_t code, std::string sqlstate, std::string message);
/// A client's packet cannot be read.
[[noreturn]] void malformed(const net::mysql::DecodeError& error);
/// The number that a text begins with; 0: with none.
std::uint64_t leading_number(std::string_view text);
/// Adds the numbers of another shard's words ("Rows matched: 1  Changed: 1  Warnings: 0") to `words`.
std::string add_words(std::string_view words, std::string_view other);

}  // namespace anabranch::proxy::mysql
