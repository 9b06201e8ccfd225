#pragma once

#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace anabranch::values::test {

using Fields = std::vector<std::string>;

/// The rows of a file in data/ (data/generate.sql says how it was recorded).
inline std::vector<Fields> recorded(const std::string& name) {
  std::ifstream file(std::string(ANABRANCH_SOURCE_DIR "/tests/unit/values/data/") + name);
  if (!file) throw std::runtime_error("no such recording: " + name);
  std::vector<Fields> rows;
  for (std::string line; std::getline(file, line);) {
    Fields& fields = rows.emplace_back();
    size_t from = 0;
    for (size_t tab = 0; (tab = line.find('\t', from)) != std::string::npos; from = tab + 1)
      fields.push_back(line.substr(from, tab - from));
    fields.push_back(line.substr(from));
  }
  return rows;
}

inline std::string unhex(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

inline std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    text.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return text;
}

}  // namespace anabranch::values::test
