#include "rewriter/mysql/names.h"
#include "rewriter/mysql/parser.h"

/// Operators, as the servers' grammars bind them: := (read where a variable stands), OR, XOR, AND,
/// NOT, comparisons and IS, BETWEEN, LIKE and IN, |, &, shifts, + -, * / % DIV, ^, || where it
/// concatenates, signs, COLLATE.
namespace anabranch::rewriter::mysql {

using namespace tree;

namespace {

ExprPtr operation(std::string name, ExprPtr left, ExprPtr right, int location) {
  return make::expr(
      OperatorCall{
          {}, std::move(name), std::move(left), std::move(right), OperatorCall::Syntax::plain},
      location);
}

ExprPtr negation(ExprPtr arg, int location) {
  ExprPtr out = make::negation(std::move(arg));
  out->location = location;
  return out;
}

void append(ExprPtr part, BoolOp::Kind kind, std::vector<ExprPtr>& out) {
  auto* same = part->as<BoolOp>();
  if (!same || same->kind != kind) return out.push_back(std::move(part));
  for (ExprPtr& arg : same->args) out.push_back(std::move(arg));
}

// The server flattens both sides, parenthesised or not.
ExprPtr joined(BoolOp::Kind kind, std::vector<ExprPtr> parts) {
  if (parts.size() == 1) return std::move(parts[0]);
  const int location = parts[0]->location;
  BoolOp out{kind, {}};
  for (ExprPtr& part : parts) append(std::move(part), kind, out.args);
  return make::expr(std::move(out), location);
}

}  // namespace

ExprPtr Parser::expr() {
  const Deeper deeper(*this, 4);
  std::vector<ExprPtr> parts;
  do parts.push_back(xor_operand());
  while (accept("or") || (!mode_.pipes_as_concat && accept("||")));
  return joined(BoolOp::Kind::or_, std::move(parts));
}

ExprPtr Parser::xor_operand() {
  ExprPtr left = and_operand();
  while (accept("xor")) {
    const int location = left->location;
    left = operation("XOR", std::move(left), and_operand(), location);
  }
  return left;
}

ExprPtr Parser::and_operand() {
  std::vector<ExprPtr> parts;
  do parts.push_back(not_operand());
  while (accept("and") || accept("&&"));
  return joined(BoolOp::Kind::and_, std::move(parts));
}

ExprPtr Parser::not_operand() {
  if (!at("not") || mode_.high_not_precedence) return comparison();
  const Deeper deeper(*this);
  const int location = static_cast<int>(here().offset);
  ++at_;
  return negation(not_operand(), location);
}

ExprPtr Parser::comparison() {
  ExprPtr left = predicate();
  for (;;) {
    if (accept("is"))
      left = is_test(std::move(left));
    else if (at_any({"=", "<", ">", "<=", ">=", "<>", "!=", "<=>"}))
      left = compared(std::move(left));
    else
      return left;
  }
}

ExprPtr Parser::is_test(ExprPtr arg) {
  const int location = arg->location;
  const bool negated = accept("not");
  if (accept("null")) return make::expr(NullTest{std::move(arg), negated}, location);
  using Kind = BooleanTest::Kind;
  if (accept("true"))
    return make::expr(BooleanTest{std::move(arg), negated ? Kind::is_not_true : Kind::is_true},
                      location);
  if (accept("false"))
    return make::expr(BooleanTest{std::move(arg), negated ? Kind::is_not_false : Kind::is_false},
                      location);
  expect("unknown");
  return make::expr(BooleanTest{std::move(arg), negated ? Kind::is_not_unknown : Kind::is_unknown},
                    location);
}

ExprPtr Parser::compared(ExprPtr left) {
  const int location = left->location;
  std::string op(words_[at_++].word);
  if (op == "!=") op = "<>";
  if (op == "<=>") return make::expr(DistinctFrom{std::move(left), predicate(), true}, location);
  const bool all = at("all");
  if (at("(", 1) && (all || at_any({"any", "some"}))) {
    ++at_;
    return make::expr(AnyAll{std::move(left), {}, std::move(op), all, subquery(), nullptr},
                      location);
  }
  return operation(std::move(op), std::move(left), predicate(), location);
}

ExprPtr Parser::predicate() {
  ExprPtr left = bit_expr();
  while (tested(left)) {
  }
  return left;
}

// The right side of LIKE and its equals: a NOT LIKE that follows is its own, a LIKE is not.
ExprPtr Parser::pattern() {
  const Deeper deeper(*this);
  ExprPtr left = bit_expr();
  while (at("not") && tested(left)) {
  }
  return left;
}

// Takes one test into `left`; false: none follows.
bool Parser::tested(ExprPtr& left) {
  const bool negated = accept("not");
  if (accept("in"))
    left = in_list(std::move(left), negated);
  else if (accept("like"))
    left = like(std::move(left), negated);
  else if (accept("between"))
    left = between(std::move(left), negated);
  else if (accept("regexp") || accept("rlike")) {
    const int location = left->location;
    left = operation("REGEXP", std::move(left), pattern(), location);
    if (negated) left = negation(std::move(left), location);
  } else if (negated) {
    fail();
  } else if (accept_words({"sounds", "like"})) {
    const int location = left->location;
    ExprPtr right = pattern();
    left = operation("=", make::call({"soundex"}, std::move(left)),
                     make::call({"soundex"}, std::move(right)), location);
  } else if (at("member") && (at("of", 1) || at("(", 1))) {
    const int location = left->location;
    ++at_;
    accept("of");
    expect("(");
    left = operation("MEMBER OF", std::move(left), expr(), location);
    expect(")");
  } else {
    return false;
  }
  return true;
}

ExprPtr Parser::in_list(ExprPtr arg, bool negated) {
  const int location = arg->location;
  if (at_query(at_)) return make::expr(InSubquery{std::move(arg), subquery(), negated}, location);
  expect("(");
  InList out{std::move(arg), expr_list(), negated};
  expect(")");
  return make::expr(std::move(out), location);
}

// As PostgreSQL's: ~~ and !~~, the right side in a like_escape() call where there is an ESCAPE.
ExprPtr Parser::like(ExprPtr arg, bool negated) {
  const int location = arg->location;
  ExprPtr right = pattern();
  if (accept("escape")) {
    std::vector<ExprPtr> args;
    args.push_back(std::move(right));
    args.push_back(pattern());
    right = make::call({"pg_catalog", "like_escape"}, std::move(args));
    right->as<FunctionCall>()->sql_syntax = true;
  }
  return make::expr(
      OperatorCall{
          {}, negated ? "!~~" : "~~", std::move(arg), std::move(right), OperatorCall::Syntax::like},
      location);
}

ExprPtr Parser::between(ExprPtr arg, bool negated) {
  const Deeper deeper(*this);
  const int location = arg->location;
  ExprPtr low = predicate();
  expect("and");
  ExprPtr high = predicate();
  return make::expr(Between{std::move(arg), std::move(low), std::move(high), false, negated},
                    location);
}

namespace {

struct Infix {
  std::string_view word;
  std::string_view name;
  int binding;
};
constexpr Infix infixes[] = {
    {"|", "|", 1}, {"&", "&", 2},     {"<<", "<<", 3}, {">>", ">>", 3},
    {"+", "+", 4}, {"-", "-", 4},     {"*", "*", 5},   {"/", "/", 5},
    {"%", "%", 5}, {"div", "DIV", 5}, {"mod", "%", 5}, {"^", "^", 6},
};

}  // namespace

ExprPtr Parser::bit_expr(int least) {
  ExprPtr left;
  if (at_interval()) {
    const Deeper deeper(*this);
    const int location = static_cast<int>(here().offset);
    left = interval();
    expect("+");
    // What follows is an expr to MariaDB's grammar, a bit_expr to MySQL's.
    ExprPtr right = mode_.mariadb ? not_operand() : bit_expr();
    left = operation("+", std::move(left), std::move(right), location);
  } else {
    left = concatenation();
  }
  for (;;) {
    const Infix* infix = nullptr;
    for (const Infix& candidate : infixes)
      if (candidate.binding >= least && at(candidate.word)) infix = &candidate;
    if (!infix) return left;
    ++at_;
    const int location = left->location;
    const bool additive = infix->binding == 4;
    ExprPtr right = additive && at_interval() ? interval() : bit_expr(infix->binding + 1);
    left = operation(std::string(infix->name), std::move(left), std::move(right), location);
  }
}

ExprPtr Parser::concatenation() {
  ExprPtr left = simple_expr();
  while (mode_.pipes_as_concat && accept("||")) {
    const int location = left->location;
    left = operation("||", std::move(left), simple_expr(), location);
  }
  return left;
}

ExprPtr Parser::simple_expr() {
  const int location = static_cast<int>(here().offset);
  const bool negation_word = at("!") || (mode_.high_not_precedence && at("not"));
  if (negation_word || at_any({"-", "+", "~", "binary"})) {
    const Deeper deeper(*this);
    const Word& word = words_[at_++];
    if (at_interval() && !negation_word) throw Unmodelled{};
    ExprPtr arg = simple_expr();
    if (negation_word) return negation(std::move(arg), location);
    return operation(word.word == "binary" ? "BINARY" : std::string(word.word), nullptr,
                     std::move(arg), location);
  }
  ExprPtr out = primary();
  while (accept("collate")) out = make::expr(Collate{std::move(out), {name_or_string()}}, location);
  return out;
}

// INTERVAL(a, b, …) is a function.
bool Parser::at_interval() const {
  if (!at("interval")) return false;
  if (!at("(", 1)) return true;
  const std::size_t open = at_ + 1;
  const int closing = words_[open].closing;
  int depth = 0;
  for (std::size_t i = open; closing >= 0 && i < static_cast<std::size_t>(closing); ++i) {
    if (words_[i].kind != Token::Kind::punctuation) continue;
    depth += words_[i].text == "(" ? 1 : words_[i].text == ")" ? -1 : 0;
    if (words_[i].text == "," && depth == 1) return false;
  }
  return true;
}

ExprPtr Parser::interval() {
  const int location = static_cast<int>(here().offset);
  expect("interval");
  ExprPtr count = expr();
  std::string_view unit = here().word;
  if (here().kind == Token::Kind::identifier && unit.starts_with("sql_tsi_")) unit.remove_prefix(8);
  if (at_end() || here().kind != Token::Kind::identifier || !is_interval_unit(unit)) fail();
  ++at_;
  return make::expr(Interval{std::move(count), std::string(unit)}, location);
}

std::vector<ExprPtr> Parser::expr_list() {
  std::vector<ExprPtr> out;
  do out.push_back(expr());
  while (accept(","));
  return out;
}

}  // namespace anabranch::rewriter::mysql
