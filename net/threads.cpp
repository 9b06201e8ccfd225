#include <fmt/core.h>
#include <pthread.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <latch>

#include "net/fault.h"
#include "net/loop.h"

namespace anabranch::net {

namespace {

constexpr std::size_t stack_bytes = 64 * 1024 * 1024;  // mapped as it is used

pthread_t start_thread(void* (*main)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  pthread_t thread{};
  const int failure = pthread_create(&thread, &attributes, main, argument);
  pthread_attr_destroy(&attributes);
  if (failure != 0) {
    fmt::print(stderr, "net: no thread could be started (error {})\n", failure);
    std::abort();
  }
  return thread;
}

}  // namespace

struct LoopThread::Start {
  const char* name;
  LoopThread* owner;
  std::latch ready{1};
};

LoopThread::LoopThread(const char* name) {
  Start start{name, this};
  thread_ = start_thread(&LoopThread::main, &start);
  start.ready.wait();
}

void* LoopThread::main(void* argument) {
  auto* start = static_cast<Start*>(argument);
  pthread_setname_np(pthread_self(), start->name);
  Loop loop;
  start->owner->loop_ = &loop;
  start->owner->mailbox_ = loop.mailbox();
  start->ready.count_down();
  loop.run();
  return nullptr;
}

void LoopThread::stop() {
  mailbox_->post([loop = loop_] { uv_stop(loop->uv()); });
}

LoopThread::~LoopThread() {
  stop();
  pthread_join(thread_, nullptr);
}

struct WorkerPool::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::move_only_function<void()>> jobs;
  bool stopping = false;
  const char* name = nullptr;

  static void* main(void* argument) {
    static_cast<State*>(argument)->work();
    return nullptr;
  }
  void work() {
    pthread_setname_np(pthread_self(), name);
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return stopping || !jobs.empty(); });
      if (stopping) return;
      auto job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      guarded("a job of the control plane", job);
      job = nullptr;
      lock.lock();
    }
  }
};

WorkerPool::WorkerPool(std::size_t threads, const char* name) : state_(std::make_shared<State>()) {
  state_->name = name;
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.push_back(start_thread(&State::main, state_.get()));
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  for (auto thread : threads_) pthread_join(thread, nullptr);
}

void WorkerPool::submit(std::move_only_function<void()> job) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->jobs.push_back(std::move(job));
  }
  state_->changed.notify_one();
}

WorkerPool& WorkerPool::shared() {
  // Never destroyed: a worker may be in a call that blocks when the process ends.
  static auto* pool = new WorkerPool(8);
  return *pool;
}

}  // namespace anabranch::net
