#include "proxy/verifier_cache.h"

#include "net/pg/auth_verifier.h"

namespace anabranch::proxy {

std::string VerifierCache::secret_of(const conf::User& user) {
  if (user.password.kind != conf::PasswordKind::plain) return user.password.text;
  {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(user.name);
    if (known != entries_.end() && known->second.password == user.password.text) {
      return known->second.verifier;
    }
  }
  std::string verifier = net::pg::ScramVerifier::from_password(user.password.text).to_string();
  const std::lock_guard lock(mutex_);
  entries_.insert_or_assign(user.name, Entry{user.password.text, verifier});
  return verifier;
}

}  // namespace anabranch::proxy
