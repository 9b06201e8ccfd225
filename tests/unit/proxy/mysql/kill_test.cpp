#include "proxy/mysql/kill.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "net/buffer.h"

using namespace anabranch::proxy::mysql;
using anabranch::net::mysql::Command;

namespace {

std::string query(std::string_view sql) { return fmt::format("\x03{}", sql); }

}  // namespace

TEST_CASE("KILL of a number that we gave out") {
  const std::uint32_t id = connection_id(7);
  for (const char* form : {"KILL {}", "kill {};", " \n/* a driver */ Kill  Connection {} ", "KILL HARD CONNECTION {}"}) {
    const std::string payload = query(fmt::format(fmt::runtime(form), id));
    CAPTURE(payload);
    const auto wish = read_kill(Command::query, payload);
    REQUIRE(wish);
    CHECK(wish->connection == id);
    CHECK_FALSE(wish->query_only);
  }
  const auto query_only = read_kill(Command::query, query(fmt::format("KILL SOFT query {}", id)));
  REQUIRE(query_only);
  CHECK(query_only->query_only);
}

TEST_CASE("what is the server's to answer") {
  const std::uint32_t id = connection_id(7);
  CHECK_FALSE(read_kill(Command::query, query("KILL 7")));
  CHECK_FALSE(read_kill(Command::query, query("KILL QUERY ID 7")));
  CHECK_FALSE(read_kill(Command::query, query("KILL USER app")));
  CHECK_FALSE(read_kill(Command::query, query(fmt::format("KILL {} + 0", id))));
  CHECK_FALSE(read_kill(Command::query, query(fmt::format("SELECT 'KILL {}'", id))));
  CHECK_FALSE(read_kill(Command::query, query("KILL 99999999999999999999")));
  CHECK_FALSE(read_kill(Command::query, query("")));
  CHECK_FALSE(read_kill(Command::ping, std::string("\x0e")));
  // A version comment's contents count: what they say is not for us to know.
  CHECK_FALSE(read_kill(Command::query, query(fmt::format("/*!50000 KILL */ KILL {}", id))));
}

TEST_CASE("COM_PROCESS_KILL") {
  anabranch::net::Buffer out;
  anabranch::net::mysql::Sequence sequence;
  anabranch::net::mysql::ComProcessKill{connection_id(3)}.encode(out, sequence);
  const std::string payload(out.view().substr(4));
  const auto wish = read_kill(Command::process_kill, payload);
  REQUIRE(wish);
  CHECK(wish->connection == connection_id(3));
  CHECK_FALSE(read_kill(Command::process_kill, payload.substr(0, 3)));
}
