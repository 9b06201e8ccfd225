#pragma once

#include <algorithm>
#include <string_view>

#include "rewriter/lexer.h"
#include "rewriter/shape.h"

namespace anabranch::rewriter {

// The longest decimal texts (leading zeros aside) that still may be an int4, an int8.
inline LiteralToken::Kind integer_kind(std::string_view digits) {
  if (digits.size() < 10) return LiteralToken::Kind::integer;
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  const auto within = [&](std::string_view largest) {
    return digits.size() < largest.size() || (digits.size() == largest.size() && digits <= largest);
  };
  if (within("2147483647")) return LiteralToken::Kind::integer;
  return within("9223372036854775807") ? LiteralToken::Kind::bigint : LiteralToken::Kind::numeric;
}

inline bool is_literal(Token::Kind kind) {
  return kind == Token::Kind::integer || kind == Token::Kind::real || kind == Token::Kind::string ||
         kind == Token::Kind::bit_string;
}

inline LiteralToken::Kind literal_kind(Token::Kind kind, std::string_view text) {
  switch (kind) {
    case Token::Kind::integer:
      return integer_kind(text);
    case Token::Kind::real:
      return LiteralToken::Kind::numeric;
    case Token::Kind::string:
      return LiteralToken::Kind::string;
    default:
      return LiteralToken::Kind::bit_string;
  }
}

}  // namespace anabranch::rewriter
