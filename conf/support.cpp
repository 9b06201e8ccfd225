#include "conf/support.h"

namespace anabranch::conf {
namespace {

/// Collects the keys, each with the place where it was written.
class Findings {
 public:
  explicit Findings(const Config& config) : config_(config) {}

  void when(bool asked_for, const std::string& key) {
    if (!asked_for) return;
    list_.push_back(
        {Severity::warning, config_.file, config_.where(key), key + ": not supported yet"});
  }
  std::vector<Diagnostic> take() { return std::move(list_); }

 private:
  const Config& config_;
  std::vector<Diagnostic> list_;
};

void look_at(Findings& findings, const std::string& path, const Scheme& scheme) {
  findings.when(scheme.collation != "binary", path + ".collation");
}

void look_at(Findings& findings, const std::string& path, const Database& database) {
  const Database defaults;
  findings.when(database.load_balancing != defaults.load_balancing, path + ".load_balancing");
  findings.when(database.read_from != defaults.read_from, path + ".read_from");
  findings.when(database.max_replica_lag != defaults.max_replica_lag, path + ".max_replica_lag");
  findings.when(database.transactions.two_phase == TwoPhase::required,
                path + ".transactions.two_phase");
  findings.when(database.transactions.snapshots != defaults.transactions.snapshots,
                path + ".transactions.snapshots");
  findings.when(database.workspace.server || database.workspace.shard != database.default_shard,
                path + ".workspace");
  for (const Shard& shard : database.shards) {
    const std::string key = path + ".shards." + shard.name;
    findings.when(!shard.replicas.empty(), key + ".replicas");
    findings.when(!shard.internal_replication, key + ".internal_replication");
  }
  for (const Scheme& scheme : database.schemes) {
    look_at(findings, path + ".schemes." + scheme.name, scheme);
  }
}

}  // namespace

std::vector<Diagnostic> unsupported(const Config& config) {
  Findings findings(config);
  for (const Database& database : config.databases) {
    look_at(findings, "databases." + database.name, database);
    for (const Table& table : database.tables) {
      const std::string plain = "databases." + database.name + ".tables." + table.name.name;
      const std::string full =
          "databases." + database.name + ".tables." + table.name.schema + "." + table.name.name;
      const std::string& key = config.written.contains(full) ? full : plain;
      findings.when(!table.physical.empty() && database.kind == Kind::mysql, key + ".physical");
      findings.when(!table.generate.empty(), key + ".generate");
    }
  }
  findings.when(!config.rules.empty(), "rules");
  auto list = findings.take();
  sort_by_place(list);
  return list;
}

}  // namespace anabranch::conf
