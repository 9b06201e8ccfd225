#include "rewriter/mysql/parser.h"

#include <algorithm>

#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/names.h"
#include "rewriter/mysql/parse.h"
#include "values/ascii.h"
#include "values/sql_error.h"

namespace anabranch::rewriter::mysql {

using namespace tree;

Parser::Parser(std::string_view text, const Shape& shape, const Mode& mode)
    : text_(text),
      shape_(shape),
      mode_(mode),
      lower_(values::lower_case(text)),
      printed_(shape.literals().size(), false),
      named_(shape.literals().size(), false) {
  read_words();
}

void Parser::read_words() {
  Lexer lexer(text_, mode_);
  std::vector<std::size_t> open;
  std::size_t literals = 0;
  for (;;) {
    const Token token = lexer.next();
    Word word;
    word.kind = token.kind;
    word.offset = token.offset;
    word.end = token.offset + token.length;
    word.space_before = token.space_before;
    word.text = text_.substr(token.offset, token.length);
    word.word = std::string_view(lower_).substr(token.offset, token.length);
    const bool is_literal = token.kind == Token::Kind::integer || token.kind == Token::Kind::real ||
                            token.kind == Token::Kind::string ||
                            token.kind == Token::Kind::bit_string;
    const auto& known = shape_.literals();
    if (is_literal && literals < known.size() && known[literals].offset == token.offset)
      word.literal = static_cast<int>(literals++);
    if (token.kind == Token::Kind::punctuation && word.text == "(") open.push_back(words_.size());
    if (token.kind == Token::Kind::punctuation && word.text == ")" && !open.empty()) {
      words_[open.back()].closing = static_cast<int>(words_.size());
      open.pop_back();
    }
    words_.push_back(word);
    if (token.kind == Token::Kind::end || token.kind == Token::Kind::bad) break;
  }
  end_ = words_.size() - 1;
}

Parser::Deeper::Deeper(Parser& owner, int weight) : owner_(owner), weight_(weight) {
  constexpr int deepest = 2000;
  owner_.depth_ += weight;
  if (owner_.depth_ <= deepest) return;
  owner_.depth_ -= weight;
  throw values::SqlError("54001", "statement is nested too deeply");
}

const Word& Parser::here(std::size_t ahead) const {
  static const Word nothing{};
  return at_ + ahead < end_ ? words_[at_ + ahead] : at_ + ahead == end_ ? words_[end_] : nothing;
}

bool Parser::at(std::string_view word, std::size_t ahead) const {
  if (at_ + ahead >= end_) return false;
  const Word& found = words_[at_ + ahead];
  const bool fixed = found.kind == Token::Kind::identifier ||
                     found.kind == Token::Kind::operators || found.kind == Token::Kind::punctuation;
  return fixed && found.word == word;
}

bool Parser::at_words(std::initializer_list<std::string_view> words) const {
  std::size_t ahead = 0;
  for (const std::string_view word : words)
    if (!at(word, ahead++)) return false;
  return true;
}

bool Parser::at_any(std::initializer_list<std::string_view> words) const {
  for (const std::string_view word : words)
    if (at(word)) return true;
  return false;
}

bool Parser::accept(std::string_view word) {
  if (!at(word)) return false;
  ++at_;
  return true;
}

bool Parser::accept_words(std::initializer_list<std::string_view> words) {
  if (!at_words(words)) return false;
  at_ += words.size();
  return true;
}

void Parser::expect(std::string_view word) {
  if (!accept(word)) fail();
}

void Parser::fail() const {
  throw Failure{at_ < words_.size() ? words_[at_].offset
                                    : static_cast<std::uint32_t>(text_.size())};
}

bool Parser::at_end() const {
  return at_ >= end_;
}

bool Parser::at_name(std::size_t ahead) const {
  if (at_ + ahead >= end_) return false;
  const Word& word = words_[at_ + ahead];
  if (word.kind == Token::Kind::quoted_identifier) return true;
  return word.kind == Token::Kind::identifier && !is_reserved(word.word);
}

std::string Parser::name() {
  if (!at_name()) fail();
  return identifier_value(words_[at_++].text);
}

std::string Parser::any_name() {
  const Word& word = here();
  if (at_end() ||
      (word.kind != Token::Kind::identifier && word.kind != Token::Kind::quoted_identifier))
    fail();
  ++at_;
  return identifier_value(word.text);
}

Name Parser::qualified_name(std::size_t most) {
  Name out;
  out.push_back(name());
  while (out.size() < most && at(".") && !at("*", 1)) {
    ++at_;
    out.push_back(any_name());
  }
  return out;
}

std::string Parser::name_or_string() {
  if (here().kind == Token::Kind::string && !at_end()) return value_of(words_[at_++]);
  return any_name();
}

std::vector<std::string> Parser::name_list() {
  std::vector<std::string> out;
  expect("(");
  do out.push_back(name());
  while (accept(","));
  expect(")");
  return out;
}

std::string Parser::source(std::size_t first, std::size_t end) const {
  if (end <= first) return {};
  const std::uint32_t start = words_[first].offset;
  const std::string_view raw = text_.substr(start, words_[end - 1].end - start);
  // Of a versioned comment it may hold one end only.
  const bool versioned = raw.contains("/*!") || raw.contains("/*M!") || raw.contains("*/");
  return versioned ? named_source(first, end) : std::string(raw);
}

std::string Parser::named_source(std::size_t first, std::size_t end) const {
  std::string out;
  for (std::size_t i = first; i < end; ++i) {
    out += words_[i].text;
    const std::uint32_t gap = words_[i].end;
    if (i + 1 < end) out += named_gap(text_.substr(gap, words_[i + 1].offset - gap), mode_);
  }
  return out;
}

void Parser::skip_parenthesis() {
  if (!at("(") || here().closing < 0) fail();
  at_ = static_cast<std::size_t>(here().closing) + 1;
}

std::string Parser::value_of(const Word& word) const {
  return literal_value(word.text, mode_);
}

namespace {

std::string near(std::string_view text, std::uint32_t offset) {
  const std::string_view rest = text.substr(std::min<std::size_t>(offset, text.size()), 80);
  std::size_t line = 1;
  for (const char c : text.substr(0, offset)) line += c == '\n' ? 1 : 0;
  return "You have an error in your SQL syntax near '" + std::string(rest) + "' at line " +
         std::to_string(line);
}

}  // namespace

ParseResult parse(std::string_view text, const Shape& shape, const Mode& mode) {
  try {
    return Parser(text, shape, mode).statements();
  } catch (const Failure& failure) {
    return SyntaxError{"42000", near(text, failure.offset), static_cast<int>(failure.offset) + 1};
  }
}

}  // namespace anabranch::rewriter::mysql
