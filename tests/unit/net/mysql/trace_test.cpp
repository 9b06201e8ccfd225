#include "net/mysql/trace.h"

#include <doctest/doctest.h>

#include "net/mysql/command_messages.h"
#include "net/mysql/result_messages.h"
#include "round_trip.h"

using namespace anabranch::net;
using namespace anabranch::net::mysql;
using namespace anabranch::net::mysql::test;
using Event = ResultReader::Event;

TEST_CASE("mysql: traces are one line a packet") {
  constexpr Capabilities agreed =
      capability::protocol_41 | capability::secure_connection | capability::plugin_auth;
  const auto command = [&](const auto& message) {
    return trace(Stage::command, payload_of(message), agreed);
  };
  CHECK(command(ComQuery{"a\"\n"}) == R"(C COM_QUERY "a\"\x0a")");
  CHECK(command(ComPing{}) == "C COM_PING");
  CHECK(command(ComStmtExecute{1, 0, 1, "abc"}) ==
        "C COM_STMT_EXECUTE 1 flags 0 iterations 1 parameters of 3 bytes");
  CHECK(trace(Stage::command, "\x0d", agreed) == R"(C COM_DEBUG "\x0d")");
  CHECK(trace(Stage::command, "\x63", agreed) == R"(C Unknown "c")");
  CHECK(trace(Stage::command, "", agreed) == R"(C Unknown "")");
  CHECK(trace(Stage::command, "\x0c", agreed) ==
        "C COM_PROCESS_KILL BROKEN: malformed COM_PROCESS_KILL packet: too short");
  CHECK(trace(Stage::auth_answer, "secret", agreed) == "C AuthResponse 6 bytes");
  HandshakeResponse41 login;
  login.capabilities = agreed;
  login.user = "jo";
  login.auth_response = "secret";
  login.plugin = native_password;
  CHECK(trace(Stage::login, payload_of(login), agreed) ==
        "C HandshakeResponse41 capabilities 88200 collation 0 \"jo\" 6 bytes \"\" "
        "\"mysql_native_password\"");
  CHECK(trace(Stage::auth_question, payload_of(AuthMoreData{"\3"}), agreed) == "S AuthMoreData 3");
  const Ok ok{false, 3, 0, 2, 1, "info", {}};
  CHECK(trace(Event::ok, payload_of(ok, agreed), agreed) ==
        R"(S OK 3 0 status 2 warnings 1 "info")");
  CHECK(trace(Event::error, payload_of(Err{1064, "42000", "no"}), agreed) ==
        R"(S ERR 1064 42000 "no")");
  CHECK(trace(Event::rows_end, payload_of(Eof{1, 2}), agreed) == "S EOF status 2 warnings 1");
  CHECK(trace(Event::row, "\3one\373", agreed) == R"(S Row "one" NULL)");
  CHECK(trace(Event::row, "\3on", agreed) == "S Row BROKEN");
  CHECK(trace(Event::row, "\3on", agreed, ResultReader::Reply::binary) == "S BinaryRow 3 bytes");
}
