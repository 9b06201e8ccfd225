#include "net/fault.h"
#include "net/loop.h"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace anabranch::net;
using namespace std::chrono_literals;

TEST_CASE("jobs posted from many threads all run, on the loop's thread") {
  constexpr int threads = 4;
  constexpr int jobs = 2'000;
  LoopThread loop("test");
  std::atomic<int> ran = 0;
  std::atomic<int> elsewhere = 0;
  std::latch done(threads * jobs);
  std::atomic<std::thread::id> home;
  std::latch known(1);
  loop.post([&] {
    home = std::this_thread::get_id();
    known.count_down();
  });
  known.wait();
  std::vector<std::thread> posters;
  for (int i = 0; i < threads; ++i) {
    posters.emplace_back([&] {
      for (int j = 0; j < jobs; ++j) {
        loop.post([&] {
          ++ran;
          if (std::this_thread::get_id() != home.load()) ++elsewhere;
          done.count_down();
        });
      }
    });
  }
  for (auto& poster : posters) poster.join();
  done.wait();
  CHECK(ran == threads * jobs);
  CHECK(elsewhere == 0);
}

TEST_CASE("what is posted to a loop that has ended is dropped") {
  std::shared_ptr<Mailbox> mailbox;
  {
    LoopThread loop("test");
    mailbox = loop.mailbox();
  }
  bool ran = false;
  CHECK_FALSE(mailbox->post([&ran] { ran = true; }));
  CHECK_FALSE(ran);
}

TEST_CASE("a worker's result and exception come back to the loop") {
  Loop loop;
  WorkerPool pool(2);
  const auto here = std::this_thread::get_id();
  auto body = [](WorkerPool& workers) -> Task<std::thread::id> {
    co_return co_await run_on_worker([] { return std::this_thread::get_id(); }, {}, &workers);
  };
  CHECK(block_on(loop, body(pool)) != here);
  auto failing = [](WorkerPool& workers) -> Task<void> {
    co_await run_on_worker([] { throw std::runtime_error("from afar"); }, {}, &workers);
  };
  CHECK_THROWS_WITH(block_on(loop, failing(pool)), "from afar");
}

namespace {

std::atomic<int> faults_seen = 0;
void count_fault(std::string_view, std::string_view what) {
  faults_seen += what == "as planned" || what == "an exception of an unknown type";
}

Task<void> fail_after_a_wait(Event& event) {
  (void)co_await event.wait();
  throw std::out_of_range("as planned");
}

Task<void> stop_after_a_wait(Loop& loop) {
  for (int i = 0; i < 3; ++i) co_await sleep(2ms);
  loop.stop();
}

}  // namespace

TEST_CASE("what is thrown in a task, a job or a callback ends that alone") {
  faults_seen = 0;
  on_fault(&count_fault);
  Loop loop;
  Event event;
  int ran = 0;
  spawn(fail_after_a_wait(event));
  Timer bad([] { throw std::out_of_range("as planned"); });
  Timer good([&] { ++ran; });
  bad.start(1ms);
  good.start(1ms);
  loop.post([] { throw 42; });
  loop.post([&] {
    ++ran;
    event.set();
  });
  WorkerPool::shared().submit([] { throw std::out_of_range("as planned"); });
  spawn(stop_after_a_wait(loop));
  loop.run();
  CHECK_EQ(ran, 2);
  // The pool's thread may take its time.
  for (int i = 0; i < 1000 && faults_seen < 4; ++i) std::this_thread::sleep_for(1ms);
  CHECK_EQ(faults_seen, 4);
  on_fault(nullptr);
}

TEST_CASE("a wait for a worker can be given up; the function runs to its end") {
  Loop loop;
  auto release = std::make_shared<std::latch>(1);
  auto ended = std::make_shared<std::latch>(1);
  WorkerPool pool(1);
  auto body = [](WorkerPool& workers, std::shared_ptr<std::latch> gate,
                 std::shared_ptr<std::latch> end) -> Task<Wait> {
    CancelSource source;
    source.cancel_after(2ms);
    Wait reason = Wait::ready;
    try {
      co_await run_on_worker(
          [gate, end] {
            gate->wait();
            end->count_down();
          },
          source.token(), &workers);
    } catch (const Cancelled& cancelled) {
      reason = cancelled.reason;
    }
    co_return reason;
  };
  CHECK(block_on(loop, body(pool, release, ended)) == Wait::timed_out);
  release->count_down();
  ended->wait();
}

TEST_CASE("a loop that ends before its worker does is not touched again") {
  auto release = std::make_shared<std::latch>(1);
  WorkerPool pool(1);
  {
    Loop loop;
    auto body = [](WorkerPool& workers, std::shared_ptr<std::latch> gate) -> Task<void> {
      co_await run_on_worker([gate] { gate->wait(); }, {}, &workers);
    };
    spawn(body(pool, release));
    loop.post([&loop] { loop.stop(); });
    loop.run();
  }
  release->count_down();
}

TEST_CASE("coroutines run on many loops at once") {
  constexpr int loops = 3;
  constexpr int rounds = 500;
  std::latch done(loops);
  std::atomic<int> total = 0;
  std::vector<std::unique_ptr<LoopThread>> threads;
  auto body = [](std::atomic<int>& sum, std::latch& end) -> Task<void> {
    for (int i = 0; i < rounds; ++i) {
      sum += co_await run_on_worker([] { return 1; });
      co_await yield();
    }
    end.count_down();
  };
  for (int i = 0; i < loops; ++i) threads.push_back(std::make_unique<LoopThread>("test"));
  for (auto& thread : threads) thread->post([&] { spawn(body(total, done)); });
  done.wait();
  CHECK(total == loops * rounds);
}

TEST_CASE("a loop thread's stack takes deep recursion") {
  LoopThread thread("deep");
  std::latch done(1);
  std::atomic<int> depth = 0;
  struct Deep {
    static int down(int level) {
      volatile char frame[1024];
      frame[0] = static_cast<char>(level);
      return level == 0 ? frame[0] : down(level - 1) + (frame[0] ? 1 : 1);
    }
  };
  thread.post([&] {
    depth = Deep::down(20'000);  // 20 MiB and more
    done.count_down();
  });
  done.wait();
  CHECK(depth == 20'000);
}
