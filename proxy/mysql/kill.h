#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/mysql/command_messages.h"
#include "net/task.h"

namespace anabranch::proxy {
class Instance;
}

namespace anabranch::proxy::mysql {

/// What a client is told to be its connection's id: no server gives out numbers so high, so that KILL says
/// whose number it names.
constexpr std::uint32_t connection_id(std::int32_t process) {
  return static_cast<std::uint32_t>(process) | 1U << 30;
}

/// KILL, by command or by SQL, of one of our own connections.
struct KillWish {
  std::uint32_t connection = 0;
  bool query_only = false;
};
/// Nothing: something else, or a number of the server's, to whom it then belongs. `payload` is the command's.
std::optional<KillWish> read_kill(net::mysql::Command command, std::string_view payload);

enum class KillOutcome : std::uint8_t { done, unknown, not_owner };
/// Of a session of whatever loop. Its user has to be `user`.
net::Task<KillOutcome> kill_session(Instance& instance, KillWish wish, std::string user);

}  // namespace anabranch::proxy::mysql
