#include "proxy/mysql/load_placement.h"

#include <fmt/format.h>

#include <algorithm>

#include "rewriter/key_binding.h"
#include "router/composite_key.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using Outcome = router::KeyConversion::Outcome;
using values::ErrorId;
using values::make_error;

std::string shown(const LoadRows::Field& field) {
  constexpr std::size_t most = 60;
  return field.value ? std::string(field.value->substr(0, most)) : "NULL";
}

}  // namespace

LoadPlacement::LoadPlacement(const rewriter::LoadSplit& load, const router::ShardMap& map, router::Lookups& lookups,
                             bool utf8)
    : load_(load),
      table_(map.tables()[static_cast<std::size_t>(load.table)]),
      lookups_(lookups),
      scheme_(load.every_shard ? nullptr : &map.schemes()[table_.scheme]),
      utf8_(utf8) {
  for (std::size_t i = 0; i < load.key.size(); ++i) {
    const auto& column = load.key[i];
    wanted_.push_back(column.field);
    const auto type = table_.expression ? router::key_type_of(column.column_type) : std::optional(scheme_->types.at(i));
    if (!type) throw make_error(ErrorId::internal, "a column of the key expression has a type that holds no keys");
    types_.push_back(*type);
  }
  if (load.counted) wanted_.push_back(load.counted->field);
  std::ranges::sort(wanted_);
  const auto twice = std::ranges::unique(wanted_);
  wanted_.erase(twice.begin(), twice.end());
}

const LoadRows::Field& LoadPlacement::read(const std::vector<LoadRows::Field>& fields,
                                           const rewriter::LoadSplit::Field& column) const {
  return fields[static_cast<std::size_t>(std::ranges::find(wanted_, column.field) - wanted_.begin())];
}

router::KeyConversion LoadPlacement::convert(const rewriter::LoadSplit::Field& column, router::KeyType type,
                                             const LoadRows::Field& field) const {
  if (!field.given) return router::KeyConversion::unknown();
  // Digits on their way into a column are read as they are: no double comes between.
  const values::Oid constant = type == router::KeyType::bigint ? values::oid::int8 : values::oid::unknown;
  return router::key_for_storage({type, column.column_type, column.modifier},
                                 {constant, values::Format::text, field.value, utf8_});
}

void LoadPlacement::check(const std::vector<LoadRows::Field>& fields, std::uint64_t row) const {
  if (!load_.counted) return;
  const LoadRows::Field& field = read(fields, *load_.counted);
  const auto number = convert(*load_.counted, router::KeyType::bigint, field);
  if (number.outcome == Outcome::value) return;
  throw make_error(ErrorId::unsupported_clause, "LOAD DATA",
                   fmt::format("each shard would count the AUTO_INCREMENT column of row {} for itself: {}", row, shown(field)),
                   "Give the column a number in the file.");
}

std::uint32_t LoadPlacement::shard_of(const std::vector<LoadRows::Field>& fields, std::uint64_t row) {
  parts_.clear();
  for (std::size_t i = 0; i < load_.key.size(); ++i) {
    const LoadRows::Field& field = read(fields, load_.key[i]);
    router::KeyConversion key = convert(load_.key[i], types_[i], field);
    if (key.outcome != Outcome::value) {
      throw make_error(ErrorId::unsupported_clause, "LOAD DATA",
                       field.given ? fmt::format("the key {} of row {} cannot be read exactly", shown(field), row)
                                   : fmt::format("row {} has no key", row),
                       "Write the key in its plain form: ISO dates, plain numbers, text in UTF-8.");
    }
    parts_.push_back(std::move(key.key));
  }
  if (!table_.expression && parts_.size() == 1) return place(parts_.front(), row);
  if (!table_.expression) return place(router::composite_key(types_, parts_), row);
  const auto key = table_.expression->evaluate(types_, parts_);
  if (key) return place(*key, row);
  throw make_error(ErrorId::unsupported_clause, "LOAD DATA", fmt::format("the key expression of row {} has no value", row),
                   "Correct the row.");
}

std::uint32_t LoadPlacement::place(const router::KeyValue& key, std::uint64_t row) const {
  if (const auto placement = router::ShardMap::place(*scheme_, key, &lookups_)) return placement->shard;
  if (!key.is_null()) throw rewriter::no_shard_error(table_, *scheme_, fmt::format("of row {}", row));
  throw make_error(ErrorId::null_key, table_.key.empty() ? table_.expression->text() : table_.key.front(),
                   table_.name.name);
}

}  // namespace anabranch::proxy::mysql
