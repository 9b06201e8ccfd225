#include "net/buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "net/memory_check.h"

namespace anabranch::net {

namespace {

constexpr std::size_t chunks_kept = 256;

thread_local bool pool_gone = false;  // buffers may be freed late in a thread's end

struct ChunkPool {
  std::vector<char*> chunks;
  ~ChunkPool() {
    pool_gone = true;
    for (char* chunk : chunks) std::free(chunk);
  }
};
thread_local ChunkPool pool;

char* allocate(std::size_t bytes) {
  if (bytes == Buffer::pooled_bytes && !pool_gone && !pool.chunks.empty()) {
    char* chunk = pool.chunks.back();
    pool.chunks.pop_back();
    return chunk;
  }
  auto* memory = static_cast<char*>(std::malloc(bytes));
  if (!memory) throw std::bad_alloc();
  return memory;
}

void give_back(char* memory, std::size_t bytes) {
  if (!checked_memory && bytes == Buffer::pooled_bytes && !pool_gone &&
      pool.chunks.size() < chunks_kept) {
    pool.chunks.push_back(memory);
  } else {
    std::free(memory);
  }
}

}  // namespace

void Buffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(grow(bytes.size()), bytes.data(), bytes.size());
}

char* Buffer::grow(std::size_t bytes) {
  reserve_spare(bytes);
  char* place = data_ + end_;
  end_ += bytes;
  return place;
}

void Buffer::reserve_spare(std::size_t bytes, std::size_t least) {
  if (empty()) clear();
  if (spare() >= bytes && data_) return;
  const std::size_t held = size();
  // Moving to the front is worth it only if at least as much is gained as moved.
  if (capacity_ - held >= bytes && begin_ >= held && data_) {
    std::memcpy(data_, data_ + begin_, held);
    begin_ = 0;
    end_ = held;
    return;
  }
  const std::size_t wanted = std::max({least, held + bytes, data_ ? 2 * held : 0});
  char* larger = allocate(wanted);
  if (held > 0) std::memcpy(larger, data_ + begin_, held);
  if (data_) give_back(data_, capacity_);
  data_ = larger;
  begin_ = 0;
  end_ = held;
  capacity_ = wanted;
}

void Buffer::release() {
  if (data_) give_back(data_, capacity_);
  data_ = nullptr;
  begin_ = end_ = capacity_ = 0;
}

}  // namespace anabranch::net
