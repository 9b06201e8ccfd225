#pragma once

#include <string>
#include <string_view>

#include "net/mysql/result_reader.h"

namespace anabranch::net::mysql {

/// Where in a conversation a payload stands, which decides what it is.
enum class Stage : std::uint8_t {
  greeting,       // the server's first
  login,          // the client's first, or second behind TLS
  auth_question,  // the server's, until OK or ERR
  auth_answer,    // the client's
  command,        // the client's
};

/// One line a packet, for tests and debug logs, e.g. `C COM_QUERY "select 1"`. Passwords and what
/// answers for them are shown by their length.
std::string trace(Stage stage, std::string_view payload, Capabilities capabilities);
/// The same for a frame of a reply, of which the reader has told what it is: `S Row "1" NULL`.
std::string trace(ResultReader::Event event, std::string_view payload, Capabilities capabilities,
                  ResultReader::Reply reply = ResultReader::Reply::text);

}  // namespace anabranch::net::mysql
