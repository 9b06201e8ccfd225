#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/crypto.h"

namespace anabranch::net::pg {

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

/// What a server keeps of a SCRAM-SHA-256 password (RFC 5803, as PostgreSQL stores it).
struct ScramVerifier {
  int iterations = 4096;
  std::string salt;
  Sha256 stored_key{};
  Sha256 server_key{};

  static ScramVerifier from_password(std::string_view password, std::string salt,
                                     int iterations = 4096);
  static ScramVerifier from_password(std::string_view password);
  /// "SCRAM-SHA-256$4096:salt$stored:server"; nothing when it is not that.
  static std::optional<ScramVerifier> parse(std::string_view text);
  std::string to_string() const;
  /// For a user who does not exist: a salt that is always the same for the name (keyed by
  /// `nonce`, a secret of the process), and keys that no password fits.
  static ScramVerifier mock(std::string_view user, std::string_view nonce);
  bool matches(std::string_view password) const;
};

/// "md5" + hex(md5(password + user)), PostgreSQL's older verifier.
std::string md5_verifier(std::string_view password, std::string_view user);
bool is_md5_verifier(std::string_view text);
/// What answers an md5 challenge: "md5" + hex(md5(verifier's digits + salt)).
std::string md5_response(std::string_view verifier, std::string_view salt);

/// SASLprep as PostgreSQL applies it: printable ASCII is unchanged, anything else passes through.
std::string_view prepared_password(std::string_view password);

}  // namespace anabranch::net::pg
