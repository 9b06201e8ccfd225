#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace anabranch::net {

/// Bytes that are appended at the end and consumed at the front. The first 16 KiB come from a
/// per-thread pool, so that sockets that have nothing buffered hold nothing. Move-only.
class Buffer {
 public:
  static constexpr std::size_t pooled_bytes = 16 * 1024;

  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Buffer() { release(); }

  std::string_view view() const { return {data_ + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  std::size_t capacity() const { return capacity_; }

  void append(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(grow(bytes.size()), bytes.data(), bytes.size());
  }
  void append(char byte) { *grow(1) = byte; }
  /// Room for `bytes` more at the end, counted as appended; the caller fills it in.
  char* grow(std::size_t bytes) {
    if (spare() < bytes) reserve_spare(bytes);
    char* place = data_ + end_;
    end_ += bytes;
    return place;
  }
  /// The byte at `offset` from the front, to patch a length in place.
  char* at(std::size_t offset) { return data_ + begin_ + offset; }

  /// Free room at the end, without moving anything.
  std::size_t spare() const { return capacity_ - end_; }
  char* spare_data() { return data_ + end_; }
  /// Makes spare() at least `bytes`; moves what is buffered if it must. New memory is taken `least`
  /// bytes at a time or more; what is not pooled_bytes large does not come from the pool.
  void reserve_spare(std::size_t bytes, std::size_t least = pooled_bytes);
  /// Counts `bytes` written to spare_data() as appended.
  void commit(std::size_t bytes) { end_ += bytes; }

  /// Drops bytes at the front; they stay readable where they were until the next append,
  /// reserve_spare or release.
  void consume(std::size_t bytes) { begin_ += bytes; }
  /// Drops bytes at the end.
  void truncate(std::size_t new_size) { end_ = begin_ + new_size; }
  void clear() { begin_ = end_ = 0; }
  /// Drops everything, the memory too.
  void release() {
    if (data_) give_back();
  }
  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  void move_to_room(std::size_t bytes, std::size_t least);
  void give_back();

  char* data_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace anabranch::net
