#include "values/array.h"

#include <charconv>
#include <limits>

#include "values/codec.h"
#include "values/errors.h"

namespace anabranch::values {

namespace {

class TextParser {
 public:
  TextParser(std::string_view text, std::string_view type_name)
      : text_(text), rest_(text), type_(type_name) {}

  ArrayValue parse() {
    const size_t declared = parse_bounds();
    parse_level(0);
    if (!rest_.empty()) fail();
    if (array_.elements.empty()) array_.dimensions = 0;
    if (declared != 0) check_declared(declared);
    return std::move(array_);
  }

 private:
  [[noreturn]] void fail() const {
    throw make_error(ErrorId::invalid_text, type_, text_.substr(0, 100));
  }

  bool skip(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char wanted) {
    if (!skip(wanted)) fail();
  }

  int32_t integer() {
    int32_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{}) fail();
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }

  /// "[lower:upper]…=" before the braces; answers how many dimensions it declares.
  size_t parse_bounds() {
    array_.lower_bounds.fill(1);
    size_t count = 0;
    while (skip('[')) {
      if (count == ArrayValue::kMaxDimensions) fail();
      const int32_t lower = integer();
      expect(':');
      const int64_t size = int64_t{integer()} - lower + 1;
      expect(']');
      if (size < 1 || size > std::numeric_limits<int32_t>::max()) fail();
      array_.lower_bounds[count] = lower;
      declared_[count++] = static_cast<int32_t>(size);
    }
    if (count != 0) expect('=');
    return count;
  }

  void check_declared(size_t count) const {
    if (count != array_.dimensions) fail();
    for (size_t i = 0; i < count; ++i) {
      if (declared_[i] != array_.sizes[i]) fail();
    }
  }

  /// One pair of braces, at most six deep; siblings must have the same number of members.
  void parse_level(size_t depth) {
    expect('{');
    if (depth == ArrayValue::kMaxDimensions) fail();
    int32_t members = 0;
    if (depth == 0 && skip('}')) return;
    do {
      if (!rest_.empty() && rest_.front() == '{') {
        if (leaf_depth_ && *leaf_depth_ <= depth) fail();
        parse_level(depth + 1);
      } else {
        parse_element(depth);
      }
      ++members;
    } while (skip(','));
    expect('}');
    if (array_.sizes[depth] != 0 && array_.sizes[depth] != members) fail();
    array_.sizes[depth] = members;
  }

  void parse_element(size_t depth) {
    if (leaf_depth_ && *leaf_depth_ != depth) fail();
    leaf_depth_ = depth;
    array_.dimensions = depth + 1;
    if (skip('"')) {
      parse_quoted();
      return;
    }
    const size_t length = rest_.find_first_of(",{}\"\\");
    if (length == 0 || length == std::string_view::npos) fail();
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    if (rest_.front() != ',' && rest_.front() != '}') fail();
    if (word == "NULL") {
      array_.elements.emplace_back(std::nullopt);
    } else {
      array_.elements.emplace_back(word);
    }
  }

  void parse_quoted() {
    const size_t plain = rest_.find_first_of("\"\\");
    if (plain == std::string_view::npos) fail();
    if (rest_[plain] == '"') {
      array_.elements.emplace_back(rest_.substr(0, plain));
      rest_.remove_prefix(plain + 1);
      return;
    }
    std::string& text = array_.unescaped.emplace_back();
    while (!skip('"')) {
      if (skip('\\') && rest_.empty()) fail();
      if (rest_.empty()) fail();
      text.push_back(rest_.front());
      rest_.remove_prefix(1);
    }
    array_.elements.emplace_back(text);
  }

  std::string_view text_;
  std::string_view rest_;
  std::string_view type_;
  ArrayValue array_;
  std::array<int32_t, ArrayValue::kMaxDimensions> declared_{};
  std::optional<size_t> leaf_depth_;
};

}  // namespace

ArrayValue parse_array_binary(std::string_view bytes, Oid element_oid, std::string_view type_name) {
  BinaryReader in(bytes, type_name);
  const auto dimensions = in.read<int32_t>();
  const auto flags = in.read<int32_t>();
  const auto element = in.read<uint32_t>();
  if (dimensions < 0 || static_cast<size_t>(dimensions) > ArrayValue::kMaxDimensions ||
      (flags != 0 && flags != 1) || (element_oid != 0 && element != element_oid))
    in.fail();
  ArrayValue array;
  array.dimensions = static_cast<size_t>(dimensions);
  uint64_t count = dimensions == 0 ? 0 : 1;
  for (size_t i = 0; i < array.dimensions; ++i) {
    array.sizes[i] = in.read<int32_t>();
    array.lower_bounds[i] = in.read<int32_t>();
    if (array.sizes[i] < 0) in.fail();
    count *= static_cast<uint64_t>(array.sizes[i]);
    if (count > bytes.size() / 4) in.fail();  // each element takes at least its length
  }
  if (count == 0) array.dimensions = 0;
  array.elements.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    const auto length = in.read<int32_t>();
    if (length < -1) in.fail();
    if (length == -1) {
      array.elements.emplace_back(std::nullopt);
    } else {
      array.elements.emplace_back(in.bytes(static_cast<size_t>(length)));
    }
  }
  in.expect_end();
  return array;
}

ArrayValue parse_array_text(std::string_view text, std::string_view type_name) {
  return TextParser(text, type_name).parse();
}

}  // namespace anabranch::values
