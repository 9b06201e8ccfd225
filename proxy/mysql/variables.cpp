#include "proxy/mysql/variables.h"

#include <fmt/format.h>

#include <algorithm>

#include "backends/exchange.h"
#include "backends/mysql_context.h"
#include "net/mysql/result_messages.h"
#include "proxy/mysql/description.h"
#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/quote.h"
#include "values/ascii.h"
#include "values/errors.h"
#include "values/mysql_quote.h"
#include "values/mysql_type.h"

namespace anabranch::proxy::mysql {

namespace {

/// `@name`, "@`name`", "@'name'".
std::string name_of(std::string_view token) {
  token.remove_prefix(1);
  const bool quoted = token.size() >= 2 && (token.front() == '`' || token.front() == '\'' || token.front() == '"');
  if (quoted) token = token.substr(1, token.size() - 2);
  return values::lower_case(token);
}

/// Where the variable's value is, if one shard alone has it.
std::optional<std::uint32_t> find_holder(const State& state, std::string_view name) {
  const auto local = state.local_variables.find(name);
  if (local != state.local_variables.end()) return local->second;
  const bool known = state.settings.find(variable_setting(name)) != nullptr;
  return known ? std::nullopt : state.any_variable_on;
}

/// A variable has its type also where it is NULL.
std::string null_of(values::Oid type, std::string_view charset, std::string_view collation) {
  using enum values::MysqlCode;
  switch (values::mysql_code(type)) {
    case longlong: return values::has_mysql_flag(type) ? "CAST(NULL AS UNSIGNED)" : "CAST(NULL AS SIGNED)";
    case newdecimal: return "CAST(NULL AS DECIMAL)";
    case double_: return "CAST(NULL AS DOUBLE)";
    default: break;
  }
  if (collation == "binary") return "NULL";
  return fmt::format("NULLIF(_{0} x'' COLLATE {1}, _{0} x'' COLLATE {1})", charset, collation);
}

/// Of a variable that nobody has set, which servers tell apart from NULL.
constexpr std::uint32_t length_of_unset = 16777216;

}  // namespace

VariableUse variables_of(std::string_view text, const rewriter::mysql::Mode& mode) {
  VariableUse use;
  if (!text.contains('@')) return use;
  using Kind = rewriter::Token::Kind;
  rewriter::mysql::Lexer lexer(text, mode);
  bool first = true;
  for (auto token = lexer.next(); token.kind != Kind::end && token.kind != Kind::bad; token = lexer.next()) {
    const std::string_view word = text.substr(token.offset, token.length);
    if (token.kind == Kind::variable) {
      std::string name = name_of(word);
      if (std::ranges::find(use.names, name) == use.names.end()) use.names.push_back(std::move(name));
    }
    const bool is_word = token.kind == Kind::identifier;
    use.assigns |= word == ":=" || (is_word && rewriter::same_word(word, "into")) ||
                   (is_word && first && (rewriter::same_word(word, "get") || rewriter::same_word(word, "call")));
    first = false;
  }
  use.assigns &= !use.names.empty();
  return use;
}

VariableUse variables_of(const State& state, const Request& request) {
  VariableUse use = variables_of(request.statement->text, state.planning.mysql);
  if (request.call == nullptr) return use;
  for (std::string& name : variables_of(request.call->text, state.planning.mysql).names) {
    if (std::ranges::find(use.names, name) == use.names.end()) use.names.push_back(std::move(name));
  }
  return use;
}

std::string variable_setting(std::string_view lower_case_name) {
  return "@" + values::quote_mysql_identifier(lower_case_name);
}

net::Task<std::string> variable_literal(State& state, backends::Lease& lease, std::string_view lower_case_name) {
  using enum values::MysqlCode;
  const std::string name = variable_setting(lower_case_name);
  auto answer = co_await backends::run_command(lease, fmt::format("SELECT {0}, HEX({0}), CHARSET({0}), COLLATION({0})", name),
                                               state.token());
  if (!answer) throw backends::ServerError(answer.error(), lease.shard(), lease.shard_name());
  const auto& row = answer->rows.at(0);
  const values::Oid type = result_column(answer->columns.at(0), state.form.capabilities).type;
  const values::MysqlCode code = values::mysql_code(type);
  const std::string collation = row.at(3).value_or("binary");
  const std::string charset = row.at(2).value_or("utf8mb4");
  if (!row.at(0)) {
    const auto told = net::mysql::ColumnDefinition41::decode(answer->columns.at(0), state.form.capabilities);
    if (told && told->length == length_of_unset) co_return "";
    co_return null_of(type, charset, collation);
  }
  const std::string& text = *row[0];
  if (code == longlong) co_return values::has_mysql_flag(type) ? fmt::format("CAST({} AS UNSIGNED)", text) : text;
  if (code == newdecimal) co_return text;
  if (code == double_) co_return rewriter::mysql::real_literal(text);
  const std::string bytes = fmt::format("x'{}'", row.at(1).value_or(""));
  if (collation == "binary") co_return bytes;
  co_return fmt::format("_{} {} COLLATE {}", charset, bytes, collation);
}

net::Task<void> bring_variables(State& state, std::span<const std::string> names, std::optional<std::uint32_t> shard) {
  for (const std::string& name : names) {
    const auto holder = find_holder(state, name);
    if (!holder || holder == shard) continue;
    backends::Transaction::Enlisted* member = state.transaction.find(*holder);
    if (member == nullptr || !member->lease) {
      throw values::make_error(values::ErrorId::internal, "the connection that knows @" + name + " has gone home");
    }
    std::string value = co_await variable_literal(state, member->lease, name);
    state.local_variables.erase(name);
    if (value.empty()) continue;
    const std::string setting = variable_setting(name);
    member->lease->applied.set(setting, value);
    backends::put_mysql_setting(state.settings, setting, std::move(value));
  }
}

void forget_variable(State& state, backends::Transaction::Enlisted& member, std::string_view lower_case_name) {
  const std::string name = variable_setting(lower_case_name);
  state.settings.reset(name);
  member.lease->applied.reset(name);
  state.local_variables.insert_or_assign(std::string(lower_case_name), member.shard);
  member.kept = true;
}

void forget_all_variables(State& state, backends::Transaction::Enlisted& member) {
  std::vector<std::string> set;
  for (const auto& [name, value] : *state.settings.current()) {
    if (name.starts_with('@')) set.push_back(name);
  }
  for (const std::string& name : set) {
    state.settings.reset(name);
    member.lease->applied.reset(name);
    // "@`name`", the backticks within doubled.
    std::string plain = name.substr(2, name.size() - 3);
    for (std::size_t at = 0; (at = plain.find("``", at)) != std::string::npos; ++at) plain.erase(at, 1);
    state.local_variables.insert_or_assign(std::move(plain), member.shard);
  }
  state.any_variable_on = member.shard;
  member.untracked = member.kept = true;
}

}  // namespace anabranch::proxy::mysql
