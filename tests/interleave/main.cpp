#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "session.h"
#include "settings.h"
#include "verdict.h"
#include "world.h"

namespace {

using namespace interleave;

struct Options {
  std::string proxy;
  std::vector<std::string> servers;
  int proxy_process = 0;
  int seconds = 20;
  int sessions = 300;
  std::uint64_t seed = 1;
  std::set<std::string> disabled;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--proxy") options.proxy = value;
    if (name == "--server") options.servers.push_back(value);
    if (name == "--process") options.proxy_process = std::stoi(value);
    if (name == "--seconds") options.seconds = std::stoi(value);
    if (name == "--sessions") options.sessions = std::stoi(value);
    if (name == "--seed") options.seed = std::stoull(value);
    if (name == "--without") options.disabled.insert(value);
  }
  return options;
}

void print_kinds(const World& world) {
  fmt::print("{} steps of {} connections; {} gave way\n", world.steps, world.connections, world.gave_way);
  for (const auto& [name, count] : world.steps_by_kind) fmt::print("  {:<18}{}\n", name, count);
}

void run(const Options& options) {
  Loop loop;
  World world(loop, options.proxy);
  world.seed = options.seed;
  world.disabled = options.disabled;
  world.defaults = read_defaults(options.servers.at(0));
  world.end = Clock::now() + std::chrono::seconds(options.seconds);
  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<Task<void>> all;
  // Those without schemes keep a connection each: few, or all others would wait for them.
  for (int number = 1; number <= options.sessions; ++number) {
    sessions.push_back(std::make_unique<Session>(world, number, number % 25 == 0));
    all.push_back(sessions.back()->live());
  }
  Memory memory(options.proxy_process);
  all.push_back(memory.watch(world));
  loop.run(all);
  print_kinds(world);
  inspect_pools(world);
  for (const std::string& server : options.servers) inspect_server(server);
  memory.judge();
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  if (options.proxy.empty() || options.servers.empty()) {
    fmt::print(stderr, "run scripts/interleave\n");
    return 2;
  }
  try {
    fmt::print("seed {}\n", options.seed);
    run(options);
  } catch (const std::exception& difference) {
    fmt::print("{}\n", difference.what());
    std::fflush(stdout);
    std::_Exit(1);
  }
  return 0;
}
