#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// A statement that the client has prepared by SQL (PREPARE … FROM). Shards prepare it, under its name, when they
/// first carry it out.
struct NamedStatement {
  std::unique_ptr<Statement> statement;  ///< its shape views its text, so that it does not move
  std::size_t parameters = 0;
  std::map<std::uint32_t, std::int32_t> on;  ///< by shard, the connection that has it
};

/// The session's, by their names in lower case: servers take a name whatever its case.
using NamedStatements = std::map<std::string, NamedStatement, std::less<>>;

/// Throws 1243 where there is none of that name. `command`: what asks for it.
NamedStatement& find_named(NamedStatements& statements, std::string_view name, std::string_view command);

/// PREPARE and its kin: they prepare no other one.
bool is_named_command(rewriter::SessionAction action);

/// The `?` of a text.
std::size_t count_parameters(std::string_view text, const rewriter::mysql::Mode& mode);

/// "PREPARE name FROM 'text'".
std::string prepare_sql(std::string_view name, std::string_view text, const rewriter::mysql::Mode& mode);
/// It has been prepared there: the lease is the session's own from then on.
void note_prepared(NamedStatement& named, backends::Transaction::Enlisted& member);
/// Has the shard prepare the statement under `name`, if it has not: throws its error.
net::Task<void> prepare_named_on(NamedStatement& named, std::string name, backends::Transaction::Enlisted& member,
                                 const rewriter::mysql::Mode& mode);
/// DEALLOCATE PREPARE wherever it has been prepared. Answers what a server has said of the session's change.
net::Task<std::string> deallocate_named_on_shards(State& state, const NamedStatement& named, std::string name);

/// What EXECUTE's arguments are: a server computes them.
class ComputedArguments {
 public:
  net::Task<void> compute(State& state, const rewriter::Plan& plan);
  std::span<const rewriter::BoundValue> values() const { return values_; }

 private:
  std::vector<std::optional<std::string>> texts_;
  std::vector<rewriter::BoundValue> values_;
};

/// The text that PREPARE and EXECUTE IMMEDIATE are given.
net::Task<std::string> source_text(State& state, const rewriter::Plan& plan);

}  // namespace anabranch::proxy::mysql
