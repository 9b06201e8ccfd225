#include "world.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace faults {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set: run scripts/faults");
  return value;
}

/// The HTTP server looks up every two seconds, or when somebody comes: an end need not take so long.
void poke(int port) {
  try {
    const Wire visit(port);
  } catch (const std::runtime_error&) {
  }
}

int next_proxy = 0;
std::unique_ptr<Proxy> shared;

/// md5 of password and name, as PostgreSQL stores it: the tests' own client knows no SCRAM.
std::string wire_verifier() {
  char* verifier = PQencryptPassword("wire-secret", "wire");
  std::string copy = verifier;
  PQfreemem(verifier);
  return copy;
}

void run_shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

}  // namespace

bool eventually(const std::function<bool()>& so, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

int rounds(int full) { return std::getenv("FAULTS_SANITIZED") ? std::max(1, full / 4) : full; }

Shard::Shard(const std::string& name)
    : folder_(environment("CLUSTER_HOME") + "/" + name), port_(std::stoi(read_text(folder_ + "/port"))) {}

std::string Shard::conninfo(const std::string& user) const {
  return fmt::format("host=127.0.0.1 port={} user={} password={}-secret dbname=shop", port_, user, user);
}

void Shard::stop() const {
  // The servers commit asynchronously: a crash of theirs would take the last rows with it.
  Client(conninfo()).run("checkpoint");
  const pid_t pid = std::stoi(read_text(folder_ + "/data/postmaster.pid"));
  kill(pid, SIGQUIT);
  if (!eventually([&] { return kill(pid, 0) != 0; })) throw std::runtime_error("a shard does not stop");
}

void Shard::start() const {
  const std::string as = geteuid() == 0 ? "cd / && setpriv --reuid=postgres --regid=postgres --init-groups -- " : "";
  run_shell(fmt::format("{}/usr/lib/postgresql/15/bin/pg_ctl start -w -t 60 -s -D {}/data -l {}/log -o '-p {}' "
                        "</dev/null >/dev/null 2>&1",
                        as, folder_, folder_, port_));
}

Shard& shard(int number) {
  static std::map<int, Shard> shards;
  return shards.try_emplace(number, std::to_string(number)).first->second;
}

Shard& single_server() {
  static Shard server("single");
  return server;
}

Proxy::Proxy(Raw, const std::string* yaml, const Blanks& blanks)
    : port_(free_port()),
      http_port_(free_port()),
      path_(fmt::format("{}/proxy-{}", environment("FAULTS_WORK"), ++next_proxy)) {
  write_config(yaml ? *yaml : map(blanks));
  start(blanks.contains(preload) ? blanks.at(preload) : "");
}

Proxy::Proxy(const Blanks& blanks) : Proxy(Raw{}, nullptr, blanks) {
  if (!wait_ready()) throw std::runtime_error("the proxy did not get ready:\n" + log());
}

std::unique_ptr<Proxy> Proxy::with_file(const std::string& yaml) {
  return std::unique_ptr<Proxy>(new Proxy(Raw{}, &yaml, {}));
}

void Proxy::start(const std::string& preloaded) {
  const std::string program = environment("ANABRANCH");
  const std::string config = config_path();
  const int log_fd = open((path_ + ".log").c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(log_fd, 1);
    dup2(log_fd, 2);
    if (!preloaded.empty()) setenv("LD_PRELOAD", preloaded.c_str(), 1);
    execl(program.c_str(), "anabranch", "serve", "-c", config.c_str(), nullptr);
    _exit(127);
  }
  close(log_fd);
}

Proxy::~Proxy() {
  if (!running()) return;
  signal(SIGINT);
  const auto status = ended();
  CHECK_MESSAGE(status == 0, "the proxy did not end well; its log ends with:\n", log_tail());
  if (!status) kill(pid_, SIGKILL);
}

bool Proxy::running() const {
  return pid_ > 0 && !status_ && kill(pid_, 0) == 0;
}

std::optional<int> Proxy::ended() {
  if (status_) return status_;
  int raw = 0;
  const auto over = [&] {
    if (waitpid(pid_, &raw, WNOHANG) == pid_) return true;
    poke(http_port_);
    return false;
  };
  if (!eventually(over)) return std::nullopt;
  status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  return status_;
}

void Proxy::signal(int number) const { kill(pid_, number); }

std::string Proxy::log() const { return read_text(path_ + ".log"); }

std::string Proxy::log_tail() const {
  const std::string all = log();
  return all.size() < 3000 ? all : all.substr(all.size() - 3000);
}

bool Proxy::wait_ready() {
  return eventually([&] {
    if (log().find(" ready\n") != std::string::npos) return true;
    int raw = 0;
    if (!status_ && waitpid(pid_, &raw, WNOHANG) == pid_) {
      status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    }
    if (status_) throw std::runtime_error("the proxy ended:\n" + log());
    return false;
  });
}

std::string Proxy::conninfo(const std::string& more) const {
  return fmt::format("host=127.0.0.1 port={} user=app password=app-secret dbname=shop sslmode=prefer {}", port_,
                     more);
}

std::string Proxy::map(const Blanks& blanks) const {
  Blanks all{{"PORT", std::to_string(port_)},
             {"HTTP_PORT", std::to_string(http_port_)},
             {"WIRE_PASSWORD", wire_verifier()},
             {"POOL_SIZE", "10"},
             {"WAIT_TIMEOUT", "60s"},
             {"CONNECT_TIMEOUT", "5s"},
             {"TLS", "tls: {mode: disable}"},
             {"USERS", ""},
             {"TABLES", ""},
             {"SCHEMES", ""},
             {"AUTHENTICATION", ""},
             {"DATABASES", ""},
             {"WEIGHT_4", ""},
             {"TWO_PHASE", "auto"},
             {"LIMITS", "query_memory: 256MiB"}};
  for (int i = 1; i <= 4; ++i) all[fmt::format("SHARD_{}", i)] = std::to_string(shard(i).port());
  for (const auto& [name, value] : blanks) all[name] = value;
  std::string yaml = read_text(FAULTS_DIR "/" + (blanks.contains(map_file) ? blanks.at(map_file) : "map.yaml.in"));
  for (const auto& [name, value] : all) {
    const std::string blank = "@" + name + "@";
    for (std::size_t at; (at = yaml.find(blank)) != std::string::npos;) yaml.replace(at, blank.size(), value);
  }
  return yaml;
}

void Proxy::write_config(const std::string& yaml) const { write_text(config_path(), yaml); }

bool Proxy::reload(const std::string& yaml) {
  const double version = metric("anabranch_config_version");
  const double failures = metric("anabranch_config_reload_failures_total");
  write_config(yaml);
  signal(SIGHUP);
  bool active = false;
  const bool moved = eventually([&] {
    active = metric("anabranch_config_version") > version;
    return active || metric("anabranch_config_reload_failures_total") > failures;
  });
  REQUIRE_MESSAGE(moved, "a reload ended neither well nor badly");
  return active;
}

std::string Proxy::http(const std::string& path) const {
  Wire wire(http_port_);
  wire.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  std::string all;
  while (const char byte = wire.read_byte()) all += byte;
  return all;
}

double Proxy::metric(const std::string& name, const std::string& label) const {
  std::istringstream text(http("/metrics"));
  double sum = 0;
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with(name) || line.find(label) == std::string::npos) continue;
    const char next = line[name.size()];
    if (next == ' ' || next == '{') sum += std::stod(line.substr(line.rfind(' ') + 1));
  }
  return sum;
}

double Proxy::resident() const {
  const std::string status = read_text(fmt::format("/proc/{}/status", pid_));
  const std::size_t at = status.find("VmRSS:");
  return at == std::string::npos ? 0 : std::stod(status.substr(at + 6)) / 1024;
}

Wire Proxy::wire() const { return Wire(port_, "wire", "wire-secret", "shop"); }

Proxy& proxy() {
  if (!shared) shared = std::make_unique<Proxy>();
  return *shared;
}

bool end_shared_proxy() {
  if (!shared) return true;
  shared->signal(SIGINT);
  const bool well = shared->ended() == 0;
  if (!well) fmt::print("the shared proxy did not end well:\n{}\n", shared->log_tail());
  shared.reset();
  return well;
}

std::string check_data(const std::string& yaml, const std::string& options) {
  const std::string base = environment("FAULTS_WORK") + "/check-data";
  write_text(base + ".yaml", yaml);
  const int raw = std::system(
      fmt::format("{0} check -c {1}.yaml --data {2} >{1}.out 2>&1", environment("ANABRANCH"), base, options).c_str());
  return fmt::format("{}exit {}\n", read_text(base + ".out"), WEXITSTATUS(raw));
}

void make_schema(const std::string& conninfo) {
  Client client(conninfo);
  if (!client.alive()) throw std::runtime_error(client.problem());
  std::istringstream statements(read_text(FAULTS_DIR "/schema.sql"));
  for (std::string line; std::getline(statements, line);) {
    if (line.starts_with("--")) continue;
    const Answer answer = client.run(line);
    if (!answer.ok()) throw std::runtime_error(line + ": " + answer.message);
  }
}

void make_functions(const Shard& server) {
  // A server's own pg_sleep is volatile, and is refused across shards.
  const Answer answer = Client(server.conninfo()).run(
      "create function nap(id bigint, seconds float8) returns boolean stable language plpgsql as "
      "$$ begin perform pg_sleep(seconds); return true; end $$");
  if (!answer.ok()) throw std::runtime_error(answer.message);
}

std::string on_shard(int number, const std::string& sql) {
  Client client(shard(number).conninfo());
  return client.run(sql).value();
}

long on_all_shards(const std::string& sql) {
  long sum = 0;
  for (int i = 1; i <= 4; ++i) sum += std::stol(on_shard(i, sql));
  return sum;
}

}  // namespace faults
