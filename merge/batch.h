#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
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
  /// Throws SqlError 08P01 when the frame is not a DataRow's, 54000 beyond 4 GiB.
  void append_message(std::string_view message);
  void append_payload(std::string_view payload);
  /// Messages back to back, as bytes() gives them.
  void append_messages(std::string_view messages);
  /// A row of another batch: its frame is known to be good.
  void append_row(const Batch& other, std::size_t index);
  /// Rows as message() gives them.
  void append_rows(std::span<const std::string_view> messages);
  std::size_t size() const { return offsets_.size(); }
  bool empty() const { return offsets_.empty(); }
  std::size_t byte_size() const { return bytes_.size(); }
  RowView row(std::size_t index) const;
  /// A whole row as it stands in bytes(), type byte and length included.
  std::string_view message(std::size_t index) const;
  /// The same, to change values in place: lengths and bounds stay as they are.
  std::span<char> writable(std::size_t index);
  /// All messages, ready for the client's socket.
  std::string_view bytes() const { return bytes_; }
  void clear();
  void swap(Batch& other) noexcept {
    bytes_.swap(other.bytes_);
    offsets_.swap(other.offsets_);
  }

 private:
  friend class RowWriter;
  void begin_row();
  std::string bytes_;
  std::vector<std::uint32_t> offsets_;  ///< of each message's type byte
};

/// Builds one row at the end of a batch, field by field.
class RowWriter {
 public:
  RowWriter(Batch& batch, int field_count);
  void add(std::optional<std::string_view> field);
  /// Fields already framed as in a DataRow: length and bytes, one after another.
  void add_framed(std::string_view fields);
  /// For encoders that append: begin, append to the bytes, end.
  std::string& begin_field();
  void end_field();
  /// Back-patches the lengths; every field must have been added.
  void finish();

 private:
  Batch& batch_;
  std::size_t start_;
  std::size_t field_ = 0;
};

}  // namespace anabranch::merge
