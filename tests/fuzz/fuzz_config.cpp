#include <cstddef>
#include <cstdint>
#include <string_view>

#include "conf/diff.h"
#include "conf/load.h"
#include "conf/support.h"
#include "router/shard_map.h"

// The loader must neither crash nor hang, whatever the file; what it accepts must make a map.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anabranch;
  const conf::Surroundings nothing{
      [](const std::string&) { return std::optional<std::string>("value"); },
      [](const std::string&) { return std::optional<std::string>(); },
  };
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const conf::Loaded loaded = conf::load_text(text, "fuzz.yaml", nothing);
  if (loaded.config == nullptr) return 0;
  conf::unsupported(*loaded.config);
  router::check(*loaded.config);
  conf::diff(*loaded.config, *loaded.config);
  return 0;
}
