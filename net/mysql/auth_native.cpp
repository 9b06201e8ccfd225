#include "net/mysql/auth_native.h"

#include <fmt/core.h>

namespace anabranch::net::mysql {

namespace {

/// The hash that hides the key, or the key's, in an answer.
Sha1 mask(std::string_view challenge, const Sha1& stored) {
  std::string text(challenge);
  text += as_view(stored);
  return sha1(text);
}

std::optional<unsigned char> digit(char letter) {
  if (letter >= '0' && letter <= '9') return static_cast<unsigned char>(letter - '0');
  if (letter >= 'A' && letter <= 'F') return static_cast<unsigned char>(letter - 'A' + 10);
  if (letter >= 'a' && letter <= 'f') return static_cast<unsigned char>(letter - 'a' + 10);
  return std::nullopt;
}

}  // namespace

NativeHash NativeHash::of(std::string_view password) {
  return {sha1(as_view(sha1(password)))};
}

std::optional<NativeHash> NativeHash::parse(std::string_view text) {
  NativeHash result;
  if (text.size() != 1 + 2 * result.hash.size() || text.front() != '*') return std::nullopt;
  for (std::size_t i = 0; i < result.hash.size(); ++i) {
    const auto high = digit(text[1 + 2 * i]);
    const auto low = digit(text[2 + 2 * i]);
    if (!high || !low) return std::nullopt;
    result.hash[i] = static_cast<unsigned char>(*high << 4 | *low);
  }
  return result;
}

std::string NativeHash::to_string() const {
  std::string text = "*";
  for (const unsigned char byte : hash) text += fmt::format("{:02X}", byte);
  return text;
}

bool NativeHash::fits(std::string_view password) const {
  return equal_in_constant_time(as_view(of(password).hash), as_view(hash));
}

std::optional<Sha1> NativeHash::check(std::string_view answer, std::string_view challenge) const {
  Sha1 key = mask(challenge, hash);
  if (answer.size() != key.size()) return std::nullopt;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] ^= static_cast<unsigned char>(answer[i]);
  if (!equal_in_constant_time(as_view(sha1(as_view(key))), as_view(hash))) return std::nullopt;
  return key;
}

std::string native_answer(const Sha1& key, std::string_view challenge) {
  Sha1 answer = mask(challenge, sha1(as_view(key)));
  for (std::size_t i = 0; i < key.size(); ++i) answer[i] ^= key[i];
  return std::string(as_view(answer));
}

}  // namespace anabranch::net::mysql
