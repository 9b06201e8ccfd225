#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/crypto.h"

/// mysql_native_password ("Native Authentication"): an answer is SHA1(password) XOR SHA1(challenge,
/// SHA1(SHA1(password))).
namespace anabranch::net::mysql {

/// What servers keep of a password: "*" and the hexadecimal digits of SHA1(SHA1(password)).
struct NativeHash {
  Sha1 hash{};

  static NativeHash of(std::string_view password);
  /// Nothing when the text is not of that form.
  static std::optional<NativeHash> parse(std::string_view text);
  std::string to_string() const;
  bool fits(std::string_view password) const;
  /// Whether who answered knows the password; gives SHA1(password) then, with which the same can be
  /// answered elsewhere.
  std::optional<Sha1> check(std::string_view answer, std::string_view challenge) const;
};

/// The answer to a challenge; `key` is SHA1(password).
std::string native_answer(const Sha1& key, std::string_view challenge);

}  // namespace anabranch::net::mysql
