#include <optional>

#include "rewriter/lexer.h"

namespace anabranch::rewriter {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::uint32_t> hex_number(std::string_view digits) {
  std::uint32_t value = 0;
  for (char c : digits) {
    const int digit = hex_digit(c);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  return value;
}

bool high_surrogate(std::uint32_t code) {
  return code >= 0xD800 && code < 0xDC00;
}
bool low_surrogate(std::uint32_t code) {
  return code >= 0xDC00 && code < 0xE000;
}

/// Reads the body of a quoted token, one escape at a time.
class Unquoter {
 public:
  Unquoter(std::string_view body, bool backslashes) : body_(body), backslashes_(backslashes) {}

  std::string run() {
    while (at_ < body_.size()) {
      const char c = body_[at_];
      if (c == '\'') {
        closing_quote();
      } else if (c == '\\' && backslashes_) {
        escape();
      } else {
        out_ += c;
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  // Doubled, or the end of one part of a continued string: then on to the next part's opening
  // quote.
  void closing_quote() {
    if (at_ + 1 < body_.size() && body_[at_ + 1] == '\'') {
      out_ += '\'';
      at_ += 2;
      return;
    }
    ++at_;
    while (at_ < body_.size() && body_[at_] != '\'') {
      if (body_[at_] == '-')
        while (at_ < body_.size() && body_[at_] != '\n' && body_[at_] != '\r') ++at_;
      else
        ++at_;
    }
    ++at_;
  }

  void escape() {
    const char c = at_ + 1 < body_.size() ? body_[at_ + 1] : '\\';
    at_ += 2;
    switch (c) {
      case 'b':
        out_ += '\b';
        return;
      case 'f':
        out_ += '\f';
        return;
      case 'n':
        out_ += '\n';
        return;
      case 'r':
        out_ += '\r';
        return;
      case 't':
        out_ += '\t';
        return;
      case 'x':
        return hex_byte();
      case 'u':
        return unicode(4);
      case 'U':
        return unicode(8);
      default:
        break;
    }
    if (c >= '0' && c <= '7') return octal(c);
    out_ += c;
  }

  void octal(char first) {
    unsigned value = static_cast<unsigned>(first - '0');
    for (int i = 0; i < 2 && at_ < body_.size() && body_[at_] >= '0' && body_[at_] <= '7'; ++i)
      value = value * 8 + static_cast<unsigned>(body_[at_++] - '0');
    out_ += static_cast<char>(value);
  }

  void hex_byte() {
    int value = -1;
    for (int i = 0; i < 2 && at_ < body_.size() && hex_digit(body_[at_]) >= 0; ++i)
      value = (value < 0 ? 0 : value) * 16 + hex_digit(body_[at_++]);
    out_ += value < 0 ? 'x' : static_cast<char>(value);
  }

  void unicode(std::size_t digits) {
    const auto code = hex_number(body_.substr(at_, digits));
    if (!code || body_.size() - at_ < digits || *code > 0x10FFFF) {
      out_ += digits == 4 ? 'u' : 'U';
      return;
    }
    at_ += digits;
    if (high_surrogate(*code)) {
      pending_ = *code;
    } else if (low_surrogate(*code) && pending_) {
      append_utf8(out_, 0x10000 + ((*pending_ - 0xD800) << 10) + (*code - 0xDC00));
      pending_.reset();
    } else {
      append_utf8(out_, *code);
    }
  }

  std::string_view body_;
  bool backslashes_;
  std::size_t at_ = 0;
  std::string out_;
  std::optional<std::uint32_t> pending_;
};

// U&'…' with the default escape character. Another one (UESCAPE) is not a part of the token.
std::string unicode_string(std::string_view body) {
  const std::string plain = Unquoter(body, false).run();
  std::string out;
  std::optional<std::uint32_t> pending;
  for (std::size_t i = 0; i < plain.size();) {
    if (plain[i] != '\\') {
      out += plain[i++];
      continue;
    }
    const bool is_long = i + 1 < plain.size() && plain[i + 1] == '+';
    const std::size_t start = i + (is_long ? 2 : 1), digits = is_long ? 6 : 4;
    const auto code = start + digits <= plain.size()
                          ? hex_number(std::string_view(plain).substr(start, digits))
                          : std::nullopt;
    if (!code || *code > 0x10FFFF) {
      out += '\\';
      i += i + 1 < plain.size() && plain[i + 1] == '\\' ? 2 : 1;
      continue;
    }
    i = start + digits;
    if (high_surrogate(*code)) {
      pending = *code;
    } else if (low_surrogate(*code) && pending) {
      append_utf8(out, 0x10000 + ((*pending - 0xD800) << 10) + (*code - 0xDC00));
      pending.reset();
    } else {
      append_utf8(out, *code);
    }
  }
  return out;
}

std::string quoted_value(std::string_view token, std::size_t prefix, bool backslashes) {
  return Unquoter(token.substr(prefix + 1, token.size() - prefix - 2), backslashes).run();
}

}  // namespace

std::string literal_value(std::string_view token, bool standard_conforming_strings) {
  if (token.empty()) return {};
  const char first = token[0];
  if (first == '\'') return quoted_value(token, 0, !standard_conforming_strings);
  if (first == '$') {
    const std::size_t tag = token.find('$', 1) + 1;
    return std::string(token.substr(tag, token.size() - 2 * tag));
  }
  switch (first | 0x20) {
    case 'e':
      return quoted_value(token, 1, true);
    case 'b':
      return "b" + quoted_value(token, 1, false);
    case 'x':
      return "x" + quoted_value(token, 1, false);
    case 'u':
      return unicode_string(token.substr(3, token.size() - 4));
    default:
      return std::string(token);
  }
}

}  // namespace anabranch::rewriter
