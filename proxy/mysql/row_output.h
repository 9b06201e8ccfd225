#pragma once

#include <span>
#include <string>
#include <vector>

#include "merge/batch.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/rows.h"
#include "net/mysql/text_to_binary.h"
#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// A merged answer on its way to the client, in the text or the binary protocol.
class RowOutput {
 public:
  RowOutput(State& state, const rewriter::Plan& plan, bool binary);

  /// What the first of the shards says of its rows' columns: of those that are passed on it knows more than whoever
  /// has described the statement. Before all else.
  void describe(std::span<const std::string> partial);
  /// Of an answer that a shard has computed. Throws where its types are not those that are told.
  void check_computed(std::span<const std::string> definitions) const;
  /// Waits while the client reads too slowly. Throws SessionLost where it is gone.
  net::Task<void> take(const merge::Batch& rows);
  void finish(std::uint16_t warnings);
  /// Rows so far.
  std::uint64_t rows() const { return rows_; }
  /// The row's values as SQL of the same types. Throws 0A000 where that cannot be told.
  std::vector<std::string> literals(const merge::RowView& row);

  // Of a cursor, whose rows are written when they are fetched.
  void open_cursor(std::uint16_t warnings);
  void write(const merge::RowView& row);
  net::Task<void> send();

 private:
  /// How a merged value, which is text, becomes what the server would have sent.
  enum class Form : std::uint8_t {
    as_it_is,
    decimal,  ///< with so many decimals
    real,
    bits,  ///< a number without a sign, which the merge has with one
  };
  struct Column {
    Form form = Form::as_it_is;
    net::mysql::FieldType type{};
    bool is_unsigned = false;
    int decimals = 0;
    std::optional<std::size_t> exact;  ///< the field with all its digits
  };

  net::mysql::ColumnDefinition41 read(const std::string& definition) const;
  bool is_passed_on(int output) const;
  Column column_of(std::size_t output) const;
  void begin();
  net::mysql::Field with_all_digits(std::size_t output);
  net::mysql::Field formed(const Column& column, const net::mysql::Field& value);
  std::string literal(const Column& column, std::string_view value) const;
  net::mysql::Field in_binary(const Column& column, const net::mysql::Field& value);

  State& state_;
  const rewriter::Plan& plan_;
  const bool binary_;
  bool begun_ = false;
  std::uint64_t rows_ = 0;
  std::vector<std::string> definitions_;
  std::vector<Column> columns_;
  std::vector<net::mysql::Field> fields_;
  std::string text_;  ///< of the value that is written
  net::mysql::BinaryScratch scratch_;
};

}  // namespace anabranch::proxy::mysql
