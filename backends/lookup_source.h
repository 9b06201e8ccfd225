#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "backends/server.h"
#include "router/lookups.h"
#include "router/shard_map.h"

namespace anabranch::backends {

/// Tables of keys as the control plane reads them, as of now: connects to the default shard when it is first asked.
/// Blocks; one thread at a time.
class LookupSource final : public router::Lookups {
 public:
  /// Both must outlive it.
  LookupSource(const conf::Database& database, const router::ShardMap& map) : database_(database), map_(map) {}

  /// Without an answer, and failure(), where the table could not be read.
  std::optional<router::Placement> place(const router::MappedScheme& scheme, const router::KeyValue& key) override;
  /// Has these ready for place(): in few questions. NULLs are left out.
  void prepare(const router::MappedScheme& scheme, std::span<const router::KeyValue> keys);
  /// Why something could not be read, for people; empty: all was.
  const std::string& failure() const { return failure_; }

 private:
  using Rows = std::vector<std::vector<std::optional<std::string>>>;
  using Ask = std::function<std::expected<Rows, std::string>(const std::string& sql)>;
  void read(const router::MappedScheme& scheme, std::span<const router::KeyValue> keys);
  static std::expected<Ask, std::string> open(const Server& server);
  static std::expected<Ask, std::string> open_postgres(const Server& server);
  static std::expected<Ask, std::string> open_mysql(const Server& server);

  const conf::Database& database_;
  const router::ShardMap& map_;
  Ask ask_;
  std::string failure_;
  std::unordered_map<std::string, std::optional<std::uint32_t>> known_;
};

}  // namespace anabranch::backends
