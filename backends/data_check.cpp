#include "backends/data_check.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "backends/every_shard.h"
#include "backends/lookup_source.h"
#include "backends/table_rows.h"
#include "router/key_value.h"

namespace anabranch::backends {

namespace {

using Clock = std::chrono::steady_clock;

std::optional<std::uint64_t> hexadecimal(std::string_view digits) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  const bool whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
  return whole ? std::optional(value) : std::nullopt;
}

/// Sleeps so that no more rows are read than the rate allows.
class Pace {
 public:
  explicit Pace(std::uint64_t rows_per_second) : rows_per_second_(rows_per_second), begun_(Clock::now()) {}

  void after(std::uint64_t rows) const {
    if (rows_per_second_ == 0) return;
    const std::chrono::duration<double> due(static_cast<double>(rows) / static_cast<double>(rows_per_second_));
    std::this_thread::sleep_until(begun_ + std::chrono::duration_cast<Clock::duration>(due));
  }

 private:
  std::uint64_t rows_per_second_;
  Clock::time_point begun_;
};

/// One table on one shard.
class Look {
 public:
  Look(const DataCheckRequest& request, const router::MappedTable& table, std::uint32_t shard)
      : request_(request),
        map_(*request.map),
        table_(table),
        name_(table.name),
        shard_(shard),
        pace_(request.rows_per_second),
        lookups_(*request.database, *request.map) {}

  /// Why it ended early; empty: it did not.
  std::string run(TableRows& rows) {
    if (!table_.physical.empty()) return look_at_buckets(rows);
    const auto columns = rows.columns(name_);
    if (!columns) return columns.error();
    found.there = !columns->empty();
    const bool belongs = map_.shards_of(table_).contains(shard_);
    if (!found.there) return belongs ? "the table is not there" : "";
    if (table_.kind == conf::TableKind::reference) return sum_up(rows, *columns);
    if (table_.kind == conf::TableKind::sharded && !map_.schemes()[table_.scheme].random()) return look_at_keys(rows);
    return count(rows, belongs);
  }

  ShardData found;

 private:
  /// The tables of all buckets: those of others than the shard's have no rows here.
  std::string look_at_buckets(TableRows& rows) {
    const router::MappedScheme& scheme = map_.schemes()[table_.scheme];
    for (std::uint32_t bucket = 0; bucket < scheme.bucket_shards.size(); ++bucket) {
      name_ = table_.of_bucket(bucket);
      const auto columns = rows.columns(name_);
      if (!columns) return columns.error();
      const bool belongs = scheme.bucket_shards[bucket] == shard_;
      if (columns->empty() && belongs) return fmt::format("the table {} is not there", name_.name);
      if (columns->empty()) continue;
      found.there = true;
      bucket_ = belongs ? static_cast<std::int32_t>(bucket) : nowhere;
      if (std::string failure = look_at_keys(rows); !failure.empty()) return failure;
    }
    return {};
  }

  /// Hands every row to `see`, which answers what is wrong with it altogether; empty: nothing.
  template <class See>
  std::string for_each_row(TableRows& rows, const See& see) {
    while (true) {
      const auto chunk = rows.next();
      if (!chunk) return chunk.error();
      if (chunk->empty()) return {};
      if (std::string failure = look_up(*chunk); !failure.empty()) return failure;
      for (const TableRows::Row& row : *chunk) {
        if (std::string failure = see(row); !failure.empty()) return failure;
      }
      found.rows += chunk->size();
      *request_.rows_seen += chunk->size();
      pace_.after(found.rows);
    }
  }

  std::string sum_up(TableRows& rows, const std::vector<std::string>& columns) {
    if (const auto begun = rows.read_digests(name_, columns); !begun) return begun.error();
    RowsChecksum sum;
    std::string failure = for_each_row(rows, [&sum](const TableRows::Row& row) {
      const bool added = row.front() && sum.add(*row.front());
      return std::string(added ? "" : "the server answered no checksum of a row");
    });
    if (failure.empty()) found.checksum = sum;
    return failure;
  }

  /// Rows that may be anywhere within the table's shards.
  std::string count(TableRows& rows, bool belongs) {
    if (const auto begun = rows.read(name_, {}); !begun) return begun.error();
    std::string failure = for_each_row(rows, [](const TableRows::Row&) { return std::string(); });
    if (belongs || found.rows == 0) return failure;
    found.wrong = found.rows;
    std::string places;
    for (std::uint32_t shard = 0; shard < map_.shards().size(); ++shard) {
      if (!map_.shards_of(table_).contains(shard)) continue;
      places += (places.empty() ? "" : ", ") + map_.shards()[shard].name;
    }
    found.examples.push_back(fmt::format("none belongs there, but on {}", places));
    return failure;
  }

  std::string look_at_keys(TableRows& rows) {
    const router::MappedScheme& scheme = map_.schemes()[table_.scheme];
    const auto columns = rows.read(name_, placing_columns(table_));
    if (!columns) return columns.error();
    for (std::size_t i = 0; i < columns->size(); ++i) {
      const router::KeyType type = table_.expression ? router::key_type_of((*columns)[i].type).value_or(scheme.type())
                                                     : scheme.types.at(i);
      if (!router::holds_keys(type, (*columns)[i].type)) {
        return fmt::format("the key's column {} is of a type that scheme {} does not take", placing_columns(table_)[i],
                           scheme.name);
      }
    }
    if (scheme.lookup) looked_up_ = *columns;
    return for_each_row(rows, [&](const TableRows::Row& row) {
      look_at_key(scheme, *columns, row);
      return lookups_.failure().empty() ? std::string() : fmt::format("table {}: {}", scheme.lookup->name.name, lookups_.failure());
    });
  }

  /// The keys of a chunk whose places stand in a table, in few questions.
  std::string look_up(const std::vector<TableRows::Row>& chunk) {
    if (looked_up_.empty()) return {};
    const router::MappedScheme& scheme = map_.schemes()[table_.scheme];
    std::vector<router::KeyValue> keys;
    for (const TableRows::Row& row : chunk) {
      texts_.assign(row.begin(), row.end());
      if (auto key = stored_key(table_, scheme, looked_up_, texts_)) keys.push_back(std::move(*key));
    }
    lookups_.prepare(scheme, keys);
    return lookups_.failure().empty() ? "" : fmt::format("table {}: {}", scheme.lookup->name.name, lookups_.failure());
  }

  void look_at_key(const router::MappedScheme& scheme, const std::vector<StoredColumn>& columns,
                   const TableRows::Row& row) {
    texts_.assign(row.begin(), row.end());
    const auto key = stored_key(table_, scheme, columns, texts_);
    const auto place = key ? router::ShardMap::place(scheme, *key, &lookups_) : std::nullopt;
    const bool in_its_table = bucket_ == any_bucket || (place && place->bucket == bucket_);
    if (place && place->shard == shard_ && in_its_table) return;
    ++found.wrong;
    if (found.examples.size() == ShardData::most_examples) return;
    std::string key_text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      key_text += fmt::format("{}{} = {}", i == 0 ? "" : ", ", placing_columns(table_)[i],
                              row[i] ? fmt::format("'{}'", *row[i]) : "NULL");
    }
    std::string where = place ? "belongs on " + map_.shards()[place->shard].name : "has no place in the map";
    if (place && bucket_ != any_bucket) {
      key_text = fmt::format("{}: {}", name_.name, key_text);
      where += ", into " + table_.of_bucket(static_cast<std::uint32_t>(place->bucket)).name;
    }
    found.examples.push_back(fmt::format("{} {}", key_text, where));
  }

  const DataCheckRequest& request_;
  const router::ShardMap& map_;
  const router::MappedTable& table_;
  conf::TableName name_;  ///< of the table, or of a bucket's
  static constexpr std::int32_t any_bucket = -1;
  static constexpr std::int32_t nowhere = -2;
  std::int32_t bucket_ = any_bucket;  ///< whose rows the table has
  const std::uint32_t shard_;
  const Pace pace_;
  LookupSource lookups_;
  std::vector<StoredColumn> looked_up_;  ///< of a table whose keys' places stand in another one
  std::vector<std::optional<std::string_view>> texts_;
};

/// A row (key, shard) of a lookup scheme's table.
void look_at_place(const router::ShardMap& map, const TableRows::Row& row, ShardData& found) {
  if (row[1] && map.find_shard(*row[1])) return;
  ++found.wrong;
  if (found.examples.size() == ShardData::most_examples) return;
  const auto text = [](const std::optional<std::string>& value) {
    return value ? fmt::format("'{}'", *value) : std::string("NULL");
  };
  found.examples.push_back(fmt::format("key = {} names no shard, but {}", text(row[0]), text(row[1])));
}

}  // namespace

bool RowsChecksum::add(std::string_view digest) {
  constexpr std::size_t half = 16;
  if (digest.size() != 2 * half) return false;
  const auto high = hexadecimal(digest.substr(0, half));
  const auto low = hexadecimal(digest.substr(half));
  if (!high || !low) return false;
  const bool carry = __builtin_add_overflow(low_, *low, &low_);
  high_ += *high + (carry ? 1 : 0);
  ++rows_;
  return true;
}

std::string RowsChecksum::text() const { return fmt::format("{:016x}{:016x}", high_, low_); }

ShardData check_lookup(const DataCheckRequest& request, const router::MappedScheme& scheme) {
  ShardData found;
  const auto fail = [&found](std::string why) {
    found.failure = std::move(why);
    return found;
  };
  const auto rows = TableRows::open(
      control_server(*request.database, request.map->default_shard(), {}, request.database->name));
  if (!rows) return fail(rows.error());
  const auto columns = (*rows)->columns(scheme.lookup->name);
  if (!columns) return fail(columns.error());
  if (columns->empty()) return fail("the table is not there");
  if (const auto begun = (*rows)->read(scheme.lookup->name, {"key", "shard"}); !begun) return fail(begun.error());
  const Pace pace(request.rows_per_second);
  while (true) {
    const auto chunk = (*rows)->next();
    if (!chunk) return fail(chunk.error());
    if (chunk->empty()) return found;
    for (const TableRows::Row& row : *chunk) look_at_place(*request.map, row, found);
    found.rows += chunk->size();
    *request.rows_seen += chunk->size();
    pace.after(found.rows);
  }
}

std::vector<ShardData> check_data(const DataCheckRequest& request, const router::MappedTable& table,
                                  std::vector<std::string>& lost) {
  std::vector<ShardData> found(request.map->shards().size());
  lost.resize(found.size());
  on_every_shard(found.size(), [&](std::size_t shard) {
    const auto number = static_cast<std::uint32_t>(shard);
    Look look(request, table, number);
    std::string failure = lost[shard];
    if (failure.empty()) {
      const auto rows = TableRows::open(control_server(*request.database, number, {}, request.database->name));
      if (!rows) lost[shard] = rows.error();
      failure = rows ? look.run(**rows) : rows.error();
    }
    found[shard] = std::move(look.found);
    found[shard].failure = std::move(failure);
  });
  return found;
}

}  // namespace anabranch::backends
