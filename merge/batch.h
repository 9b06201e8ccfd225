#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace anabranch::merge {

/// A view of one row's fields: the payload of a DataRow (PostgreSQL protocol 3: int16 count, then
/// for each field int32 length, -1 for NULL, and the bytes). The bytes belong to the batch.
class RowView {
 public:
  explicit RowView(std::string_view payload) : payload_(payload) {}
  std::string_view payload() const { return payload_; }
  int field_count() const;
  /// Splits the row; throws SqlError 08P01 when lengths run past the payload. `fields` is reused.
  void split(std::vector<std::optional<std::string_view>>& fields) const;

 private:
  std::string_view payload_;
};

/// Rows in one buffer: whole DataRow messages ('D', int32 length, payload) back to back, exactly as
/// on the wire, so that rows which need no change are sent on without being touched.
class Batch {
 public:
  /// Appends a whole DataRow message, or (append_payload) frames a payload as one.
  void append_message(std::string_view message);
  void append_payload(std::string_view payload);
  std::size_t size() const { return offsets_.size(); }
  bool empty() const { return offsets_.empty(); }
  std::size_t byte_size() const { return bytes_.size(); }
  RowView row(std::size_t index) const;
  /// All messages, ready for the client's socket.
  std::string_view bytes() const { return bytes_; }
  void clear();

 private:
  friend class RowWriter;
  std::string bytes_;
  std::vector<std::uint32_t> offsets_;  ///< of each message's type byte
};

/// Builds one row at the end of a batch, field by field.
class RowWriter {
 public:
  RowWriter(Batch& batch, int field_count);
  void add(std::optional<std::string_view> field);
  /// Back-patches the lengths; every field must have been added.
  void finish();

 private:
  Batch& batch_;
  std::size_t start_;
};

}  // namespace anabranch::merge
