#include "net/pg/auth_scram.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "net/pg/auth_crypto.h"

namespace anabranch::net::pg {

namespace {

constexpr std::size_t nonce_bytes = 18;
constexpr int most_iterations = 10'000'000;  // a hostile server must not keep the loop for minutes
constexpr std::string_view binding_header = "p=tls-server-end-point,,";

std::string fresh_nonce() {
  return base64_encode(random_bytes(nonce_bytes));
}

bool is_nonce(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~' && c != ','; });
}

/// Takes "k=value" off the front of a comma-separated list.
std::optional<std::string_view> take_attribute(std::string_view& text, char key) {
  if (text.size() < 2 || text[0] != key || text[1] != '=') return std::nullopt;
  const std::size_t end = std::min(text.find(','), text.size());
  const std::string_view value = text.substr(2, end - 2);
  text.remove_prefix(std::min(end + 1, text.size()));
  return value;
}

Sha256 exclusive_or(const Sha256& left, const Sha256& right) {
  Sha256 result{};
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = left[i] ^ right[i];
  return result;
}

/// salted_password() costs milliseconds and is the same for all connections of a pool: the last ones
/// are kept, by a digest of what they were made of. Per thread.
Sha256 salted_once(std::string_view password, std::string_view salt, int iterations) {
  constexpr std::size_t kept = 64;
  thread_local std::map<Sha256, Sha256> known;
  const Sha256 made_of = sha256(fmt::format("{}:{}{}:{}{}", password.size(), password, salt.size(), salt, iterations));
  if (const auto found = known.find(made_of); found != known.end()) return found->second;
  if (known.size() >= kept) known.clear();
  return known[made_of] = salted_password(password, salt, iterations);
}

}  // namespace

// --- client ---

ScramClient::ScramClient(std::string password, std::string channel_binding, std::string nonce)
    : password_(std::move(password)),
      channel_binding_(std::move(channel_binding)),
      nonce_(nonce.empty() ? fresh_nonce() : std::move(nonce)) {}

std::expected<std::string, std::string> ScramClient::choose(
    const std::vector<std::string_view>& offered) {
  const auto offers = [&](std::string_view name) {
    return std::ranges::find(offered, name) != offered.end();
  };
  plus_ = !channel_binding_.empty() && offers(scram_sha_256_plus);
  if (plus_) return std::string(scram_sha_256_plus);
  if (offers(scram_sha_256)) return std::string(scram_sha_256);
  return std::unexpected("none of the server's SASL authentication mechanisms are supported");
}

// "y" tells the server that we could bind but saw no offer: it detects a removed offer by it.
std::string ScramClient::gs2_header() const {
  if (plus_) return std::string(binding_header);
  return channel_binding_.empty() ? "n,," : "y,,";
}

std::string ScramClient::first() {
  first_bare_ = fmt::format("n={},r={}", user_, nonce_);
  return gs2_header() + first_bare_;
}

std::expected<std::string, std::string> ScramClient::final_message(std::string_view server_first) {
  std::string_view rest = server_first;
  const auto nonce = take_attribute(rest, 'r');
  const auto salt_text = take_attribute(rest, 's');
  const auto iterations_text = take_attribute(rest, 'i');
  if (!nonce || !salt_text || !iterations_text) {
    return std::unexpected("malformed SCRAM message (server-first-message)");
  }
  if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size()) {
    return std::unexpected("invalid SCRAM response (nonce mismatch)");
  }
  const auto salt = base64_decode(*salt_text);
  if (!salt || salt->empty()) return std::unexpected("malformed SCRAM message (invalid salt)");
  int iterations = 0;
  const char* end = iterations_text->data() + iterations_text->size();
  const auto number = std::from_chars(iterations_text->data(), end, iterations);
  if (number.ec != std::errc() || number.ptr != end || iterations < 1 ||
      iterations > most_iterations) {
    return std::unexpected("malformed SCRAM message (invalid iteration count)");
  }
  const std::string binding = gs2_header() + (plus_ ? channel_binding_ : std::string());
  const std::string without_proof = fmt::format("c={},r={}", base64_encode(binding), *nonce);
  const std::string signed_text = fmt::format("{},{},{}", first_bare_, server_first, without_proof);
  const Sha256 salted = salted_once(password_, *salt, iterations);
  const Sha256 client_key = hmac_sha256(as_view(salted), "Client Key");
  const Sha256 server_key = hmac_sha256(as_view(salted), "Server Key");
  const Sha256 signature = hmac_sha256(as_view(sha256(as_view(client_key))), signed_text);
  server_signature_ = std::string(as_view(hmac_sha256(as_view(server_key), signed_text)));
  return fmt::format("{},p={}", without_proof,
                     base64_encode(as_view(exclusive_or(client_key, signature))));
}

std::expected<void, std::string> ScramClient::verify(std::string_view server_final) const {
  if (const auto error = take_attribute(server_final, 'e')) {
    return std::unexpected(fmt::format("error received from server in SCRAM exchange: {}", *error));
  }
  const auto text = take_attribute(server_final, 'v');
  const auto signature = text ? base64_decode(*text) : std::nullopt;
  if (!signature || !server_final.empty()) {
    return std::unexpected("malformed SCRAM message (invalid server signature)");
  }
  if (server_signature_.empty() || !equal_in_constant_time(*signature, server_signature_)) {
    return std::unexpected("incorrect server signature");
  }
  return {};
}

// --- server ---

ScramServer::ScramServer(ScramVerifier verifier, bool mock, std::string channel_binding,
                         std::string nonce)
    : verifier_(std::move(verifier)),
      mock_(mock),
      channel_binding_(std::move(channel_binding)),
      nonce_(nonce.empty() ? fresh_nonce() : std::move(nonce)) {}

std::vector<std::string_view> ScramServer::mechanisms() const {
  if (channel_binding_.empty()) return {scram_sha_256};
  return {scram_sha_256_plus, scram_sha_256};
}

namespace {

std::unexpected<ScramServer::Error> malformed(std::string_view what) {
  return std::unexpected(ScramServer::Error{ScramServer::Failure::malformed,
                                            fmt::format("malformed SCRAM message: {}", what)});
}

}  // namespace

std::expected<std::string, ScramServer::Error> ScramServer::first(std::string_view mechanism,
                                                                  std::string_view client_first) {
  const auto offered = mechanisms();
  if (std::ranges::find(offered, mechanism) == offered.end()) {
    return std::unexpected(
        Error{Failure::malformed, "client selected an invalid SASL authentication mechanism"});
  }
  plus_ = mechanism == scram_sha_256_plus;
  if (plus_ != client_first.starts_with("p=")) return malformed("channel binding does not fit");
  if (client_first.starts_with("y") && !channel_binding_.empty()) {
    return std::unexpected(Error{Failure::malformed,
                                 "SCRAM channel binding negotiation error: the client thinks the "
                                 "server does not support channel binding"});
  }
  for (const std::string_view header :
       {std::string_view("n,,"), std::string_view("y,,"), binding_header}) {
    if (client_first.starts_with(header)) gs2_header_ = header;
  }
  if (gs2_header_.empty()) return malformed("unexpected header");
  std::string_view rest = client_first.substr(gs2_header_.size());
  first_bare_ = rest;
  const auto user = take_attribute(rest, 'n');
  const auto nonce = take_attribute(rest, 'r');
  if (!user || !nonce || !is_nonce(*nonce)) return malformed("invalid client-first-message");
  nonce_ = std::string(*nonce) + nonce_;
  server_first_ =
      fmt::format("r={},s={},i={}", nonce_, base64_encode(verifier_.salt), verifier_.iterations);
  return server_first_;
}

std::expected<std::string, ScramServer::Error> ScramServer::final_message(
    std::string_view client_final) {
  const std::size_t proof_at = client_final.rfind(",p=");
  if (proof_at == std::string_view::npos) return malformed("no proof");
  const std::string_view without_proof = client_final.substr(0, proof_at);
  const auto proof = base64_decode(client_final.substr(proof_at + 3));
  std::string_view rest = without_proof;
  const auto binding = take_attribute(rest, 'c');
  const auto nonce = take_attribute(rest, 'r');
  if (!binding || !nonce || !proof || proof->size() != sizeof(Sha256)) {
    return malformed("invalid client-final-message");
  }
  const std::string expected = gs2_header_ + (plus_ ? channel_binding_ : std::string());
  if (*binding != base64_encode(expected)) {
    return std::unexpected(Error{Failure::malformed, "SCRAM channel binding check failed"});
  }
  if (!equal_in_constant_time(*nonce, nonce_)) return malformed("nonce does not match");
  const std::string signed_text =
      fmt::format("{},{},{}", first_bare_, server_first_, without_proof);
  Sha256 given{};
  std::ranges::copy(*proof, reinterpret_cast<char*>(given.data()));
  const Sha256 signature = hmac_sha256(as_view(verifier_.stored_key), signed_text);
  const Sha256 stored = sha256(as_view(exclusive_or(given, signature)));
  const bool right = equal_in_constant_time(as_view(stored), as_view(verifier_.stored_key));
  if (!right || mock_) return std::unexpected(Error{Failure::wrong_password, "wrong password"});
  return "v=" + base64_encode(as_view(hmac_sha256(as_view(verifier_.server_key), signed_text)));
}

}  // namespace anabranch::net::pg
