#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

#include "coverage.h"
#include "prove.h"
#include "random.h"
#include "runner.h"

namespace anabranch::differential {
namespace {

constexpr const char* usage =
    R"(differential --single CONNINFO [--endpoint SHARDS CONNINFO]... ACTION

  --mysql                      endpoints are MySQL's: PORT, or PORT/PORT,PORT… of a proxy and its servers
  --single CONNINFO            the server that holds everything
  --endpoint SHARDS CONNINFO   what is compared with it: a proxy over so many shards, or 0 for
                               another plain server
actions:
  --cases FOLDER [--filter TEXT] [--update]   run the corpus; --update rewrites states that changed, or
                                              the folder's list of pending cases where it has one
  --prove                                     plant faults and see that each is found
  --random SECONDS [--seed N]                 compare generated queries
  --count FOLDER                              count the corpus, without any server
  --coverage FOLDER                           print it as Markdown: what is answered, and how
)";

struct Arguments {
  Options options;
  bool prove = false;
  bool count = false;
  bool coverage = false;
  int random_seconds = 0;
  std::optional<uint64_t> seed;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  int at = 1;
  const auto next = [&]() -> std::string {
    if (at >= argc) throw std::invalid_argument("an argument is missing");
    return argv[at++];
  };
  while (at < argc) {
    const std::string option = next();
    if (option == "--single") {
      arguments.options.single = next();
    } else if (option == "--endpoint") {
      const int shards = std::stoi(next());
      const std::string label = shards == 0   ? "plain server"
                                : shards == 1 ? "1 shard"
                                              : fmt::format("{} shards", shards);
      arguments.options.endpoints.push_back(
          {label, shards == 0 ? Shards{} : Shards{shards}, next()});
    } else if (option == "--cases" || option == "--count" || option == "--coverage") {
      arguments.options.cases = next();
      arguments.count = option == "--count";
      arguments.coverage = option == "--coverage";
    } else if (option == "--mysql") {
      arguments.options.dialect = &mysql();
    } else if (option == "--filter") {
      arguments.options.filter = next();
    } else if (option == "--update") {
      arguments.options.update = true;
    } else if (option == "--prove") {
      arguments.prove = true;
    } else if (option == "--random") {
      arguments.random_seconds = std::stoi(next());
    } else if (option == "--seed") {
      arguments.seed = std::stoull(next());
    } else {
      throw std::invalid_argument("unknown option " + option);
    }
  }
  return arguments;
}

int run(int argc, char** argv) {
  Arguments arguments = parse(argc, argv);
  if (arguments.count) return print_count(arguments.options.cases);
  if (arguments.coverage) return print_coverage(arguments.options.cases);
  if (arguments.options.single.empty()) throw std::invalid_argument("--single is missing");
  int failures = 0;
  if (arguments.prove) failures += prove_comparator(*arguments.options.dialect, arguments.options.single);
  if (!arguments.options.cases.empty()) failures += run_corpus(arguments.options);
  if (arguments.random_seconds > 0) {
    const uint64_t seed = arguments.seed.value_or(std::random_device()());
    failures += run_random(arguments.options, arguments.random_seconds, seed);
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace anabranch::differential

int main(int argc, char** argv) {
  // Seen at once, also when the run is piped or killed.
  setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    return anabranch::differential::run(argc, argv);
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "differential: {}\n{}", error.what(), anabranch::differential::usage);
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "differential: {}\n", error.what());
    return 1;
  }
}
