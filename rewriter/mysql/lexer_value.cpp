#include "rewriter/mysql/lexer.h"

namespace anabranch::rewriter::mysql {
namespace {

char unescaped(char c) {
  switch (c) {
    case '0':
      return '\0';
    case 'b':
      return '\b';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'Z':
      return '\x1a';
    default:
      return c;
  }
}

/// Walks over one or more quoted strings with white space and comments between them.
class StringReader {
 public:
  StringReader(std::string_view token, bool backslashes) : token_(token), escapes_(backslashes) {}

  std::string run(bool first_only) {
    while (at_ < token_.size()) {
      const char c = token_[at_];
      if (c == '\'' || c == '"') {
        piece(c);
        if (first_only) break;
      } else if (c == '/') {
        at_ = after("*/", at_ + 2);
      } else if (c == '#' || c == '-') {
        at_ = after("\n", at_);
      } else {
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  std::size_t after(std::string_view end, std::size_t from) const {
    const std::size_t found = token_.find(end, from);
    return found == std::string_view::npos ? token_.size() : found + end.size();
  }

  void piece(char quote) {
    for (++at_; at_ < token_.size(); ++at_) {
      const char c = token_[at_];
      if (c == '\\' && escapes_ && at_ + 1 < token_.size()) {
        const char next = token_[++at_];
        if (next == '%' || next == '_') out_ += '\\';
        out_ += unescaped(next);
      } else if (c == quote) {
        if (at_ + 1 >= token_.size() || token_[at_ + 1] != quote) {
          ++at_;
          return;
        }
        out_ += token_[++at_];
      } else {
        out_ += c;
      }
    }
  }

  std::string_view token_;
  bool escapes_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string literal_value(std::string_view token, const Mode& mode) {
  if (token.empty()) return {};
  if (token[0] == '\'' || token[0] == '"')
    return StringReader(token, !mode.no_backslash_escapes).run(false);
  if (token.size() > 1 && token[1] == '\'')
    return static_cast<char>(token[0] | 0x20) + std::string(token.substr(2, token.size() - 3));
  if (token.size() > 1 && token[0] == '0' && (token[1] == 'x' || token[1] == 'b'))
    return std::string(token.substr(1));
  return std::string(token);
}

std::string first_string(std::string_view token, const Mode& mode) {
  return StringReader(token, !mode.no_backslash_escapes).run(true);
}

std::string named_gap(std::string_view gap, const Mode& mode) {
  std::string out;
  const auto past = [&](std::string_view end, std::size_t from) {
    const std::size_t found = gap.find(end, from);
    return found == std::string_view::npos ? gap.size() : found + end.size();
  };
  for (std::size_t at = 0; at < gap.size();) {
    const std::string_view here = gap.substr(at);
    std::size_t end = at + 1;
    bool kept = true;
    if (here.starts_with("/*")) {
      const VersionMark mark = version_mark(here, mode);
      kept = mark.length == 0;
      end = mark.read ? at + mark.length : past("*/", at + 2);
      const std::size_t inner = gap.find("/*", at + 2);
      if (!kept && !mark.read && inner < end) end = past("*/", end);  // one comment within it
    } else if (here.starts_with("*/")) {
      kept = false;
      end = at + 2;
    } else if (here[0] == '#' || here.starts_with("--")) {
      end = past("\n", at);
    }
    if (kept) out += gap.substr(at, end - at);
    at = end;
  }
  return out;
}

std::string identifier_value(std::string_view token) {
  if (token.size() < 2 || (token[0] != '`' && token[0] != '"')) return std::string(token);
  std::string out;
  for (std::size_t i = 1; i + 1 < token.size(); ++i) {
    out += token[i];
    if (token[i] == token[0]) ++i;
  }
  return out;
}

bool is_floating(std::string_view number) {
  return number.find_first_of("eE") != std::string_view::npos;
}

}  // namespace anabranch::rewriter::mysql
