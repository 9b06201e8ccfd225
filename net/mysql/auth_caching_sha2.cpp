#include "net/mysql/auth_caching_sha2.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdio>
#include <cstdlib>

namespace anabranch::net::mysql {

namespace {

constexpr unsigned int rsa_bits = 2048;
constexpr int least_bits = 1024;  // what a server's key must have at the least
constexpr int most_bits = 16384;  // and at most: a strange key must not keep a thread

template <auto Function>
struct Freer {
  template <typename T>
  void operator()(T* thing) const {
    Function(thing);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;

Bio read_only(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// For keys that are locked by a passphrase: OpenSSL would ask for it at the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Sha256 mask(const Sha256& verifier, std::string_view challenge) {
  std::string text(as_view(verifier));
  text += challenge;
  return sha256(text);
}

/// XOR with the challenge, repeated as often as it takes.
void blend(std::string& text, std::string_view challenge) {
  if (challenge.empty()) return;
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(text[i] ^ challenge[i % challenge.size()]);
  }
}

std::string pem_of_public(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  char* data = nullptr;
  if (!bio || PEM_write_bio_PUBKEY(bio.get(), key) != 1) return {};
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

/// Runs one of the two RSA operations with OAEP padding.
template <auto Init, auto Operation>
std::optional<std::string> run_rsa(EVP_PKEY* key, std::string_view input) {
  const Context context(EVP_PKEY_CTX_new(key, nullptr));
  std::size_t size = 0;
  std::string output;
  bool ok = context && Init(context.get()) == 1 &&
            EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
            Operation(context.get(), nullptr, &size, octets(input), input.size()) == 1;
  if (ok) {
    output.resize(size);
    ok = Operation(context.get(), reinterpret_cast<unsigned char*>(output.data()), &size,
                   octets(input), input.size()) == 1;
  }
  ERR_clear_error();  // what stays in the thread's queue would be taken for a TLS error
  if (!ok) return std::nullopt;
  output.resize(size);
  return output;
}

}  // namespace

CachingSha2Verifier CachingSha2Verifier::of(std::string_view password) {
  return {sha256(as_view(sha256(password)))};
}

bool CachingSha2Verifier::fits(std::string_view answer, std::string_view challenge) const {
  Sha256 key = mask(hash, challenge);
  if (answer.size() != key.size()) return false;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] ^= static_cast<unsigned char>(answer[i]);
  return equal_in_constant_time(as_view(sha256(as_view(key))), as_view(hash));
}

std::string caching_sha2_answer(std::string_view password, std::string_view challenge) {
  const Sha256 key = sha256(password);
  Sha256 answer = mask(sha256(as_view(key)), challenge);
  for (std::size_t i = 0; i < key.size(); ++i) answer[i] ^= key[i];
  return std::string(as_view(answer));
}

RsaKeyPair::RsaKeyPair(EVP_PKEY* key) : key_(key), public_key_(pem_of_public(key)) {}

std::shared_ptr<const RsaKeyPair> RsaKeyPair::generate() {
  EVP_PKEY* key = EVP_RSA_gen(rsa_bits);
  if (!key) {
    fmt::print(stderr, "net::mysql: no RSA key could be made\n");
    std::abort();
  }
  return std::shared_ptr<const RsaKeyPair>(new RsaKeyPair(key));
}

std::expected<std::shared_ptr<const RsaKeyPair>, std::string> RsaKeyPair::from_pem(
    std::string_view private_key) {
  const Bio bio = read_only(private_key);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr);
  ERR_clear_error();
  if (!key) return std::unexpected("this is no private key in PEM form");
  const bool is_rsa = EVP_PKEY_is_a(key, "RSA") == 1;
  std::shared_ptr<const RsaKeyPair> pair(new RsaKeyPair(key));
  if (!is_rsa) return std::unexpected("the private key is not an RSA key");
  return pair;
}

std::optional<std::string> RsaKeyPair::reveal(std::string_view hidden,
                                              std::string_view challenge) const {
  auto text = run_rsa<EVP_PKEY_decrypt_init, EVP_PKEY_decrypt>(key_.get(), hidden);
  if (!text) return std::nullopt;
  blend(*text, challenge);
  if (!text->ends_with('\0')) return std::nullopt;
  text->pop_back();
  return text;
}

std::expected<std::string, std::string> rsa_hide(std::string_view password,
                                                 std::string_view challenge,
                                                 std::string_view public_key) {
  const Bio bio = read_only(public_key);
  const Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!key || EVP_PKEY_is_a(key.get(), "RSA") != 1) {
    return std::unexpected("the server's public key is not an RSA key in PEM form");
  }
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < least_bits || bits > most_bits) {
    return std::unexpected(fmt::format("the server's public key has {} bits", bits));
  }
  std::string text(password);
  text += '\0';
  blend(text, challenge);
  auto hidden = run_rsa<EVP_PKEY_encrypt_init, EVP_PKEY_encrypt>(key.get(), text);
  if (!hidden) return std::unexpected("the password is too long for the server's public key");
  return *std::move(hidden);
}

}  // namespace anabranch::net::mysql
