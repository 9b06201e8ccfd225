#include "servers.h"

#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>

namespace faults::mysql {

namespace {

std::unique_ptr<Proxy> shared;

void cluster(const std::string& command, const std::string& server) {
  const std::string line = fmt::format("scripts/cluster {} {} {}", command, std::getenv("CLUSTER_NAME"), server);
  if (std::system(line.c_str()) != 0) throw std::runtime_error("failed: " + line);
}

void must(const Answer& answer, const std::string& sql) {
  if (!answer.ok()) throw std::runtime_error(sql + ": " + answer.value());
}

}  // namespace

Shard::Shard(int number)
    : name_(std::to_string(number)),
      folder_(std::string(std::getenv("CLUSTER_HOME")) + "/" + name_),
      port_(std::stoi(read_text(folder_ + "/port"))) {}

void Shard::stop() const {
  // Commits are flushed now and then: a crash would take the last rows with it.
  if (const Answer answer = run("flush engine logs"); !answer.ok()) throw std::runtime_error(answer.value());
  cluster("crash", name_);
}
void Shard::start() const { cluster("revive", name_); }
void Shard::hang() const { kill(std::stoi(read_text(folder_ + "/pid")), SIGSTOP); }
void Shard::go_on() const { kill(std::stoi(read_text(folder_ + "/pid")), SIGCONT); }

Answer Shard::run(const std::string& sql) const { return Client(port_, "root", "").run(sql); }

int Shard::kill_connections(const std::string& like) const {
  Client root(port_, "root", "");
  const std::string which =
      like.empty() ? "command = 'Sleep'" : fmt::format("command <> 'Sleep' and info like '%{}%'", like);
  const Answer found = root.run("select id from information_schema.processlist where user = 'app' and " + which);
  for (const auto& row : found.rows) root.run("kill " + row.at(0));
  return static_cast<int>(found.rows.size());
}

Shard& shard(int number) {
  static std::map<int, Shard> shards;
  return shards.try_emplace(number, number).first->second;
}

long on_all_shards(const std::string& sql) {
  long sum = 0;
  for (int i = 1; i <= 4; ++i) sum += std::stol(shard(i).run(sql).value());
  return sum;
}

Trouble::Trouble(int number, Kind kind) : shard_(shard(number)), kind_(kind) {
  kind == Kind::down ? shard_.stop() : shard_.hang();
}

void Trouble::end() {
  if (std::exchange(over_, true)) return;
  kind_ == Kind::down ? shard_.start() : shard_.go_on();
}

Blanks over_mysql(Blanks more) {
  more.try_emplace(map_file, "mysql/map.yaml.in");
  return more;
}

Proxy& proxy() {
  if (!shared) shared = std::make_unique<Proxy>(over_mysql());
  return *shared;
}

bool end_shared_proxy() {
  if (!shared) return true;
  shared->signal(SIGINT);
  const bool well = shared->ended() == 0;
  if (!well) fmt::print("MySQL's shared proxy did not end well:\n{}\n", shared->log_tail());
  shared.reset();
  return well;
}

void make_schema() {
  Client client(proxy().port());
  for (const std::string sql :
       {"create table items (id bigint primary key, note varchar(100), n int) engine=innodb",
        "create table big (id bigint primary key, filler mediumtext) engine=innodb",
        "create table countries (code varchar(2) primary key, name varchar(50)) engine=innodb",
        "insert into countries values ('DE', 'Germany'), ('FR', 'France')"}) {
    must(client.run(sql), sql);
  }
  std::string rows;
  for (int id = 1; id <= 20; ++id) rows += fmt::format("{}({}, 'i{}', {})", id > 1 ? ", " : "", id, id, 10 * id);
  must(client.run("insert into items values " + rows), "insert into items");
  // Far more than the buffers between a shard and a client that does not read can hold.
  for (int i = 1; i <= 4; ++i) {
    must(shard(i).run(fmt::format("insert into big select seq * 4 + {}, repeat('x', 10000) from seq_1_to_1500", i - 1)),
         "insert into big");
  }
}

}  // namespace faults::mysql
