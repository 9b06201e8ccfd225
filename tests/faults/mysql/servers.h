#pragma once

#include <functional>
#include <string>

#include "../world.h"
#include "client.h"

/// MariaDB's servers of scripts/cluster, and proxies over them.
namespace faults::mysql {

/// One of "1" to "4".
class Shard {
 public:
  explicit Shard(int number);
  int port() const { return port_; }
  /// Killed, as a crash is.
  void stop() const;
  void start() const;
  /// It answers nothing any more, and is there.
  void hang() const;
  void go_on() const;
  /// As superuser.
  Answer run(const std::string& sql) const;
  /// Kills the connections on which a statement like this one runs, or (empty) that do nothing. Answers how many.
  int kill_connections(const std::string& like) const;

 private:
  std::string name_;
  std::string folder_;
  int port_;
};
Shard& shard(int number);
/// The sum over all shards of a number.
long on_all_shards(const std::string& sql);

/// Something that is wrong with a shard, until it ends or goes out of scope.
class Trouble {
 public:
  enum class Kind { down, hanging };
  Trouble(int number, Kind kind);
  Trouble(const Trouble&) = delete;
  Trouble& operator=(const Trouble&) = delete;
  ~Trouble() { end(); }
  void end();

 private:
  Shard& shard_;
  Kind kind_;
  bool over_ = false;
};

/// A map's blanks for MySQL's.
Blanks over_mysql(Blanks more = {});
/// The proxy that most tests share.
Proxy& proxy();
bool end_shared_proxy();
/// Makes the tables.
void make_schema();

}  // namespace faults::mysql
