#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "router/hash.h"

namespace anabranch::router {
namespace {

/// A digest of OpenSSL's, whose context is made once and used again: each thread has its own.
class Digest {
 public:
  explicit Digest(const EVP_MD* algorithm) : context_(EVP_MD_CTX_new()) {
    require(context_ != nullptr && EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1);
  }

  /// The first 8 bytes, big-endian.
  std::uint64_t prefix(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    EVP_MD_CTX* const context = context_.get();
    require(EVP_DigestInit_ex(context, nullptr, nullptr) == 1 &&
            EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1 &&
            EVP_DigestFinal_ex(context, hash.data(), nullptr) == 1);
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8U | hash[i];
    return number;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  /// Without the function rows cannot be found at all.
  static void require(bool done) {
    if (done) return;
    fmt::print(stderr, "expected md5 and sha1 of OpenSSL, which this machine's settings forbid\n");
    std::abort();
  }

  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace

std::uint64_t md5(std::string_view bytes) {
  thread_local Digest digest(EVP_md5());
  return digest.prefix(bytes);
}

std::uint64_t sha1(std::string_view bytes) {
  thread_local Digest digest(EVP_sha1());
  return digest.prefix(bytes);
}

}  // namespace anabranch::router
