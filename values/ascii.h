#pragma once

#include <algorithm>
#include <string>
#include <string_view>

/// Letters of ASCII only, whatever the locale: as the server compares keywords and names of settings.
namespace anabranch::values {

constexpr char lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr char upper_case(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

inline std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = lower_case(c);
  return lower;
}

inline std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = upper_case(c);
  return upper;
}

/// `lower` is in lower case already.
inline bool contains_in_any_case(std::string_view text, std::string_view lower) {
  return !std::ranges::search(text, lower, {}, [](char c) { return lower_case(c); }).empty();
}

}  // namespace anabranch::values
