#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/placement.h"

namespace anabranch::router {

/// A key computed from columns: `+ - * / %`, toYYYYMM, toYYYYMMDD, toYear, toMonday, lower, left,
/// crc32, intHash64, xxh64, over columns and constants (docs/configuration.md, "Expressions").
/// Evaluated by the proxy, exactly and without any session setting. Immutable, cheap to copy.
class KeyExpression {
 public:
  struct Error {
    std::size_t offset = 0;  // in the text, bytes
    std::string message;
  };
  struct Node;

  static std::expected<KeyExpression, Error> parse(std::string_view text);

  const std::string& text() const { return text_; }

  /// The columns it reads, each once, in the order of their first mention.
  const std::vector<std::string>& columns() const { return columns_; }

  /// What type the scheme's key has, given the types of the columns; an error if a function does
  /// not take its argument. A timestamptz column is `timestamp`, taken in UTC.
  std::expected<KeyType, Error> type(std::span<const KeyType> column_types) const;

  /// The type of the key as far as it is known without the columns'; nothing for a bare column.
  std::optional<KeyType> result_type() const;

  /// The key of one row: `values` are those of columns(), of the types given to type(). NULL in any
  /// gives NULL. Nothing: the value can't be computed (overflow, division by zero, a letter that
  /// `lower` refuses, a date out of range): such a row is refused, such a predicate prunes nothing.
  std::optional<KeyValue> evaluate(std::span<const KeyType> column_types,
                                   std::span<const KeyValue> values) const;

  /// +1 if a greater column value never gives a smaller key, -1 if it never gives a greater one;
  /// 0 if that is not so or more than one column is read. Where it is not 0, a range of the column
  /// becomes the range of the evaluated bounds, both inclusive.
  int monotone() const { return monotone_; }

 private:
  KeyExpression() = default;

  std::string text_;
  std::vector<std::string> columns_;
  std::shared_ptr<const Node> root_;
  int monotone_ = 0;
};

}  // namespace anabranch::router
