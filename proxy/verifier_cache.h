#pragma once

#include <map>
#include <mutex>
#include <string>

#include "conf/config.h"

namespace anabranch::proxy {

/// SCRAM verifiers of users whose passwords stand in the configuration as plain text: deriving one
/// takes milliseconds (4096 rounds), so it is done once a password. Any thread.
class VerifierCache {
 public:
  /// What a login is checked against: the entry's own verifier, or one made from its plain text.
  std::string secret_of(const conf::User& user);

 private:
  struct Entry {
    std::string password;
    std::string verifier;
  };
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace anabranch::proxy
