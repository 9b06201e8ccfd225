#include "proxy/cli_check_data.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <ostream>
#include <thread>

#include "proxy/cli_check.h"

namespace anabranch::proxy {
namespace {

/// A line that is written over once a second until it goes out of scope.
class ProgressLine {
 public:
  ProgressLine(std::ostream& err, const std::atomic<std::uint64_t>& rows, std::string table)
      : err_(err), rows_(rows), table_(std::move(table)), thread_([this](const std::stop_token& end) { run(end); }) {}
  ~ProgressLine() {
    thread_.request_stop();
    thread_.join();
    err_ << "\r\033[K" << std::flush;
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  void run(const std::stop_token& end) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    while (!wake_.wait_for(lock, end, std::chrono::seconds(1), [&end] { return end.stop_requested(); })) {
      err_ << fmt::format("\r\033[K{}: {} rows so far", table_, rows_.load()) << std::flush;
    }
  }

  std::ostream& err_;
  const std::atomic<std::uint64_t>& rows_;
  const std::string table_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

std::string text_of(const conf::TableName& name) { return name.schema + "." + name.name; }

/// Copies of the reference table by what they hold; empty: all are alike.
std::vector<std::string> tell_copies(const router::ShardMap& map, const std::vector<backends::ShardData>& shards) {
  std::map<std::string, std::string> shards_by_content;
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    const auto& sum = shards[shard].checksum;
    if (!sum) continue;
    std::string& names = shards_by_content[fmt::format("{} rows, checksum {}", sum->rows(), sum->text())];
    names += (names.empty() ? "" : ", ") + map.shards()[shard].name;
  }
  std::vector<std::string> lines;
  if (shards_by_content.size() < 2) return lines;
  for (const auto& [content, names] : shards_by_content) lines.push_back(fmt::format("{}: {}", names, content));
  return lines;
}

/// Rows that say where keys live. False: something is wrong.
bool tell_lookup(const router::MappedScheme& scheme, const backends::ShardData& found, std::ostream& out) {
  const std::string verdict = found.failure.empty() ? fmt::format("{} name no shard", found.wrong)
                                                    : "not checked: " + found.failure;
  out << fmt::format("{}: {} rows checked, {}\n", text_of(scheme.lookup->name), found.rows, verdict);
  for (const std::string& example : found.examples) out << "    " << example << '\n';
  if (found.wrong > found.examples.size()) out << "    ...\n";
  return found.wrong == 0 && found.failure.empty();
}

/// False: something is wrong.
bool check_database(const conf::Database& database, const CheckDataOptions& options, std::ostream& out,
                    std::ostream& err) {
  std::vector<conf::Diagnostic> diagnostics;
  const auto map = router::ShardMap::build(database, options.config, diagnostics);
  if (map == nullptr) {
    print(diagnostics, err);
    return false;
  }
  out << fmt::format("database {}\n", database.name);
  std::vector<std::string> lost;
  bool well = true;
  for (const router::MappedScheme& scheme : map->schemes()) {
    if (!scheme.lookup) continue;
    std::atomic<std::uint64_t> rows = 0;
    const auto found = backends::check_lookup({&database, map.get(), options.rows_per_second, &rows}, scheme);
    well = tell_lookup(scheme, found, out) && well;
  }
  for (const router::MappedTable& table : map->tables()) {
    std::atomic<std::uint64_t> rows = 0;
    std::vector<backends::ShardData> shards;
    {
      std::optional<ProgressLine> line;
      if (options.progress) line.emplace(err, rows, text_of(table.name));
      shards = backends::check_data({&database, map.get(), options.rows_per_second, &rows}, table, lost);
    }
    well = tell_data(*map, table, shards, out) && well;
    out << std::flush;
  }
  return well;
}

}  // namespace

bool tell_data(const router::ShardMap& map, const router::MappedTable& table,
               const std::vector<backends::ShardData>& shards, std::ostream& out) {
  std::uint64_t rows = 0;
  std::uint64_t wrong = 0;
  std::size_t failures = 0;
  for (const backends::ShardData& shard : shards) {
    rows += shard.rows;
    wrong += shard.wrong;
    failures += shard.failure.empty() ? 0 : 1;
  }
  const auto differing = tell_copies(map, shards);
  const bool reference = table.kind == conf::TableKind::reference;
  const std::string verdict = reference ? (differing.empty() ? "copies agree" : "copies differ")
                                        : fmt::format("{} on a wrong shard", wrong);
  out << fmt::format("{}: {} rows checked, {}{}\n", text_of(table.name), rows, verdict,
                     failures == 0 ? "" : fmt::format("; {} of {} shards not checked", failures, shards.size()));
  for (const std::string& line : differing) out << "  " << line << '\n';
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::string& name = map.shards()[i].name;
    if (!shards[i].failure.empty()) out << fmt::format("  {}: not checked: {}\n", name, shards[i].failure);
    if (shards[i].wrong > 0) out << fmt::format("  {}: {} rows on a wrong shard\n", name, shards[i].wrong);
    for (const std::string& example : shards[i].examples) out << "    " << example << '\n';
    const bool more = !shards[i].examples.empty() && shards[i].wrong > shards[i].examples.size() &&
                      shards[i].examples.size() == backends::ShardData::most_examples;
    if (more) out << "    ...\n";
  }
  return wrong == 0 && failures == 0 && differing.empty();
}

int check_data(const CheckDataOptions& options, std::ostream& out, std::ostream& err) {
  const auto config = load_config(options.config, err);
  if (config == nullptr) return exit_refused;
  bool any = false;
  bool well = true;
  for (const conf::Database& database : config->databases) {
    const bool asked = options.database.empty() ? !database.passes_names_on() : options.database == database.name;
    if (!asked) continue;
    any = true;
    well = check_database(database, options, out, err) && well;
  }
  if (!any) {
    err << fmt::format("{}: error: no database `{}`\n", options.config, options.database);
    return exit_refused;
  }
  return well ? exit_fine : exit_refused;
}

}  // namespace anabranch::proxy
