#include "net/frame_pool.h"

#include <array>
#include <cstdint>
#include <new>

#include "net/memory_check.h"

namespace anabranch::net {

namespace {

constexpr std::size_t step = 64;
constexpr std::size_t classes = 64;  // up to 4 KiB
constexpr std::uint32_t kept_per_class = 1024;

struct FreeFrame {
  FreeFrame* next;
};
struct FreeList {
  FreeFrame* head = nullptr;
  std::uint32_t count = 0;
};

// Trivially destructible, so that frames freed late in a thread's end still find it.
thread_local std::array<FreeList, classes> free_lists;
thread_local bool thread_ended = false;

struct Sweeper {
  ~Sweeper() {
    thread_ended = true;
    for (auto& list : free_lists) {
      while (list.head) {
        FreeFrame* frame = list.head;
        list.head = frame->next;
        ::operator delete(frame);
      }
      list.count = 0;
    }
  }
};
thread_local Sweeper sweeper;

std::size_t class_of(std::size_t size) {
  return (size + step - 1) / step - 1;
}

}  // namespace

void* allocate_frame(std::size_t size) {
  const std::size_t index = class_of(size);
  if (checked_memory || index >= classes) return ::operator new(size);
  FreeList& list = free_lists[index];
  if (!list.head) return ::operator new((index + 1) * step);
  FreeFrame* frame = list.head;
  list.head = frame->next;
  --list.count;
  return frame;
}

void free_frame(void* frame, std::size_t size) noexcept {
  const std::size_t index = class_of(size);
  if (checked_memory || index >= classes) return ::operator delete(frame);
  FreeList& list = free_lists[index];
  (void)&sweeper;  // its first use registers the thread's end
  if (thread_ended || list.count >= kept_per_class) return ::operator delete(frame);
  list.head = new (frame) FreeFrame{list.head};
  ++list.count;
}

}  // namespace anabranch::net
