#pragma once

#include <string_view>

#include "net/pg/auth_verifier.h"

// What SCRAM is made of beyond plain hashes; internal to this room.
namespace anabranch::net::pg {

Sha256 hmac_sha256(std::string_view key, std::string_view bytes);
/// Hi(password, salt, iterations) of RFC 5802.
Sha256 salted_password(std::string_view password, std::string_view salt, int iterations);

}  // namespace anabranch::net::pg
