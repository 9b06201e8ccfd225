#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "backends/pool.h"
#include "backends/server_pool.h"
#include "net/loop.h"

/// Servers that are one end of a socket pair, for tests of the lease manager.
namespace fake {

namespace net = anabranch::net;
namespace conf = anabranch::conf;
using namespace anabranch::backends;

struct Farm {
  std::vector<net::UniqueFd> ends;  // the servers' sides, in the order they were connected
  int refuse = 0;                   // so many connects fail first
  int cancels = 0;
  net::Event* hold_cancel = nullptr;  // a cancel connection lasts until this is set
  std::chrono::milliseconds connect_takes{0};

  Connector connector() {
    Connector made = real_connector(conf::Kind::postgres);
    made.connect = [this](std::shared_ptr<const Server>, net::CancelToken token) { return connect(this, token); };
    made.cancel = [this](std::shared_ptr<const Server>, std::int32_t, std::int32_t, net::CancelToken token) {
      return cancel(this, token);
    };
    return made;
  }

  void say(std::size_t server, std::string_view bytes) {
    CHECK(::write(ends[server].get(), bytes.data(), bytes.size()) ==
          static_cast<ssize_t>(bytes.size()));
  }

 private:
  static net::Task<std::expected<net::pg::BackendLink, net::pg::ConnectError>> connect(
      Farm* farm, net::CancelToken token) {
    if (farm->connect_takes.count() > 0) co_await net::sleep(farm->connect_takes, token);
    if (farm->refuse > 0) {
      --farm->refuse;
      net::pg::ConnectError error;
      error.net = {net::NetError::Kind::failed, "refused"};
      co_return std::unexpected(std::move(error));
    }
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    farm->ends.emplace_back(fds[1]);
    net::pg::BackendLink link;
    link.socket = net::Socket(net::UniqueFd(fds[0]));
    link.process = static_cast<std::int32_t>(farm->ends.size());
    co_return link;
  }

  static net::Task<net::IoResult> cancel(Farm* farm, net::CancelToken) {
    ++farm->cancels;
    if (farm->hold_cancel) co_await farm->hold_cancel->wait();
    co_return net::IoResult();
  }
};

inline conf::Database database(std::uint32_t size, conf::Milliseconds wait_timeout,
                               std::size_t shards = 2) {
  conf::Database made;
  made.name = "shop";
  made.pool.size = size;
  made.pool.wait_timeout = wait_timeout;
  for (std::size_t i = 0; i < shards; ++i) {
    conf::Shard shard;
    shard.name = "s" + std::to_string(i + 1);
    shard.primary.address = {"127.0.0.1", static_cast<std::uint16_t>(1000 + i)};
    shard.primary.backend.user = "app";
    shard.primary.backend.database = "shop";
    made.shards.push_back(shard);
  }
  return made;
}

inline constexpr std::string_view ready{"Z\0\0\0\5I", 6};

}  // namespace fake
