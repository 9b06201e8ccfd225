#include "merge/batch.h"

#include <limits>

#include "values/codec.h"
#include "values/errors.h"

namespace anabranch::merge {

using values::append_be;
using values::load_be;

namespace {

constexpr std::size_t kFrame = 5;  // 'D' and the length

[[noreturn]] void malformed(std::string_view what) {
  throw values::make_error(values::ErrorId::protocol_violation, what);
}

void store_be32(std::string& bytes, std::size_t at, std::uint32_t value) {
  value = std::byteswap(value);
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

}  // namespace

int RowView::field_count() const {
  if (payload_.size() < 2) malformed("a row without a column count");
  const int count = load_be<std::int16_t>(payload_.data());
  if (count < 0) malformed("a row with a negative column count");
  return count;
}

void RowView::split(std::vector<std::optional<std::string_view>>& fields) const {
  const auto count = static_cast<std::size_t>(field_count());
  std::string_view rest = payload_.substr(2);
  if (count > rest.size() / 4) malformed("a row shorter than its columns");
  fields.clear();
  for (std::size_t i = 0; i < count; ++i) {
    if (rest.size() < 4) malformed("a row that ends inside a column's length");
    const auto length = load_be<std::int32_t>(rest.data());
    rest.remove_prefix(4);
    if (length == -1) {
      fields.emplace_back(std::nullopt);
      continue;
    }
    if (length < 0 || static_cast<std::size_t>(length) > rest.size())
      malformed("a column longer than its row");
    fields.emplace_back(rest.substr(0, static_cast<std::size_t>(length)));
    rest.remove_prefix(static_cast<std::size_t>(length));
  }
  if (!rest.empty()) malformed("a row longer than its columns");
}

namespace {

void check_offset(std::size_t offset) {
  if (offset > std::numeric_limits<std::uint32_t>::max())
    throw values::make_error(values::ErrorId::too_many_bytes, "a batch of rows",
                             std::numeric_limits<std::uint32_t>::max());
}

}  // namespace

void Batch::begin_row() {
  check_offset(bytes_.size());
  offsets_.push_back(static_cast<std::uint32_t>(bytes_.size()));
}

void Batch::append_message(std::string_view message) {
  if (message.size() < kFrame || message.front() != 'D' ||
      load_be<std::uint32_t>(message.data() + 1) != message.size() - 1)
    malformed("a message that is not one row");
  begin_row();
  bytes_.append(message);
}

void Batch::append_messages(std::string_view messages) {
  bytes_.reserve(bytes_.size() + messages.size());
  while (!messages.empty()) {
    if (messages.size() < kFrame) malformed("a message that is not one row");
    const std::size_t size = 1 + std::size_t{load_be<std::uint32_t>(messages.data() + 1)};
    append_message(messages.substr(0, size));
    messages.remove_prefix(std::min(size, messages.size()));
  }
}

void Batch::append_payload(std::string_view payload) {
  if (payload.size() > std::numeric_limits<std::int32_t>::max() - 4)
    throw values::make_error(values::ErrorId::too_many_bytes, "a row",
                             std::numeric_limits<std::int32_t>::max());
  begin_row();
  bytes_.push_back('D');
  append_be(bytes_, static_cast<std::uint32_t>(payload.size() + 4));
  bytes_.append(payload);
}

void Batch::append_row(const Batch& other, std::size_t index) {
  begin_row();
  bytes_.append(other.message(index));
}

namespace {

/// Rows are mostly short: two or four overlapping moves instead of a call.
void copy_row(char* to, std::string_view row) {
  const std::size_t size = row.size();
  if (size > 64 || size < 16) {
    std::memcpy(to, row.data(), size);
    return;
  }
  std::memcpy(to, row.data(), 16);
  if (size > 32) {
    std::memcpy(to + 16, row.data() + 16, 16);
    std::memcpy(to + size - 32, row.data() + size - 32, 16);
  }
  std::memcpy(to + size - 16, row.data() + size - 16, 16);
}

}  // namespace

void Batch::append_rows(std::span<const std::string_view> messages) {
  const std::size_t begin = bytes_.size();
  std::size_t size = begin;
  for (const std::string_view message : messages) {
    check_offset(size);
    offsets_.push_back(static_cast<std::uint32_t>(size));
    size += message.size();
  }
  bytes_.resize_and_overwrite(size, [&](char* bytes, std::size_t) {
    char* at = bytes + begin;
    for (const std::string_view message : messages) {
      copy_row(at, message);
      at += message.size();
    }
    return size;
  });
}

std::string_view Batch::message(std::size_t index) const {
  const std::size_t begin = offsets_[index];
  const std::size_t end = index + 1 < offsets_.size() ? offsets_[index + 1] : bytes_.size();
  return std::string_view(bytes_).substr(begin, end - begin);
}

std::span<char> Batch::writable(std::size_t index) {
  const std::string_view at = message(index);
  return {bytes_.data() + (at.data() - bytes_.data()), at.size()};
}

RowView Batch::row(std::size_t index) const {
  return RowView(message(index).substr(kFrame));
}

void Batch::clear() {
  bytes_.clear();
  offsets_.clear();
}

RowWriter::RowWriter(Batch& batch, int field_count) : batch_(batch), start_(batch.bytes_.size()) {
  batch_.begin_row();
  batch_.bytes_.append("D\0\0\0\0", kFrame);
  append_be(batch_.bytes_, static_cast<std::int16_t>(field_count));
}

void RowWriter::add(std::optional<std::string_view> field) {
  if (!field) {
    append_be(batch_.bytes_, std::int32_t{-1});
    return;
  }
  append_be(batch_.bytes_, static_cast<std::int32_t>(field->size()));
  batch_.bytes_.append(*field);
}

void RowWriter::add_framed(std::string_view fields) {
  batch_.bytes_.append(fields);
}

std::string& RowWriter::begin_field() {
  field_ = batch_.bytes_.size();
  batch_.bytes_.append(4, '\0');
  return batch_.bytes_;
}

void RowWriter::end_field() {
  store_be32(batch_.bytes_, field_, static_cast<std::uint32_t>(batch_.bytes_.size() - field_ - 4));
}

void RowWriter::finish() {
  const std::size_t length = batch_.bytes_.size() - start_ - 1;
  if (length > std::numeric_limits<std::int32_t>::max())
    throw values::make_error(values::ErrorId::too_many_bytes, "a row",
                             std::numeric_limits<std::int32_t>::max());
  store_be32(batch_.bytes_, start_ + 1, static_cast<std::uint32_t>(length));
}

}  // namespace anabranch::merge
