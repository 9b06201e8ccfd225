#include "loop.h"

#include <poll.h>

#include <algorithm>

namespace interleave {

void Loop::turn() {
  std::vector<pollfd> watched;
  Clock::time_point first = Clock::now() + std::chrono::seconds(1);
  for (const Wait* wait : waiting_) {
    watched.push_back({wait->fd, wait->events, 0});
    first = std::min(first, wait->until);
  }
  const auto pause = std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now());
  poll(watched.data(), watched.size(), static_cast<int>(std::max<long>(pause.count(), 0)));
  const auto now = Clock::now();
  std::vector<Wait*> woken;
  std::vector<Wait*> left;
  for (std::size_t i = 0; i < watched.size(); ++i) {
    Wait* wait = waiting_[i];
    wait->came = watched[i].revents != 0;
    (wait->came || now >= wait->until ? woken : left).push_back(wait);
  }
  waiting_ = std::move(left);
  for (Wait* wait : woken) wait->waiting.resume();
}

void Loop::run(std::vector<Task<void>>& all) {
  for (auto& task : all) task.start();
  while (!waiting_.empty()) {
    for (const auto& task : all) task.rethrow();
    turn();
  }
  for (const auto& task : all) task.rethrow();
}

}  // namespace interleave
