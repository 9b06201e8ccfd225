#include "proxy/mysql/kill.h"

#include <re2/re2.h>

#include <memory>

#include "net/loop.h"
#include "proxy/client_session.h"
#include "proxy/instance.h"

namespace anabranch::proxy::mysql {

namespace {

constexpr std::uint32_t ours = 1U << 30;
/// No KILL is longer: long texts are not looked at.
constexpr std::size_t longest_kill = 256;

std::optional<KillWish> read_sql(std::string_view text) {
  if (text.size() > longest_kill) return std::nullopt;
  // Nearly every statement is told by its first letter.
  const std::size_t begin = text.find_first_not_of(" \t\n\r\f\v");
  if (begin == std::string_view::npos || std::string_view("kK/").find(text[begin]) == std::string_view::npos) {
    return std::nullopt;
  }
  static const re2::RE2 pattern(
      R"((?is)(?:\s|/\*[^!M].*?\*/)*KILL\s+(?:(?:HARD|SOFT)\s+)?(?:(CONNECTION|QUERY)\s+)?(\d+)\s*;?\s*)");
  std::string kind;
  KillWish wish;
  if (!re2::RE2::FullMatch({text.data(), text.size()}, pattern, &kind, &wish.connection)) return std::nullopt;
  wish.query_only = !kind.empty() && (kind[0] == 'q' || kind[0] == 'Q');
  return wish;
}

}  // namespace

std::optional<KillWish> read_kill(net::mysql::Command command, std::string_view payload) {
  std::optional<KillWish> wish;
  if (command == net::mysql::Command::process_kill) {
    if (const auto kill = net::mysql::ComProcessKill::decode(payload)) wish = KillWish{kill->connection, false};
  } else if (command == net::mysql::Command::query) {
    wish = read_sql(payload.substr(1));
  }
  if (!wish || (wish->connection & ours) == 0) return std::nullopt;
  return wish;
}

net::Task<KillOutcome> kill_session(Instance& instance, KillWish wish, std::string user) {
  struct Answer {
    net::Event given;
    KillOutcome outcome = KillOutcome::unknown;
  };
  const auto answer = std::make_shared<Answer>();
  const auto process = static_cast<std::int32_t>(wish.connection & ~ours);
  const auto home = net::Loop::current().mailbox();
  const bool sent = instance.post_to(process, [answer, home, process, user = std::move(user), wish](Worker& worker) {
    KillOutcome outcome = KillOutcome::unknown;
    if (ClientSession* session = worker.find(process)) {
      outcome = session->belongs_to(user) ? KillOutcome::done : KillOutcome::not_owner;
      if (outcome == KillOutcome::done) wish.query_only ? session->cancel() : session->end_now();
    }
    home->post([answer, outcome] {
      answer->outcome = outcome;
      answer->given.set();
    });
  });
  if (sent) (void)co_await answer->given.wait();
  co_return answer->outcome;
}

}  // namespace anabranch::proxy::mysql
