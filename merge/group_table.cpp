#include "merge/group_table.h"

#include <array>
#include <cstring>
#include <optional>

#include "merge/slot_table.h"
#include "merge/sort_keys.h"
#include "values/codec.h"
#include "values/errors.h"

namespace anabranch::merge {

namespace {

using values::TypeKind;

TypeKind kind_of(const Column& column) {
  const values::TypeInfo* info = values::find_type(column.type.oid);
  return info == nullptr ? TypeKind::known : info->kind;
}

/// Bytes of a binary value whose size is fixed and whose equality is that of its bytes; 0: others.
std::size_t word_size(const Column& column) {
  if (column.format != values::Format::binary) return 0;
  switch (kind_of(column)) {
    case TypeKind::boolean:
      return 1;
    case TypeKind::int2:
      return 2;
    case TypeKind::int4:
    case TypeKind::oid:
    case TypeKind::date:
      return 4;
    case TypeKind::int8:
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::timestamptz:
    case TypeKind::money:
      return 8;
    default:
      return 0;
  }
}

/// Types whose wire bytes are the same for equal values and others for others, so that the bytes
/// need no encoding. (Text: grouping is only ours under deterministic collations.)
bool is_canonical_on_wire(const Column& column) {
  if (word_size(column) != 0) return true;
  switch (kind_of(column)) {
    case TypeKind::boolean:
    case TypeKind::int2:
    case TypeKind::int4:
    case TypeKind::int8:
    case TypeKind::oid:
    case TypeKind::text:
    case TypeKind::uuid:
      return true;
    case TypeKind::bytea:
      return column.format == values::Format::binary;
    default:
      return false;
  }
}

/// No group columns: one record, there from the start.
class SingleGroup final : public GroupTable {
 public:
  SingleGroup(std::size_t state_size, MemoryBudget& budget)
      : arena_(budget), record_(arena_.allocate(std::max<std::size_t>(state_size, 8))) {}

  std::size_t header_size() const override { return 0; }
  void find(const RowBlock& block, std::byte** records) override {
    std::fill_n(records, block.size(), record_);
  }
  void find_known(const RowBlock& block, std::byte** records, std::uint64_t*) override { find(block, records); }
  std::size_t growth(std::size_t, std::size_t) const override { return 0; }
  const std::byte* next_record() override {
    return std::exchange(walked_, true) ? nullptr : record_;
  }
  void write_columns(const std::byte*, RowWriter&) const override {}

 private:
  Arena arena_;
  std::byte* record_;
  bool walked_ = false;
};

/// One key of at most eight bytes: the key is a word in the slot and in the record.
class WordGroups final : public GroupTable {
 public:
  WordGroups(std::size_t column, std::size_t size, std::string type, std::size_t state_size,
             MemoryBudget& budget)
      : column_(column),
        word_size_(size),
        type_(std::move(type)),
        record_size_(sizeof(std::uint64_t) + state_size),
        arena_(budget),
        table_(budget),
        walk_(arena_) {}

  std::size_t header_size() const override { return sizeof(std::uint64_t); }

  void find(const RowBlock& block, std::byte** records) override {
    const Field* const fields = block.column(column_);
    std::array<std::uint64_t, RowBlock::kRows> words;
    std::array<std::uint64_t, RowBlock::kRows> hashes;
    read_words(fields, block.size(), words.data());
    for (std::size_t i = 0; i < block.size(); ++i) {
      hashes[i] = table_.hash_of(words[i]);
      table_.prefetch(hashes[i]);
    }
    for (std::size_t i = 0; i < block.size(); ++i) {
      if (fields[i].is_null()) {
        records[i] = null_record();
        continue;
      }
      records[i] = table_.find_or_insert(
          hashes[i], words[i], [](const std::byte*) { return true; },
          [&] { return make(words[i]); });
      __builtin_prefetch(records[i], 1);
    }
  }

  void find_known(const RowBlock& block, std::byte** records, std::uint64_t* hashes) override {
    const Field* const fields = block.column(column_);
    std::array<std::uint64_t, RowBlock::kRows> words;
    read_words(fields, block.size(), words.data());
    for (std::size_t i = 0; i < block.size(); ++i) {
      hashes[i] = table_.hash_of(words[i]);
      records[i] = fields[i].is_null() ? null_record()
                                       : table_.find(hashes[i], words[i], [](const std::byte*) { return true; });
    }
  }
  std::size_t growth(std::size_t rows, std::size_t) const override {
    return arena_.growth(rows * record_size_) + table_.growth(rows);
  }

  const std::byte* next_record() override {
    return walk_.next([this](const std::byte*) { return record_size_; });
  }

  void write_columns(const std::byte* record, RowWriter& out) const override {
    if (record == null_) {
      out.add(std::nullopt);
      return;
    }
    char bytes[8];
    std::memcpy(bytes, record, sizeof(bytes));
    out.add(std::string_view(bytes, word_size_));
  }

 private:
  /// The value's bytes as they are, zeros behind them.
  void read_words(const Field* fields, std::size_t count, std::uint64_t* words) const {
    for (std::size_t i = 0; i < count; ++i) {
      words[i] = 0;
      if (fields[i].is_null()) continue;
      if (static_cast<std::size_t>(fields[i].length) != word_size_)
        throw values::make_error(values::ErrorId::invalid_binary, type_);
      if (word_size_ == 8)
        std::memcpy(&words[i], fields[i].data, 8);
      else if (word_size_ == 4)
        std::memcpy(&words[i], fields[i].data, 4);
      else
        std::memcpy(&words[i], fields[i].data, word_size_);
    }
  }

  std::byte* make(std::uint64_t word) {
    std::byte* const record = arena_.allocate(record_size_);
    std::memcpy(record, &word, sizeof(word));
    return record;
  }

  std::byte* null_record() {
    if (null_ == nullptr) null_ = make(0);
    return null_;
  }

  std::size_t column_;
  std::size_t word_size_;
  std::string type_;
  std::size_t record_size_;
  Arena arena_;
  SlotTable<WordTag> table_;
  RecordWalk walk_;
  std::byte* null_ = nullptr;
};

/// Any keys. A record is: lengths, states, key bytes, and the columns to be passed on, framed as in
/// a row, unless the key is just these.
class BytesGroups final : public GroupTable {
 public:
  BytesGroups(const std::vector<HashAggregate::GroupColumn>& groups, const Shape& shape,
              std::size_t state_size, MemoryBudget& budget);

  std::size_t header_size() const override { return sizeof(Header); }
  void find(const RowBlock& block, std::byte** records) override;
  void find_known(const RowBlock& block, std::byte** records, std::uint64_t* hashes) override;
  std::size_t growth(std::size_t rows, std::size_t bytes) const override {
    return arena_.growth(rows * key_offset_ + bytes) + table_.growth(rows);
  }
  const std::byte* next_record() override {
    return walk_.next([this](const std::byte* record) {
      const Header& header = header_of(record);
      return key_offset_ + header.key_length + header.carry_length;
    });
  }
  void write_columns(const std::byte* record, RowWriter& out) const override;

 private:
  struct Header {
    std::uint32_t key_length;
    std::uint32_t carry_length;
  };
  struct Part {
    std::size_t key;
    std::size_t carry;
    std::optional<values::KeyEncoder> encoder;  ///< none: the wire's bytes will do
  };

  static const Header& header_of(const std::byte* record) {
    return *reinterpret_cast<const Header*>(record);
  }
  std::string_view key_of(const std::byte* record) const {
    return {reinterpret_cast<const char*>(record) + key_offset_, header_of(record).key_length};
  }
  void read_keys(const RowBlock& block);
  void build_key(const RowBlock& block, std::size_t row);
  std::byte* make(const RowBlock& block, std::size_t row);

  std::vector<Part> parts_;
  bool key_is_carry_ = true;  ///< keys are the passed-on columns as they are
  bool key_is_slice_ = true;  ///< … and stand side by side in the row
  std::size_t key_offset_;
  Arena arena_;
  SlotTable<HashTag> table_;
  RecordWalk walk_;
  std::string scratch_;
  std::array<std::size_t, RowBlock::kRows + 1> ends_{};
  std::array<std::string_view, RowBlock::kRows> keys_;
};

BytesGroups::BytesGroups(const std::vector<HashAggregate::GroupColumn>& groups, const Shape& shape,
                         std::size_t state_size, MemoryBudget& budget)
    : key_offset_(sizeof(Header) + state_size), arena_(budget), table_(budget), walk_(arena_) {
  for (const HashAggregate::GroupColumn& group : groups) {
    Part part{static_cast<std::size_t>(group.key), static_cast<std::size_t>(group.carry), {}};
    values::KeyEncoder encoder = equality_encoder(shape.at(part.key));
    if (!is_canonical_on_wire(shape.at(part.key))) part.encoder = std::move(encoder);
    key_is_carry_ = key_is_carry_ && !part.encoder && part.key == part.carry;
    key_is_slice_ =
        key_is_slice_ && key_is_carry_ && (parts_.empty() || part.key == parts_.back().key + 1);
    parts_.push_back(std::move(part));
  }
}

/// Lengths make a part self-delimiting, as the encoder's markers do.
void BytesGroups::build_key(const RowBlock& block, std::size_t row) {
  for (const Part& part : parts_) {
    const Field& field = block.field(row, part.key);
    if (part.encoder)
      part.encoder->append(field.value(), scratch_);
    else
      scratch_.append(field.framed());
  }
}

void BytesGroups::read_keys(const RowBlock& block) {
  if (key_is_slice_) {
    const Field* const first = block.column(parts_.front().key);
    const Field* const last = block.column(parts_.back().key);
    for (std::size_t i = 0; i < block.size(); ++i) {
      const std::string_view end = last[i].framed();
      const char* const begin = first[i].data - 4;
      keys_[i] = {begin, static_cast<std::size_t>(end.data() + end.size() - begin)};
    }
    return;
  }
  scratch_.clear();
  for (std::size_t i = 0; i < block.size(); ++i) {
    build_key(block, i);
    ends_[i + 1] = scratch_.size();
  }
  for (std::size_t i = 0; i < block.size(); ++i)
    keys_[i] = std::string_view(scratch_).substr(ends_[i], ends_[i + 1] - ends_[i]);
}

void BytesGroups::find(const RowBlock& block, std::byte** records) {
  read_keys(block);
  std::array<std::uint64_t, RowBlock::kRows> hashes;
  for (std::size_t i = 0; i < block.size(); ++i) {
    hashes[i] = hash_bytes(keys_[i]);
    table_.prefetch(hashes[i]);
  }
  for (std::size_t i = 0; i < block.size(); ++i)
    records[i] = table_.find_or_insert(
        hashes[i], hashes[i], [&](const std::byte* record) { return key_of(record) == keys_[i]; },
        [&] { return make(block, i); });
}

void BytesGroups::find_known(const RowBlock& block, std::byte** records, std::uint64_t* hashes) {
  read_keys(block);
  for (std::size_t i = 0; i < block.size(); ++i) {
    hashes[i] = hash_bytes(keys_[i]);
    records[i] = table_.find(hashes[i], hashes[i],
                             [&](const std::byte* record) { return key_of(record) == keys_[i]; });
  }
}

std::byte* BytesGroups::make(const RowBlock& block, std::size_t row) {
  const std::string_view key = keys_[row];
  std::size_t carried = 0;
  if (!key_is_carry_)
    for (const Part& part : parts_) carried += block.field(row, part.carry).framed().size();
  std::byte* const record = arena_.allocate(key_offset_ + key.size() + carried);
  const Header header{static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(carried)};
  std::memcpy(record, &header, sizeof(header));
  std::byte* at = record + key_offset_;
  std::memcpy(at, key.data(), key.size());
  at += key.size();
  if (key_is_carry_) return record;
  for (const Part& part : parts_) {
    const std::string_view framed = block.field(row, part.carry).framed();
    std::memcpy(at, framed.data(), framed.size());
    at += framed.size();
  }
  return record;
}

void BytesGroups::write_columns(const std::byte* record, RowWriter& out) const {
  if (key_is_carry_) {
    out.add_framed(key_of(record));
    return;
  }
  const Header& header = header_of(record);
  out.add_framed({reinterpret_cast<const char*>(record) + key_offset_ + header.key_length,
                  header.carry_length});
}

}  // namespace

std::unique_ptr<GroupTable> make_group_table(const std::vector<HashAggregate::GroupColumn>& groups,
                                             const Shape& shape, std::size_t state_size,
                                             MemoryBudget& budget) {
  if (groups.empty()) return std::make_unique<SingleGroup>(state_size, budget);
  if (groups.size() == 1 && groups[0].key == groups[0].carry) {
    const auto index = static_cast<std::size_t>(groups[0].key);
    const Column& column = shape.at(index);
    if (const std::size_t size = word_size(column); size != 0)
      return std::make_unique<WordGroups>(index, size, values::type_name(column.type), state_size,
                                          budget);
  }
  return std::make_unique<BytesGroups>(groups, shape, state_size, budget);
}

}  // namespace anabranch::merge
