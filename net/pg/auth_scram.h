#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "net/pg/auth_verifier.h"

namespace anabranch::net::pg {

inline constexpr std::string_view scram_sha_256 = "SCRAM-SHA-256";
inline constexpr std::string_view scram_sha_256_plus = "SCRAM-SHA-256-PLUS";

/// The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677). In order: first(), then
/// final_message(server-first), then verify(server-final). Errors are sentences.
class ScramClient {
 public:
  /// `channel_binding`: tls-server-end-point data of the connection; empty without TLS.
  /// `nonce` is random unless a test gives one.
  ScramClient(std::string password, std::string channel_binding, std::string nonce = {});

  /// Chooses among the server's mechanisms, -PLUS where both sides can.
  std::expected<std::string, std::string> choose(const std::vector<std::string_view>& offered);
  std::string first();
  std::expected<std::string, std::string> final_message(std::string_view server_first);
  /// The server has proved that it knows the password's verifier.
  std::expected<void, std::string> verify(std::string_view server_final) const;

  /// The user's name is sent empty, as PostgreSQL takes it from the startup message; RFC vectors
  /// need one.
  void set_user(std::string user) { user_ = std::move(user); }

 private:
  std::string gs2_header() const;
  std::string password_;
  std::string channel_binding_;
  std::string nonce_;
  std::string user_;
  bool plus_ = false;
  std::string first_bare_;
  std::string server_signature_;
};

/// The server's side. In order: first(mechanism, client-first), then final_message(client-final).
class ScramServer {
 public:
  /// `mock`: the user does not exist; the conversation takes its course and always fails.
  ScramServer(ScramVerifier verifier, bool mock, std::string channel_binding,
              std::string nonce = {});

  /// What to offer: -PLUS first where the connection has channel binding data.
  std::vector<std::string_view> mechanisms() const;

  enum class Failure { malformed, wrong_password };
  struct Error {
    Failure failure;
    std::string message;
  };
  std::expected<std::string, Error> first(std::string_view mechanism,
                                          std::string_view client_first);
  std::expected<std::string, Error> final_message(std::string_view client_final);

 private:
  ScramVerifier verifier_;
  bool mock_;
  std::string channel_binding_;
  std::string nonce_;
  std::string gs2_header_;
  bool plus_ = false;
  std::string first_bare_;
  std::string server_first_;
};

}  // namespace anabranch::net::pg
