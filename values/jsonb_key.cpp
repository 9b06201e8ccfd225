#include "values/jsonb_key.h"

#include "values/decimal.h"
#include "values/errors.h"
#include "values/key_bytes.h"

namespace anabranch::values {

namespace {

/// In the order in which jsonb sorts kinds of values within a container.
enum class Kind : char { null = 1, string = 2, number = 3, boolean = 4, array = 5, object = 6 };

class Writer {
 public:
  Writer(std::string_view text, const Collation& collation, std::string& out)
      : text_(text), rest_(text), collation_(collation), out_(out) {}

  void write() {
    skip_space();
    // A scalar on its own is stored as an array of one, marked as raw.
    const bool raw = rest_.empty() || (rest_.front() != '[' && rest_.front() != '{');
    if (raw) {
      put(Kind::array);
      append_be(out_, uint32_t{1});
      out_.push_back(1);
    }
    value(0);
    skip_space();
    if (!rest_.empty()) fail();
  }

 private:
  static constexpr int kMaxDepth = 2000;

  [[noreturn]] void fail() const {
    throw make_error(ErrorId::invalid_text, "jsonb", text_.substr(0, 100));
  }

  void put(Kind kind) { out_.push_back(static_cast<char>(kind)); }

  void skip_space() {
    const size_t at = rest_.find_first_not_of(" \t\n\r");
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }

  bool skip(char wanted) {
    skip_space();
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect_word(std::string_view word) {
    if (!rest_.starts_with(word)) fail();
    rest_.remove_prefix(word.size());
  }

  void value(int depth) {
    if (depth > kMaxDepth)
      throw make_error(ErrorId::statement_too_complex, "A jsonb value is nested too deeply.");
    skip_space();
    if (rest_.empty()) fail();
    switch (rest_.front()) {
      case '[':
        return array(depth);
      case '{':
        return object(depth);
      case '"':
        put(Kind::string);
        return append_text_key(out_, string(), collation_);
      case 'n':
        put(Kind::null);
        return expect_word("null");
      case 't':
        put(Kind::boolean);
        out_.push_back(1);
        return expect_word("true");
      case 'f':
        put(Kind::boolean);
        out_.push_back(0);
        return expect_word("false");
      default:
        return number();
    }
  }

  /// Containers begin with their number of members, which is known only at their end.
  size_t reserve_count() {
    const size_t at = out_.size();
    append_be(out_, uint32_t{0});
    return at;
  }

  void store_count(size_t at, uint32_t count) {
    std::string bytes;
    append_be(bytes, count);
    out_.replace(at, bytes.size(), bytes);
  }

  void array(int depth) {
    rest_.remove_prefix(1);
    put(Kind::array);
    const size_t at = reserve_count();
    out_.push_back(2);
    uint32_t count = 0;
    if (skip(']')) return;
    do {
      value(depth + 1);
      ++count;
    } while (skip(','));
    if (!skip(']')) fail();
    store_count(at, count);
  }

  void object(int depth) {
    rest_.remove_prefix(1);
    put(Kind::object);
    const size_t at = reserve_count();
    uint32_t count = 0;
    if (skip('}')) return;
    do {
      skip_space();
      if (rest_.empty() || rest_.front() != '"') fail();
      put(Kind::string);
      append_text_key(out_, string(), collation_);
      if (!skip(':')) fail();
      value(depth + 1);
      ++count;
    } while (skip(','));
    if (!skip('}')) fail();
    store_count(at, count);
  }

  void number() {
    const size_t length = rest_.find_first_not_of("+-.0123456789eE");
    const std::string_view digits = rest_.substr(0, length);
    if (digits.empty()) fail();
    put(Kind::number);
    Decimal::parse(digits).append_key(out_);
    rest_.remove_prefix(digits.size());
  }

  std::string_view string() {
    rest_.remove_prefix(1);
    const size_t plain = rest_.find_first_of("\"\\");
    if (plain == std::string_view::npos) fail();
    if (rest_[plain] == '"') {
      const std::string_view text = rest_.substr(0, plain);
      rest_.remove_prefix(plain + 1);
      return text;
    }
    buffer_.clear();
    for (;;) {
      if (rest_.empty()) fail();
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return buffer_;
      if (c == '\\') {
        escape();
      } else {
        buffer_.push_back(c);
      }
    }
  }

  void escape() {
    if (rest_.empty()) fail();
    const char c = rest_.front();
    rest_.remove_prefix(1);
    constexpr std::string_view kFrom = "\"\\/bfnrt";
    constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (const size_t at = kFrom.find(c); at != std::string_view::npos) {
      buffer_.push_back(kTo[at]);
      return;
    }
    if (c != 'u') fail();
    uint32_t code = hex4();
    if (code >= 0xD800 && code < 0xDC00) {
      expect_word("\\u");
      const uint32_t low = hex4();
      if (low < 0xDC00 || low > 0xDFFF) fail();
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(code);
  }

  uint32_t hex4() {
    if (rest_.size() < 4) fail();
    uint32_t code = 0;
    for (const char c : rest_.substr(0, 4)) {
      constexpr std::string_view kHex = "0123456789abcdef";
      const size_t digit = kHex.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
      if (digit == std::string_view::npos) fail();
      code = code * 16 + static_cast<uint32_t>(digit);
    }
    rest_.remove_prefix(4);
    return code;
  }

  void append_utf8(uint32_t code) {
    const auto tail = [&](int shift) {
      buffer_.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3F)));
    };
    if (code < 0x80) {
      buffer_.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
      buffer_.push_back(static_cast<char>(0xC0 | (code >> 6)));
      tail(0);
    } else if (code < 0x10000) {
      buffer_.push_back(static_cast<char>(0xE0 | (code >> 12)));
      tail(6);
      tail(0);
    } else {
      buffer_.push_back(static_cast<char>(0xF0 | (code >> 18)));
      tail(12);
      tail(6);
      tail(0);
    }
  }

  std::string_view text_;
  std::string_view rest_;
  const Collation& collation_;
  std::string& out_;
  std::string buffer_;
};

}  // namespace

void append_jsonb_key(std::string_view text, const Collation& collation, std::string& out) {
  Writer(text, collation, out).write();
}

}  // namespace anabranch::values
