#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "client.h"
#include "wire.h"

/// The processes that a test speaks of: shards, and proxies over them.
namespace faults {

/// Generous: a loaded machine and sanitizers must not fail a test.
constexpr auto patience = std::chrono::seconds(90);

/// Looks again and again until it is so. False: it never was.
bool eventually(const std::function<bool()>& so, std::chrono::milliseconds limit = patience);

/// A loopback port that nobody listens on.
int free_port();
std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);
/// Rounds are fewer where a sanitizer makes each of them slow.
int rounds(int full);

/// A server of scripts/cluster: "1" to "4", or "single".
class Shard {
 public:
  explicit Shard(const std::string& name);
  int port() const { return port_; }
  std::string conninfo(const std::string& user = "postgres") const;
  /// At once and without a checkpoint, as a crash is.
  void stop() const;
  void start() const;

 private:
  std::string folder_;
  int port_;
};
Shard& shard(int number);
Shard& single_server();

/// What is put in place of the map's @…@.
using Blanks = std::map<std::string, std::string>;

/// The map's blank of a library that is loaded into the process ahead of all others: no text of the map has it.
inline constexpr const char* preload = "PRELOAD";
/// Another map than map.yaml.in.
inline constexpr const char* map_file = "MAP";

/// One `anabranch serve`, with its configuration and its log. Ends with its owner, whose last word is
/// that the process ended well: with a sanitizer, that is the word on leaks too.
class Proxy {
 public:
  explicit Proxy(const Blanks& blanks = {});
  /// The file as it is; does not wait until it is ready.
  static std::unique_ptr<Proxy> with_file(const std::string& yaml);
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy();

  std::string conninfo(const std::string& more = "") const;
  std::string map(const Blanks& blanks) const;
  void write_config(const std::string& yaml) const;
  std::string config_path() const { return path_ + ".yaml"; }
  /// SIGHUP, and waits until the new file is active (true) or refused.
  bool reload(const std::string& yaml);
  void signal(int number) const;
  /// The exit status, once it has ended by itself; nullopt: it runs on, or a signal killed it.
  std::optional<int> ended();
  bool running() const;
  std::string log() const;
  std::string log_tail() const;
  bool wait_ready();
  /// The answer's status line and body.
  std::string http(const std::string& path) const;
  /// The sum of a metric's samples whose labels contain the text.
  double metric(const std::string& name, const std::string& label = "") const;
  /// Resident memory in MiB.
  double resident() const;
  int port() const { return port_; }
  int http_port() const { return http_port_; }
  pid_t pid() const { return pid_; }
  Wire wire() const;

 private:
  struct Raw {};
  Proxy(Raw, const std::string* yaml, const Blanks& blanks);
  void start(const std::string& preloaded);

  int port_;
  int http_port_;
  std::string path_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// The proxy that most tests share. Who makes it fail, or changes its settings, starts one of his own.
Proxy& proxy();
/// Ends it; the test run's last act.
bool end_shared_proxy();
/// What `anabranch check --data` says of a configuration: standard output with errors, and the exit status at its end.
std::string check_data(const std::string& yaml, const std::string& options = "");
/// Makes the tables of schema.sql where the conninfo leads.
void make_schema(const std::string& conninfo);
/// `nap(id, seconds)`: true, after a while.
void make_functions(const Shard& server);
/// What lies on a shard itself.
std::string on_shard(int number, const std::string& sql);
/// The sum over all shards of a number.
long on_all_shards(const std::string& sql);

}  // namespace faults
