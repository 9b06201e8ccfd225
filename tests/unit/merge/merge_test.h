#pragma once

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "merge/merger.h"
#include "values/codec.h"
#include "values/errors.h"

/// Rows as text, for tests that read like tables.
namespace anabranch::merge::test {

using TextRow = std::vector<std::optional<std::string>>;
using TextRows = std::vector<TextRow>;
inline constexpr std::nullopt_t null = std::nullopt;

inline values::ColumnType type(values::Oid oid) {
  return {.oid = oid, .typmod = -1, .enumeration = nullptr};
}

/// An input column that arrives as text, and one that arrives in binary.
inline InputColumn text_column(values::Oid oid) {
  return {.type = type(oid), .output = -1, .format = values::Format::text};
}
inline InputColumn binary_column(values::Oid oid) {
  return {.type = type(oid), .output = -1, .format = values::Format::binary};
}

inline std::optional<std::string> to_wire(const std::optional<std::string>& text,
                                          const InputColumn& column) {
  if (!text || column.format == values::Format::text) return text;
  std::string bytes;
  values::encode(values::decode(column.type.oid, values::Format::text, *text),
                 values::Format::binary, {}, bytes);
  return bytes;
}

inline Batch batch_of(const TextRows& rows, const std::vector<InputColumn>& columns) {
  Batch batch;
  for (const TextRow& row : rows) {
    RowWriter writer(batch, static_cast<int>(row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto field = to_wire(row[i], columns.at(i));
      writer.add(field ? std::optional<std::string_view>(*field) : std::nullopt);
    }
    writer.finish();
  }
  return batch;
}

inline void append_rows(const Batch& batch, TextRows& rows) {
  std::vector<std::optional<std::string_view>> fields;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch.row(i).split(fields);
    TextRow row;
    for (const auto& field : fields) row.emplace_back(field);
    rows.push_back(std::move(row));
  }
}

inline Binding text_binding(const Recipe& recipe, std::vector<values::Datum> slots = {}) {
  return {
      .output_formats = std::vector<values::Format>(recipe.outputs.size(), values::Format::text),
      .slots = std::move(slots)};
}

/// Feeds streams as the merger asks, or at random where it does not mind, in batches of random
/// sizes; returns the answer.
inline TextRows run(const Recipe& recipe, Binding binding, const std::vector<TextRows>& streams,
                    MemoryBudget& budget, unsigned seed = 1, Spill* spill = nullptr,
                    std::size_t largest_batch = 3) {
  std::mt19937 random(seed);
  Merger merger(recipe, std::move(binding), streams.size(), budget, spill);
  std::vector<std::size_t> fed(streams.size(), 0);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < streams.size(); ++i) open.push_back(i);
  TextRows answer;
  Batch out;
  for (;;) {
    const Merger::Status status = merger.next(out);
    append_rows(out, answer);
    if (status.kind == Merger::Status::Kind::end) return answer;
    if (status.kind == Merger::Status::Kind::rows) continue;
    const std::size_t source = status.any ? open.at(random() % open.size()) : status.source;
    const TextRows& rows = streams[source];
    if (fed[source] == rows.size()) {
      merger.finish(source);
      std::erase(open, source);
      continue;
    }
    const std::size_t count = std::min<std::size_t>(1 + random() % largest_batch, rows.size() - fed[source]);
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(fed[source]);
    merger.consume(source,
                   batch_of({begin, begin + static_cast<std::ptrdiff_t>(count)}, recipe.inputs));
    fed[source] += count;
  }
}

inline TextRows run(const Recipe& recipe, const std::vector<TextRows>& streams,
                    std::vector<values::Datum> slots = {}, unsigned seed = 1) {
  MemoryBudget budget(64 << 20);
  TextRows answer = run(recipe, text_binding(recipe, std::move(slots)), streams, budget, seed);
  if (budget.used() != 0) throw std::logic_error("memory was not given back");
  return answer;
}

/// The SQLSTATE that an action fails with; empty: it does not.
template <typename Action>
std::string sqlstate_of(Action action) {
  try {
    action();
  } catch (const values::SqlError& error) {
    return error.sqlstate;
  }
  return {};
}

}  // namespace anabranch::merge::test
