#include <algorithm>
#include <array>
#include <cctype>

#include "backends/catalog_reader.h"

namespace anabranch::backends {

namespace {

using router::Volatility;

constexpr auto stable_words = std::to_array<std::string_view>(
    {"CURRENT_CATALOG", "CURRENT_DATE", "CURRENT_ROLE", "CURRENT_SCHEMA", "CURRENT_TIME",
     "CURRENT_TIMESTAMP", "CURRENT_USER", "LOCALTIME", "LOCALTIMESTAMP", "SESSION_USER", "USER"});

// Syntax that takes parentheses and is no function.
constexpr auto syntax_words = std::to_array<std::string_view>(
    {"AND", "ARRAY", "BETWEEN", "CASE", "ELSE", "IN", "NOT", "OR", "THEN", "WHEN"});

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

Volatility worse(Volatility left, Volatility right) {
  const auto rank = [](Volatility v) {
    return v == Volatility::immutable ? 0 : v == Volatility::stable ? 1 : 2;
  };
  return rank(left) >= rank(right) ? left : right;
}

/// Walks an expression as pg_get_expr() prints it.
class Walk {
 public:
  Walk(std::string_view text, const std::vector<router::Function>& functions)
      : text_(text), functions_(functions) {}

  Volatility result() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        quoted_word();
      } else if (c == '\'') {
        skip_quoted('\'');
      } else if (text_.substr(at_).starts_with("::")) {
        cast();
      } else if (is_word(c)) {
        word();
      } else {
        ++at_;
      }
    }
    return found_;
  }

 private:
  std::string_view skip_quoted(char quote) {
    const std::size_t start = ++at_;
    while (at_ < text_.size()) {
      if (text_[at_] == quote && at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
        ++at_;
      } else if (text_[at_] == quote) {
        break;
      }
      ++at_;
    }
    const std::string_view inside = text_.substr(start, at_ - start);
    at_ = std::min(at_ + 1, text_.size());
    literal_ = quote == '\'';
    text_of_literal_ = literal_ ? inside : std::string_view();
    casts_ = 0;
    return inside;
  }

  bool calls() const { return at_ < text_.size() && text_[at_] == '('; }

  void quoted_word() {
    const std::string_view name = skip_quoted('"');
    if (calls()) call(name);
  }

  void word() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    const std::string_view name = text_.substr(start, at_ - start);
    // The prefix of E'…'.
    if (name == "E" && at_ < text_.size() && text_[at_] == '\'') return;
    literal_ = std::isdigit(static_cast<unsigned char>(name.front())) != 0;
    if (std::ranges::find(stable_words, name) != stable_words.end()) {
      found_ = worse(found_, Volatility::stable);
    } else if (calls() && std::ranges::find(syntax_words, name) == syntax_words.end()) {
      call(name);
    }
  }

  void call(std::string_view name) {
    bool known = false;
    for (const router::Function& function : functions_) {
      if (function.name != name) continue;
      known = true;
      found_ = worse(found_, function.volatility);
    }
    if (!known) found_ = Volatility::volatile_;
    literal_ = false;
  }

  // Of a literal it is a constant; of anything else it may depend on settings (times, money…), and
  // a second one of 'now' on the clock: ('now'::text)::date.
  void cast() {
    at_ += 2;
    ++casts_;
    const bool late = casts_ > 1 && !text_of_literal_.empty();
    if (!literal_ || late) found_ = worse(found_, Volatility::stable);
    while (at_ < text_.size() && text_[at_] == '"') skip_quoted('"');
    while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '.')) ++at_;
    literal_ = true;
  }

  std::string_view text_;
  const std::vector<router::Function>& functions_;
  std::size_t at_ = 0;
  Volatility found_ = Volatility::immutable;
  bool literal_ = false;
  std::string_view text_of_literal_;  ///< of the last one in quotes
  int casts_ = 0;                     ///< since then
};

}  // namespace

Volatility default_volatility(std::string_view expression,
                              const std::vector<router::Function>& functions) {
  return Walk(expression, functions).result();
}

}  // namespace anabranch::backends
