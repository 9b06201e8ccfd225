#include "net/mysql/session_changes.h"

#include <array>

namespace anabranch::net::mysql {

std::optional<SessionChange> SessionChanges::next() {
  while (variables_.at_end()) {
    if (!ok() || reader_.at_end()) return std::nullopt;
    const auto kind = SessionChange::Kind{reader_.int1()};
    FieldReader data(reader_.lenenc_string());
    if (kind == SessionChange::Kind::system_variable) {
      variables_ = data;
      continue;
    }
    SessionChange change{kind, {}, {}};
    if (kind == SessionChange::Kind::gtids) data.int1();  // how they are encoded: only one way is
    // A state's letter stands there without a length of its own, whatever documentation says.
    const bool bare =
        kind == SessionChange::Kind::state || kind > SessionChange::Kind::transaction_state;
    change.value = bare ? data.rest() : data.lenenc_string();
    if (!data.ok()) reader_.fail();
    if (!reader_.ok()) return std::nullopt;
    return change;
  }
  SessionChange change{SessionChange::Kind::system_variable, {}, {}};
  change.name = variables_.lenenc_string();
  change.value = variables_.lenenc_string();
  if (!variables_.ok()) return std::nullopt;
  return change;
}

std::optional<TransactionState> TransactionState::parse(std::string_view letters) {
  constexpr std::array<std::string_view, 8> allowed = {"_TI", "_r", "_R", "_w",
                                                       "_W",  "_s", "_S", "_L"};
  if (letters.size() != allowed.size()) return std::nullopt;
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (!allowed[i].contains(letters[i])) return std::nullopt;
  }
  TransactionState state;
  state.is_explicit = letters[0] == 'T';
  state.is_implicit = letters[0] == 'I';
  state.reads_unsafely = letters[1] == 'r';
  state.reads = letters[2] == 'R';
  state.writes_unsafely = letters[3] == 'w';
  state.writes = letters[4] == 'W';
  state.unsafe_statement = letters[5] == 's';
  state.has_result_set = letters[6] == 'S';
  state.has_locked_tables = letters[7] == 'L';
  return state;
}

}  // namespace anabranch::net::mysql
