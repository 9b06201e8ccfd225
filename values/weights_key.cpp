#include "values/weights_key.h"

#include "values/errors.h"
#include "values/key_bytes.h"

namespace anabranch::values {
namespace {

/// How what remains of a string compares with pad units without end. A string is over at `equal`.
constexpr char kLess = 1, kEqual = 2, kGreater = 3;

[[noreturn]] void malformed() {
  throw make_error(ErrorId::invalid_binary, "collation weights");
}

std::string_view without_trailing(std::string_view weights, std::string_view pad) {
  while (weights.ends_with(pad)) weights.remove_suffix(pad.size());
  return weights;
}

/// As MyRocks packs strings that are padded with spaces: a flag before each unit, so that a string that is over
/// sorts among those that go on as its padding would. Units are of one size and need no escapes.
void append_padded(std::string_view weights, std::string_view pad, std::string& out) {
  weights = without_trailing(weights, pad);
  char flag = kEqual;
  size_t decided = 0;  // up to here `flag` holds: the first unit that is not the pad
  for (size_t at = 0; at < weights.size(); at += pad.size()) {
    if (at >= decided) {
      decided = at;
      while (weights.substr(decided, pad.size()) == pad) decided += pad.size();
      flag = weights.substr(decided, pad.size()) < pad ? kLess : kGreater;
      decided += pad.size();
    }
    out.push_back(flag);
    out.append(weights.substr(at, pad.size()));
  }
  out.push_back(kEqual);
}

}  // namespace

void append_weights_key(std::string_view value, std::string& out) {
  if (value.empty()) malformed();
  const size_t size = static_cast<unsigned char>(value.front());
  if (value.size() < 1 + size) malformed();
  const std::string_view pad = value.substr(1, size);
  const std::string_view weights = value.substr(1 + size);
  out.push_back(value.front());
  if (size == 0) return append_bytes_key(out, weights);
  if (weights.size() % size != 0) malformed();
  append_padded(weights, pad, out);
}

}  // namespace anabranch::values
