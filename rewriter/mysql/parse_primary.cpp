#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/names.h"
#include "rewriter/mysql/parser.h"
#include "rewriter/mysql/quote.h"
#include "values/ascii.h"

/// What operators stand between: literals, columns, variables, parentheses, CASE.
namespace anabranch::rewriter::mysql {

using namespace tree;

ExprPtr Parser::primary() {
  if (at_end()) fail();
  switch (here().kind) {
    case Token::Kind::string:
    case Token::Kind::integer:
    case Token::Kind::real:
    case Token::Kind::bit_string:
      return literal();
    case Token::Kind::parameter: {
      const int location = static_cast<int>(words_[at_++].offset);
      return make::expr(Param{++parameters_}, location);
    }
    case Token::Kind::variable:
      return user_variable();
    case Token::Kind::quoted_identifier:
      return at_call() ? call() : column();
    case Token::Kind::identifier:
      return word_primary();
    default:
      break;
  }
  if (at("@@")) return system_variable();
  if (at("(")) return parenthesised();
  if (at("{")) return odbc();
  fail();
}

ExprPtr Parser::literal() {
  const Word& word = words_[at_++];
  // Strings that a versioned comment keeps apart are one for the server.
  if (word.kind == Token::Kind::string && here().kind == Token::Kind::string && !at_end())
    throw Unmodelled{};
  Literal::Kind kind = Literal::Kind::string;
  if (word.kind == Token::Kind::bit_string) kind = Literal::Kind::bit_string;
  if (word.kind == Token::Kind::real) kind = Literal::Kind::numeric;
  if (word.kind == Token::Kind::integer) {
    const auto known = word.literal >= 0
                           ? shape_.literals()[static_cast<std::size_t>(word.literal)].kind
                           : LiteralToken::Kind::numeric;
    kind = known == LiteralToken::Kind::integer  ? Literal::Kind::integer
           : known == LiteralToken::Kind::bigint ? Literal::Kind::bigint
                                                 : Literal::Kind::numeric;
  }
  const int token = baking_ > 0 ? -1 : word.literal;
  int same_as = -1;
  if (token >= 0) {
    printed_[static_cast<std::size_t>(token)] = true;
    same_as = shape_.equal_to()[static_cast<std::size_t>(token)];
  }
  return make::expr(Literal(kind, value_of(word), token, same_as), static_cast<int>(word.offset));
}

// DATE'…', _utf8mb4'…', N'…'. Null where something else stands.
ExprPtr Parser::prefixed_literal() {
  const Word& word = here();
  const Word& next = here(1);
  if (at_ + 1 >= end_) return nullptr;
  const bool string = next.kind == Token::Kind::string;
  std::string prefix;
  if (string && (at("date") || at("time") || at("timestamp"))) {
    prefix = at("date") ? "DATE" : at("time") ? "TIME" : "TIMESTAMP";
  } else if (string && at("n") && !next.space_before) {
    prefix = "N";
  } else if ((string || next.kind == Token::Kind::bit_string) && word.word.starts_with('_') &&
             is_charset(word.word.substr(1))) {
    prefix = std::string(word.word);
  } else {
    return nullptr;
  }
  ++at_;
  return make::expr(PrefixedLiteral{std::move(prefix), literal()}, static_cast<int>(word.offset));
}

ExprPtr Parser::word_primary() {
  const int location = static_cast<int>(here().offset);
  if (accept("null")) return make::expr(Literal(), location);
  if (at("true") || at("false"))
    return make::expr(Literal(Literal::Kind::boolean, std::string(words_[at_++].word)), location);
  if (at("case")) return case_expr();
  if (at("exists") && at("(", 1)) {
    ++at_;
    return make::expr(Exists{subquery()}, location);
  }
  if (at("row") && at("(", 1)) {
    at_ += 2;
    Row out{expr_list(), true};
    if (out.fields.size() < 2) fail();
    expect(")");
    return make::expr(std::move(out), location);
  }
  if (at("match") && !at(".", 1)) return special_call("match", location);
  if (ExprPtr out = prefixed_literal()) return out;
  if (is_value_function(here().word)) return value_function();
  if (at_words({"next", "value", "for"}) || at_words({"previous", "value", "for"}) ||
      ((at("nextval") || at("lastval") || at("setval")) && at("(", 1)))
    return sequence_value();
  return at_call() ? call() : column();
}

bool Parser::at_call() const {
  return at("(", 1) || (at(".", 1) && at("(", 3) && !at("*", 2));
}

ExprPtr Parser::column() {
  const int location = static_cast<int>(here().offset);
  ColumnRef out;
  out.parts = qualified_name(3);
  ExprPtr column = make::expr(std::move(out), location);
  while ((at("->") || at("->>")) && here(1).kind == Token::Kind::string) {
    const std::string op(words_[at_++].word);
    column = make::expr(
        OperatorCall{{}, op, std::move(column), literal(), OperatorCall::Syntax::plain}, location);
  }
  return column;
}

std::string Parser::variable_name(const Word& word) const {
  const std::string_view spelled = word.text.substr(1);
  const bool string = spelled.starts_with('\'') || (spelled.starts_with('"') && !mode_.ansi_quotes);
  return string ? literal_value(spelled, mode_) : identifier_value(spelled);
}

ExprPtr Parser::user_variable() {
  const Word& word = words_[at_++];
  const int location = static_cast<int>(word.offset);
  Variable variable;
  variable.name = {variable_name(word)};
  ExprPtr out = make::expr(std::move(variable), location);
  if (!accept(":=")) return out;
  return make::expr(OperatorCall{{}, ":=", std::move(out), expr(), OperatorCall::Syntax::plain},
                    location);
}

ExprPtr Parser::system_variable() {
  const int location = static_cast<int>(here().offset);
  expect("@@");
  Variable out;
  out.system = true;
  const bool scoped = (at("session") || at("local") || at("global")) && at(".", 1);
  if (scoped) {
    out.scope = std::string(words_[at_].word);
    at_ += 2;
  }
  out.name.push_back(values::lower_case(any_name()));
  if (accept(".")) out.name.push_back(values::lower_case(any_name()));
  return make::expr(std::move(out), location);
}

ExprPtr Parser::parenthesised() {
  const int location = static_cast<int>(here().offset);
  if (at_query(at_)) return make::expr(ScalarSubquery{subquery()}, location);
  expect("(");
  std::vector<ExprPtr> parts = expr_list();
  expect(")");
  if (parts.size() == 1) return std::move(parts[0]);
  return make::expr(Row{std::move(parts), false}, location);
}

// {d '…'} is a date only if it can be one; {fn x} is x.
ExprPtr Parser::odbc() {
  const Deeper deeper(*this);
  const int location = static_cast<int>(here().offset);
  expect("{");
  const std::string kind = any_name();
  ExprPtr out = expr();
  expect("}");
  const auto* literal = out->as<Literal>();
  const bool temporal = kind == "d" || kind == "t" || kind == "ts";
  if (temporal && literal && literal->kind() == Literal::Kind::string)
    return make::expr(PrefixedLiteral{"{" + kind, std::move(out)}, location);
  return out;
}

ExprPtr Parser::case_expr() {
  const Deeper deeper(*this);
  const int location = static_cast<int>(here().offset);
  expect("case");
  Case out;
  if (!at("when")) out.arg = expr();
  do {
    expect("when");
    ExprPtr condition = expr();
    expect("then");
    out.whens.push_back({std::move(condition), expr()});
  } while (at("when"));
  if (accept("else")) out.otherwise = expr();
  expect("end");
  return make::expr(std::move(out), location);
}

ExprPtr Parser::value_function() {
  const Word& word = words_[at_];
  // CURRENT_ROLE is a name as well.
  if (word.word == "current_role" && !at("(", 1) && !mode_.mariadb) return column();
  ++at_;
  SqlValueFunction out{std::string(word.word), -1};
  if (accept("(")) {
    if (here().kind == Token::Kind::integer && here().text.size() < 3)
      out.precision = std::stoi(std::string(words_[at_++].text));
    expect(")");
  }
  return make::expr(std::move(out), static_cast<int>(word.offset));
}

// NEXT VALUE FOR s, NEXTVAL(s): s is no column.
ExprPtr Parser::sequence_value() {
  const std::size_t first = at_;
  const bool call = at("(", 1);
  const std::string function = at("next") ? "NEXTVAL" : at("previous") ? "LASTVAL" : "";
  at_ += call ? 2 : 3;
  const Name sequence = qualified_name(2);
  if (!call)
    return make::expr(Verbatim{function + "(" + quote_name(sequence) + ")", "nextval", {}});
  while (!at(")") && !at_end()) ++at_;
  expect(")");
  std::string text = source(first, at_);
  return make::expr(Verbatim{std::move(text), "nextval", {}});
}

bool Parser::at_query(std::size_t index) const {
  std::size_t open = index;
  const auto is = [&](std::size_t i, std::string_view word) {
    return i < end_ && words_[i].kind != Token::Kind::quoted_identifier && words_[i].word == word;
  };
  while (is(open, "(")) ++open;
  if (open == index) return false;
  if (!is(open, "select") && !is(open, "with") && !is(open, "values") && !is(open, "table"))
    return false;
  // VALUES(a) is a call, VALUES (1) a query.
  if (is(open, "values")) {
    std::size_t i = open + 2;
    while (i < end_ && (is(i, ".") || (words_[i].kind == Token::Kind::identifier ||
                                       words_[i].kind == Token::Kind::quoted_identifier)))
      ++i;
    if (i > open + 2 && is(i, ")")) return false;
  }
  // Of ((SELECT …) …) the outer one is a query's only if a query goes on after the inner one.
  for (std::size_t inner = open - 1; inner > index; --inner) {
    if (words_[inner].closing < 0) return false;
    const auto next = static_cast<std::size_t>(words_[inner].closing) + 1;
    const bool goes_on = is(next, ")") || is(next, "union") || is(next, "except") ||
                         is(next, "intersect") || is(next, "order") || is(next, "limit") ||
                         is(next, "offset") || is(next, "fetch") || is(next, "for") ||
                         is(next, "lock");
    if (!goes_on) return false;
  }
  return true;
}

SelectPtr Parser::subquery() {
  const Deeper deeper(*this);
  expect("(");
  SelectPtr out = query(false);
  expect(")");
  return out;
}

}  // namespace anabranch::rewriter::mysql
