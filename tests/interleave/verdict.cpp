#include "verdict.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "link.h"
#include "settings.h"

namespace interleave {

namespace {

/// For what is asked directly, one after another.
class Server {
 public:
  explicit Server(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str()), PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) throw Difference(PQerrorMessage(connection_.get()));
  }
  std::string value(const std::string& sql) const {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), sql.c_str()), PQclear);
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return "";
    if (PQntuples(result.get()) != 1) throw Difference(sql + ": " + PQresultErrorMessage(result.get()));
    return PQgetvalue(result.get(), 0, 0);
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

bool eventually(const std::function<bool()>& so) {
  for (int i = 0; i < 1000; ++i) {
    if (so()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  return false;
}

constexpr int inspectors = 40;

Task<void> inspect(World& world, int number) {
  Link link(world.loop);
  const std::string problem = co_await link.open(world.conninfo + " dbname=shop");
  if (!problem.empty()) throw Difference("a session after all others: " + problem);
  for (int round = 0; round < 3; ++round) {
    for (const std::string& name : setting_names()) {
      const std::string shard = fmt::format(" FROM items WHERE id = {}", (number + round) % 4);
      const Answers answers = co_await link.query(
          fmt::format("SELECT coalesce(current_setting('{}', true), ''){}", name, shard));
      if (answers.back().text() == world.defaults.at(name)) continue;
      throw Difference(fmt::format("a session after all others{}: {} is \"{}\" instead of \"{}\"", shard, name,
                                   answers.back().text(), world.defaults.at(name)));
    }
    const Answers left = co_await link.query("SELECT count(*) FROM pg_listening_channels()");
    if (left.back().text() != "0") throw Difference("a session after all others listens: " + left.back().text());
  }
}

}  // namespace

Values read_defaults(const std::string& conninfo) {
  const Server server(conninfo);
  Values values;
  for (const std::string& name : setting_names()) {
    values[name] = server.value(fmt::format("SELECT coalesce(current_setting('{}', true), '')", name));
  }
  const auto render = [&](std::string_view setting, std::string_view value) {
    server.value(fmt::format("SET {} TO '{}'", setting, value));
  };
  for (const std::string_view zone : {"Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC", "Asia/Kolkata"}) {
    for (const std::string_view style : {"ISO", "SQL", "German", "Postgres"}) {
      for (const std::string_view order : {"MDY", "DMY"}) {
        const std::string whole = fmt::format("{}, {}", style, order);
        render("TimeZone", zone);
        render("DateStyle", whole);
        values[fmt::format("{}/{}", zone, whole)] = server.value("SELECT '2024-02-03 04:05:06+00'::timestamptz");
      }
    }
  }
  for (const std::string_view style : {"postgres", "postgres_verbose", "sql_standard", "iso_8601"}) {
    render("IntervalStyle", style);
    values[std::string(style)] = server.value("SELECT '1 day 2 hours'::interval");
  }
  for (const std::string_view digits : {"-5", "0", "1", "2", "3"}) {
    render("extra_float_digits", digits);
    values[fmt::format("digits {}", digits)] = server.value("SELECT 1::float8 / 3");
  }
  for (const std::string_view output : {"hex", "escape"}) {
    render("bytea_output", output);
    values[std::string(output)] = server.value("SELECT 'ab'::bytea");
  }
  return values;
}

void inspect_pools(World& world) {
  std::vector<Task<void>> all;
  for (int number = 0; number < inspectors; ++number) all.push_back(inspect(world, number));
  world.loop.run(all);
}

void inspect_server(const std::string& conninfo) {
  const Server server(conninfo);
  const auto none = [&](std::string_view what, const std::string& sql) {
    std::string left;
    if (!eventually([&] { return (left = server.value(sql)) == "0"; })) {
      throw Difference(fmt::format("after all sessions have left, on the server at {}: {} {}",
                                   conninfo.substr(0, conninfo.find(" user")), left, what));
    }
  };
  none("backends within a transaction or statement",
       "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND state <> 'idle'"
       " AND pid <> pg_backend_pid()");
  none("advisory locks", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'");
  none("temporary tables", "SELECT count(*) FROM pg_class WHERE relpersistence = 't'");
}

double Memory::resident() const {
  std::ifstream status(fmt::format("/proc/{}/status", process_));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

Task<void> Memory::watch(World& world) {
  const auto begun = Clock::now();
  const auto quarter = begun + (world.end - begun) / 4;
  while (Clock::now() < quarter) co_await world.loop.sleep(std::chrono::milliseconds(200));
  early_ = resident();
}

void Memory::judge() const {
  if (process_ == 0) return;
  constexpr double leeway = 48;
  const double late = resident();
  fmt::print("resident memory of the proxy: {:.0f} MiB early, {:.0f} MiB at the end\n", early_, late);
  if (late > early_ * 1.5 + leeway) throw Difference("the proxy's memory has grown");
}

}  // namespace interleave
