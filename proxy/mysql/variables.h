#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// The user variables that a statement names, in lower case, and whether it may set them (`:=`, INTO, GET DIAGNOSTICS).
struct VariableUse {
  std::vector<std::string> names;
  bool assigns = false;
};
/// Nothing to do where the text has no `@`.
VariableUse variables_of(std::string_view text, const rewriter::mysql::Mode& mode);
/// Of the statement and of the EXECUTE that it is carried out by.
VariableUse variables_of(const State& state, const Request& request);

/// As a setting is named (backends/mysql_context.h). Names are compared whatever their case.
std::string variable_setting(std::string_view lower_case_name);

/// The variable's value there as SQL that means the same on every server of the session: type, bytes and collation.
/// Empty: it has not been set.
net::Task<std::string> variable_literal(State& state, backends::Lease& lease, std::string_view lower_case_name);

/// Before a statement that names these is carried out on `shard` (nothing: on several): what another shard's session
/// alone knows becomes the session's, so that every shard is told.
net::Task<void> bring_variables(State& state, std::span<const std::string> names, std::optional<std::uint32_t> shard);

/// A statement may have set the variable on that shard: no other has its value.
void forget_variable(State& state, backends::Transaction::Enlisted& member, std::string_view lower_case_name);
/// A procedure may have set any.
void forget_all_variables(State& state, backends::Transaction::Enlisted& member);

}  // namespace anabranch::proxy::mysql
