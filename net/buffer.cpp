#include "net/buffer.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "net/memory_check.h"

namespace anabranch::net {

namespace {

constexpr std::uint32_t chunks_kept = 256;

/// Free chunks, chained through their first bytes. Trivially destructible, so that buffers that are
/// freed late in a thread's end still find it.
struct Chunk {
  Chunk* next;
};
constinit thread_local Chunk* free_chunks = nullptr;
constinit thread_local std::uint32_t free_count = 0;
constinit thread_local bool thread_ended = false;

struct Sweeper {
  ~Sweeper() {
    thread_ended = true;
    while (free_chunks) std::free(std::exchange(free_chunks, free_chunks->next));
  }
};
thread_local Sweeper sweeper;

char* take_memory(std::size_t bytes) {
  if (bytes == Buffer::pooled_bytes && free_chunks) {
    --free_count;
    return reinterpret_cast<char*>(std::exchange(free_chunks, free_chunks->next));
  }
  auto* memory = static_cast<char*>(std::malloc(bytes));
  if (!memory) throw std::bad_alloc();
  return memory;
}

void give_memory(char* memory, std::size_t bytes) {
  const bool keep = bytes == Buffer::pooled_bytes && free_count < chunks_kept && !thread_ended;
  if (checked_memory || !keep) return std::free(memory);
  if (!free_chunks) (void)&sweeper;  // its first use registers the thread's end
  free_chunks = new (memory) Chunk{free_chunks};
  ++free_count;
}

}  // namespace

void Buffer::reserve_spare(std::size_t bytes, std::size_t least) {
  if (empty()) clear();
  if (spare() >= bytes && data_) return;
  if (data_) return move_to_room(bytes, least);
  capacity_ = std::max(least, bytes);
  data_ = take_memory(capacity_);
}

void Buffer::move_to_room(std::size_t bytes, std::size_t least) {
  const std::size_t held = size();
  // Moving to the front is worth it only if at least as much is gained as moved.
  if (capacity_ - held >= bytes && begin_ >= held) {
    std::memcpy(data_, data_ + begin_, held);
    begin_ = 0;
    end_ = held;
    return;
  }
  const std::size_t wanted = std::max({least, held + bytes, 2 * held});
  char* larger = take_memory(wanted);
  if (held > 0) std::memcpy(larger, data_ + begin_, held);
  give_memory(data_, capacity_);
  data_ = larger;
  begin_ = 0;
  end_ = held;
  capacity_ = wanted;
}

void Buffer::give_back() {
  give_memory(data_, capacity_);
  data_ = nullptr;
  begin_ = end_ = capacity_ = 0;
}

}  // namespace anabranch::net
