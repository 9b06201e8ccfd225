#include "proxy/mysql/row_numbers.h"

#include <charconv>

namespace anabranch::proxy::mysql {

namespace {

struct Digits {
  std::size_t begin = 0;
  std::size_t length = 0;
  std::uint64_t number = 0;  ///< 0: there are none
};

Digits digits_of(std::string_view message) {
  constexpr std::string_view in_front = "Row ";
  constexpr std::string_view behind = " at row ";
  Digits digits;
  if (const std::size_t at = message.rfind(behind); at != std::string_view::npos) {
    digits.begin = at + behind.size();
  } else if (message.starts_with(in_front)) {
    digits.begin = in_front.size();
  } else {
    return digits;
  }
  const char* begin = message.data() + digits.begin;
  const auto read = std::from_chars(begin, message.data() + message.size(), digits.number);
  digits.length = static_cast<std::size_t>(read.ptr - begin);
  return digits;
}

}  // namespace

void RowNumbers::add(std::uint32_t shard, std::uint64_t row, std::size_t bytes) {
  auto own = of_.find(shard);
  if (own == of_.end()) own = of_.emplace(shard, budget_).first;
  own->second.add(row, 1, bytes);
}

std::string RowNumbers::renumbered(std::string message, std::uint32_t shard) const {
  const Digits digits = digits_of(message);
  const auto own = of_.find(shard);
  if (digits.number == 0 || own == of_.end()) return message;
  const auto row = own->second.client_line(digits.number);
  if (row) return message.replace(digits.begin, digits.length, std::to_string(*row));
  return message.insert(digits.begin + digits.length, " of a shard");
}

std::uint64_t row_of_message(std::string_view message) { return digits_of(message).number; }

}  // namespace anabranch::proxy::mysql
