#include "net/pg/auth_verifier.h"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <charconv>
#include <cstring>

#include "net/pg/auth_crypto.h"

namespace anabranch::net::pg {

namespace {

constexpr std::size_t salt_bytes = 16;
constexpr int most_iterations = 10'000'000;  // a verifier must not keep a thread for minutes
constexpr std::string_view verifier_prefix = "SCRAM-SHA-256$";

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string md5_hex(std::string_view bytes) {
  std::array<unsigned char, 16> hash{};
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), hash.data(), &length, EVP_md5(), nullptr) != 1) {
    return {};
  }
  std::string hex;
  for (const unsigned char byte : hash) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), octets(bytes),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0 || text.size() > (1u << 20)) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const std::string_view digits = text.substr(0, text.size() - padding);
  if (digits.find_first_not_of(alphabet) != std::string_view::npos) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), octets(text),
                                     static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(length) - padding);
  return bytes;
}

std::string_view prepared_password(std::string_view password) {
  return password;
}

// --- SCRAM ---

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
  Sha256 code{};
  EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(), octets(bytes),
            bytes.size(), code.data(), code.size(), nullptr);
  return code;
}

Sha256 salted_password(std::string_view password, std::string_view salt, int iterations) {
  Sha256 key{};
  const std::string_view prepared = prepared_password(password);
  PKCS5_PBKDF2_HMAC(prepared.data(), static_cast<int>(prepared.size()), octets(salt),
                    static_cast<int>(salt.size()), iterations, EVP_sha256(),
                    static_cast<int>(key.size()), key.data());
  return key;
}

ScramVerifier ScramVerifier::from_password(std::string_view password, std::string salt,
                                           int iterations) {
  ScramVerifier verifier;
  verifier.iterations = iterations;
  const Sha256 salted = salted_password(password, salt, iterations);
  verifier.salt = std::move(salt);
  verifier.stored_key = sha256(as_view(hmac_sha256(as_view(salted), "Client Key")));
  verifier.server_key = hmac_sha256(as_view(salted), "Server Key");
  return verifier;
}

ScramVerifier ScramVerifier::from_password(std::string_view password) {
  return from_password(password, random_bytes(salt_bytes));
}

namespace {

/// The part of `text` before `end`, which is taken off together with it.
std::optional<std::string_view> take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at + 1);
  return part;
}

bool decode_key(std::string_view text, Sha256& key) {
  const auto bytes = base64_decode(text);
  if (!bytes || bytes->size() != key.size()) return false;
  std::memcpy(key.data(), bytes->data(), key.size());
  return true;
}

}  // namespace

std::optional<ScramVerifier> ScramVerifier::parse(std::string_view text) {
  if (!text.starts_with(verifier_prefix)) return std::nullopt;
  text.remove_prefix(verifier_prefix.size());
  const auto iterations = take_until(text, ':');
  const auto salt = take_until(text, '$');
  const auto stored = take_until(text, ':');
  if (!iterations || !salt || !stored) return std::nullopt;
  ScramVerifier verifier;
  const char* end = iterations->data() + iterations->size();
  const auto number = std::from_chars(iterations->data(), end, verifier.iterations);
  if (number.ec != std::errc() || number.ptr != end) return std::nullopt;
  if (verifier.iterations < 1 || verifier.iterations > most_iterations) return std::nullopt;
  auto salt_decoded = base64_decode(*salt);
  if (!salt_decoded || salt_decoded->empty()) return std::nullopt;
  verifier.salt = std::move(*salt_decoded);
  if (!decode_key(*stored, verifier.stored_key)) return std::nullopt;
  if (!decode_key(text, verifier.server_key)) return std::nullopt;
  return verifier;
}

std::string ScramVerifier::to_string() const {
  return fmt::format("{}{}:{}${}:{}", verifier_prefix, iterations, base64_encode(salt),
                     base64_encode(as_view(stored_key)), base64_encode(as_view(server_key)));
}

ScramVerifier ScramVerifier::mock(std::string_view user, std::string_view nonce) {
  ScramVerifier verifier;
  verifier.salt = std::string(as_view(hmac_sha256(nonce, user)).substr(0, salt_bytes));
  return verifier;
}

bool ScramVerifier::matches(std::string_view password) const {
  const ScramVerifier candidate = from_password(password, salt, iterations);
  return equal_in_constant_time(as_view(candidate.stored_key), as_view(stored_key));
}

// --- md5 ---

std::string md5_verifier(std::string_view password, std::string_view user) {
  return "md5" + md5_hex(std::string(password) + std::string(user));
}

bool is_md5_verifier(std::string_view text) {
  return text.size() == 35 && text.starts_with("md5") &&
         text.substr(3).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string md5_response(std::string_view verifier, std::string_view salt) {
  return "md5" + md5_hex(std::string(verifier.substr(3)) + std::string(salt));
}

}  // namespace anabranch::net::pg
