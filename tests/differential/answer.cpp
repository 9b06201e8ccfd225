#include "answer.h"

#include <fmt/format.h>

#include <algorithm>

namespace anabranch::differential {

const Result* Answer::error() const {
  for (const Result& result : results) {
    if (result.kind == Result::Kind::error) return &result;
  }
  return nullptr;
}

const char* name_of(Form form) {
  switch (form) {
    case Form::simple:
      return "simple";
    case Form::extended_text:
      return "extended-text";
    case Form::extended_binary:
      return "extended-binary";
    case Form::cursor:
      return "cursor";
  }
  return "?";
}

namespace {
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20;
}

std::string printed(const Value& value) {
  if (!value) return "NULL";
  if (std::ranges::none_of(*value, is_control)) return fmt::format("'{}'", *value);
  std::string hex = "0x";
  for (const char c : *value) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}
}  // namespace

std::string printed(const Row& row) {
  std::string out;
  for (const Value& value : row) {
    if (!out.empty()) out += " | ";
    out += printed(value);
  }
  return out;
}

}  // namespace anabranch::differential
