#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "net/mysql/fields.h"

namespace anabranch::net::mysql {

/// One thing of a session that has changed, as an OK packet tells it (session_track).
struct SessionChange {
  enum class Kind : std::uint8_t {
    system_variable = 0,
    schema = 1,
    state = 2,  // "1": something has changed that is not told in detail
    gtids = 3,
    transaction_characteristics = 4,  // the statements that would begin such a transaction anew
    transaction_state = 5,            // for TransactionState
  };
  Kind kind = Kind::state;  // may have a value that has no name here
  std::string_view name;    // of a system variable
  std::string_view value;
};

/// Reads Ok::session_state change by change, without copying.
class SessionChanges {
 public:
  explicit SessionChanges(std::string_view session_state) : reader_(session_state) {}
  /// Nothing at the end, or where it is malformed: ask ok().
  std::optional<SessionChange> next();
  bool ok() const { return reader_.ok() && variables_.ok(); }

 private:
  FieldReader reader_;
  FieldReader variables_{std::string_view()};  // what is left of a block of system variables
};

/// Eight letters, '_' where something is not so.
struct TransactionState {
  bool is_explicit = false;        // 'T': BEGIN
  bool is_implicit = false;        // 'I': autocommit is off
  bool reads_unsafely = false;     // 'r': non-transactional tables were read
  bool reads = false;              // 'R'
  bool writes_unsafely = false;    // 'w': non-transactional tables were written
  bool writes = false;             // 'W'
  bool unsafe_statement = false;   // 's': such as UUID()
  bool has_result_set = false;     // 'S'
  bool has_locked_tables = false;  // 'L'
  static std::optional<TransactionState> parse(std::string_view letters);
};

}  // namespace anabranch::net::mysql
