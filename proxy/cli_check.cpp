#include "proxy/cli_check.h"

#include <ostream>

#include "conf/load.h"
#include "conf/support.h"
#include "router/shard_map.h"

namespace anabranch::proxy {

void print(const std::vector<conf::Diagnostic>& diagnostics, std::ostream& err) {
  for (const conf::Diagnostic& diagnostic : diagnostics) err << diagnostic.text() << '\n';
}

std::shared_ptr<const conf::Config> load_config(const std::string& path, std::ostream& err) {
  const conf::Loaded loaded = conf::load_file(path);
  if (loaded.config == nullptr) print(loaded.diagnostics, err);
  return loaded.config;
}

int check(const CheckOptions& options, std::ostream& out, std::ostream& err) {
  conf::Loaded loaded = conf::load_file(options.config);
  auto& diagnostics = loaded.diagnostics;
  if (loaded.config != nullptr) {
    for (const auto& more : {router::check(*loaded.config), conf::unsupported(*loaded.config)}) {
      diagnostics.insert(diagnostics.end(), more.begin(), more.end());
    }
    conf::sort_by_place(diagnostics);
  }
  print(diagnostics, err);
  if (conf::has_errors(diagnostics)) return exit_refused;
  out << "ok\n";
  return exit_fine;
}

}  // namespace anabranch::proxy
