#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

/// What both protocols' authentication is made of. Pure but for random_bytes; any thread.
namespace anabranch::net {

using Sha1 = std::array<unsigned char, 20>;
using Sha256 = std::array<unsigned char, 32>;

Sha1 sha1(std::string_view bytes);
Sha256 sha256(std::string_view bytes);

template <std::size_t Size>
std::string_view as_view(const std::array<unsigned char, Size>& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

/// Compares without telling by its duration where the difference is.
bool equal_in_constant_time(std::string_view left, std::string_view right);
/// `count` bytes from the system's generator; aborts when there are none.
std::string random_bytes(std::size_t count);

}  // namespace anabranch::net
