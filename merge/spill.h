#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace anabranch::merge {

/// Where rows of one statement go that its memory does not hold: a file without a name in
/// limits.spill_directory, made when it is first needed. It is gone with this object, and with the
/// process. Calls block for as long as the disk takes; one thread at a time.
class Spill {
 public:
  struct Extent {
    std::uint64_t offset;
    std::uint64_t length;
  };

  /// At most `limit` bytes at one time; 0: nothing goes to disk.
  Spill(std::string directory, std::uint64_t limit) : directory_(std::move(directory)), limit_(limit) {}
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;
  ~Spill();

  bool is_allowed() const { return limit_ > 0; }
  /// Throws SqlError: 53200 beyond the limit, 53100 where the disk is full, 58030 where it fails.
  Extent write(std::string_view bytes);
  /// Replaces `bytes`. Throws SqlError 58030.
  void read(const Extent& extent, std::string& bytes) const;
  /// Gives the space of what will not be read again back to the disk.
  void release(const Extent& extent);

  /// Operators say here that what they do next may wait for the disk.
  void begin() { begun_ = true; }
  bool begun() const { return begun_; }
  /// Bytes that have been written.
  std::uint64_t written() const { return end_; }

 private:
  void open();
  [[noreturn]] void fail(const char* what, int code) const;

  std::string directory_;
  std::uint64_t limit_;
  int file_ = -1;
  std::uint64_t end_ = 0;   ///< of the file
  std::uint64_t held_ = 0;  ///< bytes that have not been released
  bool begun_ = false;
};

}  // namespace anabranch::merge
