#include "proxy/status_page.h"

#include <fmt/format.h>

namespace anabranch::proxy {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    switch (letter) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += letter;
    }
  }
  return out;
}

constexpr std::string_view head =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Anabranch</title>"
    "<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:60rem}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.2rem .8rem;"
    "border-bottom:1px solid #ccc;text-align:left}.down{color:#b00020}.up{color:#06733d}</style>";

std::string health_rows(const std::vector<backends::ShardHealth>& health) {
  std::string rows;
  for (const auto& shard : health) {
    const std::string state = !shard.known ? "not asked yet"
                              : shard.up   ? "<span class=\"up\">up</span>"
                                           : "<span class=\"down\">down</span> " + escaped(shard.reason);
    rows += fmt::format("<tr><td>{}<td>{}<td>{}<td>{}", escaped(shard.database), escaped(shard.shard),
                        escaped(shard.address), state);
  }
  return rows;
}

std::string pool_rows(const std::vector<backends::PoolRegistry::Row>& pools) {
  std::string rows;
  for (const auto& pool : pools) {
    rows += fmt::format("<tr><td>{}<td>{}<td>{}<td>{} of {}<td>{}<td>{}", escaped(pool.database),
                        escaped(pool.shard), escaped(pool.user), pool.metrics->open.load(), pool.size,
                        pool.metrics->idle.load(), pool.metrics->waiting.load());
  }
  return rows;
}

}  // namespace

std::string render_status_page(const Snapshot& snapshot,
                               const std::vector<backends::PoolRegistry::Row>& pools,
                               const std::vector<backends::ShardHealth>& health,
                               std::size_t clients) {
  return fmt::format(
      "{}<h1>Anabranch</h1><p>Configuration {} · {} clients · <a href=\"/metrics\">metrics</a></p>"
      "<h2>Shards</h2><table><tr><th>database<th>shard<th>address<th>state{}</table>"
      "<h2>Pools</h2><table><tr><th>database<th>shard<th>role<th>open<th>idle<th>waiting{}</table>",
      head, snapshot.version, clients, health_rows(health), pool_rows(pools));
}

}  // namespace anabranch::proxy
