#pragma once

#include <cstddef>
#include <string_view>

namespace anabranch::net {

/// Takes bytes from a payload's front, whatever the protocol; nothing is read past its end. After the first
/// failure everything reads as empty and ok() is false.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view payload) : rest_(payload) {}

  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  /// Up to the next zero byte, which is skipped.
  std::string_view string() {
    const std::size_t end = rest_.find('\0');
    if (end == std::string_view::npos) {
      fail();
      return {};
    }
    const std::string_view taken = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return taken;
  }
  std::string_view rest() { return bytes(rest_.size()); }

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }
  void fail() { ok_ = false, rest_ = {}; }

 protected:
  std::string_view rest_;

 private:
  bool ok_ = true;
};

}  // namespace anabranch::net
