#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "net/loop.h"

using namespace anabranch::net;
using namespace std::chrono_literals;

namespace {

Task<int> number(int value) {
  co_return value;
}

Task<int> sum_of(int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await number(1);
  co_return sum;
}

Task<void> throws() {
  co_await yield();
  throw std::runtime_error("as planned");
}

Task<Wait> wait_for(Event& event, CancelToken token) {
  co_return co_await event.wait(token);
}

Task<void> append(std::vector<int>& order, int value, int yields) {
  for (int i = 0; i < yields; ++i) co_await yield();
  order.push_back(value);
}

Task<void> set_later(Event& event, int yields) {
  for (int i = 0; i < yields; ++i) co_await yield();
  event.set();
}

struct CountsDestruction {
  explicit CountsDestruction(int& counter) : count(&counter) {}
  CountsDestruction(const CountsDestruction&) = delete;
  CountsDestruction& operator=(const CountsDestruction&) = delete;
  ~CountsDestruction() { ++*count; }
  int* count;
};

Task<void> wait_for_ever(Event& event, int& destroyed) {
  const CountsDestruction guard(destroyed);
  co_await event.wait();
}

}  // namespace

TEST_CASE("a task is lazy, and answers its value") {
  Loop loop;
  bool ran = false;
  auto body = [](bool& flag) -> Task<int> {
    flag = true;
    co_return 7;
  };
  Task<int> task = body(ran);
  CHECK_FALSE(ran);
  CHECK(block_on(loop, std::move(task)) == 7);
  CHECK(ran);
}

TEST_CASE("a million awaits that never wait do not use up the stack") {
  Loop loop;
  CHECK(block_on(loop, sum_of(1'000'000)) == 1'000'000);
}

TEST_CASE("an exception comes out of co_await") {
  Loop loop;
  CHECK_THROWS_WITH(block_on(loop, throws()), "as planned");
}

TEST_CASE("an event wakes all that wait, and stays set") {
  Loop loop;
  auto body = []() -> Task<int> {
    Event event;
    int woken = 0;
    auto waiter = [](Event& e, int& count) -> Task<void> {
      if (co_await e.wait() == Wait::ready) ++count;
    };
    co_await when_all(waiter(event, woken), waiter(event, woken), set_later(event, 3));
    co_await waiter(event, woken);
    co_return woken;
  };
  CHECK(block_on(loop, body()) == 3);
}

TEST_CASE("a signal notified while nobody waits is kept once") {
  Loop loop;
  auto body = []() -> Task<std::vector<Wait>> {
    Signal signal;
    signal.notify();
    signal.notify();
    std::vector<Wait> outcomes;
    outcomes.push_back(co_await signal.wait());
    CancelSource source;
    source.cancel_after(1ms);
    outcomes.push_back(co_await signal.wait(source.token()));
    co_return outcomes;
  };
  CHECK(block_on(loop, body()) == std::vector{Wait::ready, Wait::timed_out});
}

TEST_CASE("cancelling wakes the waiter with the reason") {
  Loop loop;
  auto body = []() -> Task<Wait> {
    Event event;
    CancelSource source;
    auto cancel = [](CancelSource& from) -> Task<void> {
      co_await yield();
      from.cancel();
    };
    Wait outcome = Wait::ready;
    auto keep = [](Event& e, CancelToken token, Wait& result) -> Task<void> {
      result = co_await wait_for(e, token);
    };
    co_await when_all(keep(event, source.token(), outcome), cancel(source));
    co_return outcome;
  };
  CHECK(block_on(loop, body()) == Wait::cancelled);
}

TEST_CASE("a token that is cancelled already ends the wait, unless it is ready") {
  Loop loop;
  auto body = []() -> Task<std::vector<Wait>> {
    Event event;
    CancelSource source;
    source.cancel();
    std::vector<Wait> outcomes;
    outcomes.push_back(co_await event.wait(source.token()));
    event.set();
    outcomes.push_back(co_await event.wait(source.token()));
    co_return outcomes;
  };
  CHECK(block_on(loop, body()) == std::vector{Wait::cancelled, Wait::ready});
}

TEST_CASE("a source follows its parent, with the parent's reason") {
  Loop loop;
  auto body = []() -> Task<std::vector<Wait>> {
    CancelSource parent;
    CancelSource child(parent.token());
    CancelSource sibling(parent.token());
    sibling.cancel();
    std::vector<Wait> states{parent.token().state(), child.token().state()};
    parent.cancel(Wait::timed_out);
    states.push_back(child.token().state());
    states.push_back(sibling.token().state());
    states.push_back(CancelSource(parent.token()).token().state());
    co_return states;
  };
  CHECK(block_on(loop, body()) ==
        std::vector{Wait::ready, Wait::ready, Wait::timed_out, Wait::cancelled, Wait::timed_out});
}

TEST_CASE("with_timeout bounds a wait, and lets a quick one pass") {
  Loop loop;
  auto body = []() -> Task<std::vector<Wait>> {
    Event never;
    Event set;
    set.set();
    std::vector<Wait> outcomes;
    outcomes.push_back(co_await with_timeout(
        2ms, {}, [&never](CancelToken token) { return wait_for(never, token); }));
    outcomes.push_back(
        co_await with_timeout(1h, {}, [&set](CancelToken token) { return wait_for(set, token); }));
    co_return outcomes;
  };
  CHECK(block_on(loop, body()) == std::vector{Wait::timed_out, Wait::ready});
}

TEST_CASE("sleeps end in the order of their times, and can be cancelled") {
  Loop loop;
  auto body = []() -> Task<std::vector<int>> {
    std::vector<int> order;
    auto sleeper = [](std::vector<int>& to, int ms) -> Task<void> {
      co_await sleep(std::chrono::milliseconds(ms));
      to.push_back(ms);
    };
    CancelSource source;
    source.cancel();
    CHECK(co_await sleep(1h, source.token()) == Wait::cancelled);
    std::vector<Task<void>> tasks;
    for (int ms : {40, 5, 60, 20}) tasks.push_back(sleeper(order, ms));
    co_await when_all(std::move(tasks));
    co_return order;
  };
  CHECK(block_on(loop, body()) == std::vector{5, 20, 40, 60});
}

TEST_CASE("a timer heap survives stops in any order") {
  Loop loop;
  auto body = []() -> Task<int> {
    int fired = 0;
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 200; ++i) {
      timers.push_back(std::make_unique<Timer>([&fired] { ++fired; }));
      timers.back()->start(std::chrono::milliseconds((i * 37) % 20));
    }
    for (std::size_t i = 0; i < timers.size(); i += 2) timers[i]->stop();
    for (std::size_t i = 1; i < timers.size(); i += 4) timers[i].reset();
    co_await sleep(30ms);
    co_return fired;
  };
  CHECK(block_on(loop, body()) == 50);
}

TEST_CASE("when_all waits for all, then rethrows the first error") {
  Loop loop;
  std::vector<int> order;
  std::vector<Task<void>> tasks;
  tasks.push_back(append(order, 1, 5));
  tasks.push_back(throws());
  tasks.push_back(append(order, 2, 9));
  CHECK_THROWS_WITH(block_on(loop, when_all(std::move(tasks))), "as planned");
  CHECK(order == std::vector{1, 2});
}

TEST_CASE("when_all of tasks with results keeps their order, none included") {
  Loop loop;
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(number(i));
  CHECK(block_on(loop, when_all(std::move(tasks))) == std::vector{0, 1, 2, 3, 4});
  CHECK(block_on(loop, when_all(std::vector<Task<int>>())).empty());
}

TEST_CASE("destroying a loop destroys what was spawned and still waits") {
  int destroyed = 0;
  Event event;
  {
    Loop loop;
    for (int i = 0; i < 3; ++i) spawn(wait_for_ever(event, destroyed));
    CHECK(destroyed == 0);
  }
  CHECK(destroyed == 3);
}

TEST_CASE("a frame destroyed after it was woken and before it is resumed is forgotten") {
  int destroyed = 0;
  {
    Event event;
    Loop loop;
    spawn(wait_for_ever(event, destroyed));
    event.set();
  }
  CHECK(destroyed == 1);
}

TEST_CASE("an event destroyed under its waiter ends the wait") {
  Loop loop;
  auto body = []() -> Task<Wait> {
    auto event = std::make_unique<Event>();
    auto dropper = [](std::unique_ptr<Event>& held) -> Task<void> {
      co_await yield();
      held.reset();
    };
    auto keep = [](Event& e, Wait& result) -> Task<void> { result = co_await e.wait(); };
    Wait outcome = Wait::ready;
    co_await when_all(keep(*event, outcome), dropper(event));
    co_return outcome;
  };
  CHECK(block_on(loop, body()) == Wait::cancelled);
}

TEST_CASE("a mutex is handed on in order, and a cancelled waiter goes without") {
  Loop loop;
  auto body = []() -> Task<std::vector<int>> {
    Mutex mutex;
    std::vector<int> order;
    CancelSource source;
    auto worker = [](Mutex& m, std::vector<int>& o, int id, CancelToken token) -> Task<void> {
      auto guard = co_await m.lock(token);
      if (!guard) {
        o.push_back(-id);
        co_return;
      }
      co_await yield();
      co_await yield();
      o.push_back(id);
    };
    auto cancel = [](CancelSource& from) -> Task<void> {
      from.cancel();
      co_return;
    };
    std::vector<Task<void>> tasks;
    tasks.push_back(worker(mutex, order, 1, {}));
    tasks.push_back(worker(mutex, order, 2, source.token()));
    tasks.push_back(worker(mutex, order, 3, {}));
    tasks.push_back(cancel(source));
    co_await when_all(std::move(tasks));
    co_return order;
  };
  CHECK(block_on(loop, body()) == std::vector{-2, 1, 3});
}

TEST_CASE("a queue gives its items in order, then says that it is closed") {
  Loop loop;
  auto body = []() -> Task<std::vector<int>> {
    Queue<int> queue;
    std::vector<int> got;
    auto consumer = [](Queue<int>& q, std::vector<int>& to) -> Task<void> {
      while (auto item = co_await q.pop()) to.push_back(*item);
    };
    auto producer = [](Queue<int>& q) -> Task<void> {
      for (int i = 0; i < 4; ++i) {
        q.push(i);
        if (i % 2) co_await yield();
      }
      q.close();
    };
    co_await when_all(consumer(queue, got), producer(queue));
    co_return got;
  };
  CHECK(block_on(loop, body()) == std::vector{0, 1, 2, 3});
}
