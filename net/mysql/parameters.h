#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string_view>
#include <vector>

#include "net/mysql/command_messages.h"
#include "net/mysql/rows.h"

namespace anabranch::net::mysql {

struct ParameterType {
  FieldType type = FieldType::null;
  bool is_unsigned = false;
  bool operator==(const ParameterType&) const = default;
};

/// The parameters of one prepared statement, as its executions bring them. Kept from one execution
/// to the next, since types are sent only when they have changed; reading allocates nothing.
class BoundParameters {
 public:
  explicit BoundParameters(std::size_t count)
      : types_(count), values_(count), sent_ahead_(count, false) {}

  std::size_t size() const { return types_.size(); }
  /// COM_STMT_SEND_LONG_DATA has brought (some of) the value: executions then leave it out, until
  /// forget_sent_ahead(). False: there is no such parameter.
  bool mark_sent_ahead(std::size_t index);
  bool sent_ahead(std::size_t index) const { return sent_ahead_[index]; }
  /// After an execution, and on COM_STMT_RESET.
  void forget_sent_ahead() { sent_ahead_.assign(sent_ahead_.size(), false); }

  /// Reads ComStmtExecute::parameters. After an error types must be sent anew.
  std::expected<void, DecodeError> read(std::string_view parameters);
  /// Sets one parameter, to be written by encode(). `value` must live until then.
  void set(std::size_t index, ParameterType type, Field value);
  /// An execution with these parameters in place of `head`'s, with types where `send_types`.
  void encode(Buffer& out, Sequence& sequence, const ComStmtExecute& head, bool send_types) const;

  /// What the last read() or set() brought; values are views, in the form that split_binary_row()
  /// gives them, NULL where a value was sent ahead.
  std::span<const ParameterType> types() const { return types_; }
  std::span<const Field> values() const { return values_; }
  /// The last execution brought types along.
  bool types_were_sent() const { return types_were_sent_; }

 private:
  bool read_types(FieldReader& reader);
  bool is_null(std::string_view nulls, std::size_t index) const;

  std::vector<ParameterType> types_;
  std::vector<Field> values_;
  std::vector<bool> sent_ahead_;
  bool known_ = false;  // types have been sent once
  bool types_were_sent_ = false;
};

}  // namespace anabranch::net::mysql
