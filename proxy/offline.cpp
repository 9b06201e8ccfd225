#include "proxy/offline.h"

#include <fmt/format.h>

#include <future>
#include <ostream>

#include "conf/load.h"
#include "proxy/cli_check.h"
#include "proxy/instance.h"
#include "proxy/log.h"

namespace anabranch::proxy {

namespace {

const conf::User* any_user(const conf::Config& config, const std::string& database) {
  for (const conf::User& user : config.users) {
    if (user.may_use(database)) return &user;
  }
  return nullptr;
}

net::Task<void> run(Worker& worker, Login login, const OfflineJob& job, std::promise<void>& done) {
  if (login.state->conf->kind == conf::Kind::mysql) {
    co_await job.mysql(worker, std::move(login));
  } else {
    SessionState state(worker, net::Socket(), std::move(login));
    co_await job.postgres(state);
    state.end_leases();
  }
  done.set_value();
}

}  // namespace

int run_offline(const std::string& config, std::string database, std::ostream& err,
                const OfflineJob& job) {
  const auto loaded = load_config(config, err);
  if (loaded == nullptr) return exit_refused;
  spdlog::set_level(spdlog::level::off);
  Instance instance;
  if (const auto installed = instance.install(loaded); !installed) {
    for (const std::string& reason : installed.error()) err << reason << "\n";
    return exit_refused;
  }
  if (database.empty() && loaded->databases.size() == 1) database = loaded->databases.front().name;
  Login login;
  login.state = instance.snapshot()->find(database);
  const conf::User* account = any_user(*loaded, database);
  if (login.state == nullptr || account == nullptr) {
    err << fmt::format("{}: no {} \"{}\"\n", config,
                       login.state == nullptr ? "database" : "user may use database", database);
    return exit_refused;
  }
  if (login.state->conf->kind == conf::Kind::mysql && job.mysql == nullptr) {
    err << fmt::format("{}: database \"{}\" is of kind mysql, for which this is not there\n", config, database);
    return exit_refused;
  }
  login.user = account->name;
  login.database = database;
  if (account->password.kind == conf::PasswordKind::plain) login.password = account->password.text;

  instance.start_loops(1);
  std::promise<void> done;
  instance.post(0, [&](Worker& worker) { net::spawn(run(worker, std::move(login), job, done)); });
  done.get_future().wait();
  return exit_fine;
}

}  // namespace anabranch::proxy
