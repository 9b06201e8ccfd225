#pragma once

#include <openssl/evp.h>

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/crypto.h"

/// caching_sha2_password ("Caching_sha2_password information"). The fast path's answer is
/// SHA256(password) XOR SHA256(SHA256(SHA256(password)), challenge); where the server keeps no
/// verifier for it, the password itself follows: over TLS in clear, else encrypted by RSA.
namespace anabranch::net::mysql {

/// What the two sides say to each other by AuthMoreData and in answers, one byte each.
namespace caching_sha2 {
inline constexpr char request_public_key = 2;
inline constexpr char fast_success = 3;
inline constexpr char full_authentication = 4;
inline constexpr std::size_t answer_bytes = 32;
}  // namespace caching_sha2

/// What the fast path is checked with: SHA256(SHA256(password)). May be cached once a password has
/// proved right: it neither tells the password nor lets its holder answer a challenge.
struct CachingSha2Verifier {
  Sha256 hash{};
  static CachingSha2Verifier of(std::string_view password);
  bool fits(std::string_view answer, std::string_view challenge) const;
  bool operator==(const CachingSha2Verifier&) const = default;
};

std::string caching_sha2_answer(std::string_view password, std::string_view challenge);

/// An RSA key pair for passwords from clients without TLS; immutable once made, any thread.
class RsaKeyPair {
 public:
  /// A new one of 2048 bits (takes some 100 ms); aborts where OpenSSL cannot.
  static std::shared_ptr<const RsaKeyPair> generate();
  /// A private key in PEM. The error is a sentence.
  static std::expected<std::shared_ptr<const RsaKeyPair>, std::string> from_pem(
      std::string_view private_key);

  /// In PEM, as servers send it.
  const std::string& public_key() const { return public_key_; }
  /// The password of rsa_hide(); nothing when it was not made with this key and challenge.
  std::optional<std::string> reveal(std::string_view hidden, std::string_view challenge) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  explicit RsaKeyPair(EVP_PKEY* key);
  std::unique_ptr<EVP_PKEY, Free> key_;
  std::string public_key_;
};

/// The password, XORed with the challenge and encrypted (OAEP) for the holder of a public key in
/// PEM. The error is a sentence: not an RSA key, a password that is too long for it.
std::expected<std::string, std::string> rsa_hide(std::string_view password,
                                                 std::string_view challenge,
                                                 std::string_view public_key);

}  // namespace anabranch::net::mysql
