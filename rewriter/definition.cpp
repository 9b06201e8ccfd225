#include <algorithm>
#include <array>

#include "rewriter/clock.h"
#include "rewriter/lexer.h"
#include "rewriter/utility.h"
#include "values/ascii.h"

/// DDL that every shard carries out: what a definition says must not depend on who reads it.
namespace anabranch::rewriter {
namespace {

/// Definitions whose expressions the server reads when they are made. The bodies of functions are
/// read when they run.
constexpr auto kDefinitions = std::to_array<std::string_view>(
    {"CreateStmt", "AlterTableStmt", "ViewStmt", "IndexStmt", "CreateDomainStmt", "AlterDomainStmt",
     "CreatePolicyStmt", "AlterPolicyStmt", "CreateTrigStmt", "RuleStmt"});

constexpr auto kMoments = std::to_array<std::string_view>(
    {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"});

constexpr auto kCounters = std::to_array<std::string_view>(
    {"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8", "identity"});

constexpr auto kFreshPerRow =
    std::to_array<std::string_view>({"random", "gen_random_uuid", "clock_timestamp"});

bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::vector<Token> tokens_of(const Planning& planning, std::string_view text) {
  Lexer lexer(text, planning.request->context->standard_conforming_strings);
  std::vector<Token> tokens;
  for (Token token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
    tokens.push_back(token);
    if (token.kind == Token::Kind::bad) break;
  }
  return tokens;
}

std::string_view spelling(std::string_view text, const Token& token) {
  return text.substr(token.offset, token.length);
}

std::string folded(std::string_view text, const Token& token) {
  const std::string_view word = spelling(text, token);
  if (token.kind == Token::Kind::quoted_identifier) return std::string(word.substr(1, word.size() - 2));
  return values::lower_case(word);
}

/// 'now'::text is a text.
bool is_cast_to_text(std::string_view rest) {
  const auto skip = [&] {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \n\t\r"), rest.size()));
  };
  skip();
  if (!rest.starts_with("::")) return false;
  rest.remove_prefix(2);
  skip();
  return rest.starts_with("text") || rest.starts_with("varchar") || rest.starts_with("character");
}

[[noreturn]] void refuse_filling(const std::string& what) {
  refuse_clause("ALTER TABLE that fills rows with " + what,
                "every shard would compute it for itself",
                "Add the column without a default, SET DEFAULT, and UPDATE the rows.");
}

/// A function whose value is not the same wherever it is computed.
bool differs(const Planning& planning, const std::string& name, bool copies) {
  if (!copies && contains(kFreshPerRow, name)) return false;
  if (values::find_type_by_name(name) != nullptr) return false;  // numeric(10, 2)
  const auto& path = planning.request->context->search_path;
  return std::ranges::any_of(
      planning.catalog().find_functions(path, name),
      [](const auto* function) { return function->volatility != router::Volatility::immutable; });
}

}  // namespace

void check_definition(const Planning& planning, const tree::Utility& utility) {
  if (!contains(kDefinitions, utility.kind)) return;
  const std::string_view text = utility.text;
  for (const Token& token : tokens_of(planning, text)) {
    if (token.kind != Token::Kind::string) continue;
    const std::string value = literal_value(spelling(text, token),
                                            planning.request->context->standard_conforming_strings);
    if (!says_now(value) || is_cast_to_text(text.substr(token.offset + token.length))) continue;
    refuse_clause("'" + value + "' in " + utility.tag, "every shard would read its own clock",
                  "Use now() or current_date; for a text write '" + value + "'::text.");
  }
}

void check_filling(const Planning& planning, const tree::Utility& utility,
                   const tree::AlterTable& alter, bool copies) {
  const bool fills = std::ranges::any_of(alter.actions, [](const std::string& action) {
    return action == "AT_AddColumn" || action == "AT_AlterColumnType";
  });
  if (!fills) return;
  const std::string_view text = utility.text;
  const auto tokens = tokens_of(planning, text);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind != Token::Kind::identifier &&
        tokens[i].kind != Token::Kind::quoted_identifier) {
      continue;
    }
    const std::string word = folded(text, tokens[i]);
    const bool calls = i + 1 < tokens.size() && spelling(text, tokens[i + 1]) == "(";
    if (tokens[i].kind == Token::Kind::identifier &&
        (contains(kMoments, word) || contains(kCounters, word))) {
      refuse_filling(word);
    }
    if (calls && differs(planning, word, copies)) refuse_filling(word + "()");
  }
}

}  // namespace anabranch::rewriter
