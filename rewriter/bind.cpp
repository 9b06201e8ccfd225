#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "merge/evaluate.h"
#include "rewriter/clock.h"
#include "rewriter/key_binding.h"
#include "rewriter/mysql/quote.h"
#include "rewriter/print.h"
#include "values/errors.h"

/// From a plan and one execution's values to each shard's text.
namespace anabranch::rewriter {
namespace {

using values::ErrorId;
using values::make_error;

// -------------------------------------------------------------------------------------- the slots

values::Datum read_value(const ValueRef& ref, values::Oid type, const BindRequest& request) {
  std::string storage;
  const ValueBytes value = value_bytes(ref, request, storage);
  if (!value.bytes) return values::Datum::null(type);
  const values::Oid from = value.declared == 0 ? type : value.declared;
  values::Datum datum = values::decode(from, value.format, value.bytes);
  return from == type ? datum : values::cast(datum, type);
}

/// A count of MySQL's: one beyond all rows is none.
values::Datum read_count(const ValueRef& ref, const BindRequest& request) {
  std::string storage;
  const ValueBytes value = value_bytes(ref, request, storage);
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  if (!value.bytes) throw values::SqlError("42000", "LIMIT takes numbers only");
  std::uint64_t count = 0;
  if (value.format == values::Format::binary) {
    for (std::size_t i = value.bytes->size(); i-- > 0;) {
      count = count << 8 | static_cast<unsigned char>((*value.bytes)[i]);
    }
  } else {
    const char* end = value.bytes->data() + value.bytes->size();
    const auto read = std::from_chars(value.bytes->data(), end, count);
    if (read.ec == std::errc::result_out_of_range) return values::Datum::int8(most);
    if (read.ec != std::errc() || read.ptr != end) throw values::SqlError("42000", "LIMIT takes numbers only");
  }
  return values::Datum::int8(static_cast<std::int64_t>(std::min<std::uint64_t>(count, most)));
}

/// LIMIT and OFFSET as int8; nothing for NULL.
std::optional<std::int64_t> count_of(const values::Datum& datum) {
  if (datum.is_null()) return std::nullopt;
  return std::get<std::int64_t>(datum.value);
}

void check(Slot::Check check, const values::Datum& value) {
  if (check == Slot::Check::none || count_of(value).value_or(0) >= 0) return;
  if (check == Slot::Check::limit) {
    throw values::SqlError("2201W", "LIMIT must not be negative");
  }
  throw values::SqlError("2201X", "OFFSET must not be negative");
}

values::Datum limit_plus_offset(const Slot& slot, const std::vector<values::Datum>& before) {
  const auto at = [&](int index) -> std::optional<std::int64_t> {
    return index < 0 ? std::nullopt : count_of(before[static_cast<std::size_t>(index)]);
  };
  const auto limit = at(slot.limit);
  if (!limit) return values::Datum::null(values::oid::int8);
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*limit, at(slot.offset).value_or(0), &sum)) {
    sum = std::numeric_limits<std::int64_t>::max();
  }
  return values::Datum::int8(sum);
}

values::Datum slot_value(const Slot& slot, const std::vector<values::Datum>& before,
                         const BindRequest& request) {
  switch (slot.kind) {
    case Slot::Kind::value:
      if (request.mysql != nullptr && slot.check != Slot::Check::none) return read_count(slot.first, request);
      return read_value(slot.first, slot.type, request);
    case Slot::Kind::computed:
      return merge::Evaluator(*slot.expression, {}, before).evaluate(merge::RowBlock(0), 0);
    case Slot::Kind::limit_plus_offset:
      return limit_plus_offset(slot, before);
  }
  return {};
}

std::vector<values::Datum> slots_of(const BindRequest& request) {
  std::vector<values::Datum> slots;
  for (const Slot& slot : request.plan->slots) {
    values::Datum value = slot_value(slot, slots, request);
    check(slot.check, value);
    slots.push_back(std::move(value));
  }
  return slots;
}

// --------------------------------------------------------------------------------------- the text

class Filler {
 public:
  Filler(const BindRequest& request, const std::vector<values::Datum>& slots, std::uint32_t shard)
      : request_(request), slots_(slots), shard_(shard) {}

  void append(const SqlTemplate& sql) {
    for (const SqlTemplate::Piece& piece : sql.pieces) {
      std::visit([this](const auto& at) { add(at); }, piece);
    }
  }
  std::string take() { return std::exchange(text_, {}); }
  std::vector<std::string> take_parts() {
    parts_.push_back(take());
    return std::move(parts_);
  }
  std::string& text() { return text_; }

 private:
  void add(const std::string& text) { text_ += text; }
  void add(SqlTemplate::LiteralHole hole) { text_ += request_.shape->spelling(hole.index); }
  void add(SqlTemplate::EvaluatedHole hole) {
    const auto index = static_cast<std::size_t>(hole.index);
    const std::string& type = request_.plan->evaluations[index].type_name;
    if (index >= request_.evaluations.size()) {
      throw make_error(ErrorId::internal, "an evaluation is missing");
    }
    if (request_.evaluations[index].type == 0) {
      text_ += "(answer " + std::to_string(hole.index + 1) + ")";
      return;
    }
    const auto& bytes = request_.evaluations[index].bytes;
    text_ += "(" + (bytes ? quote_literal(*bytes) : std::string("NULL")) + "::" + type + ")";
  }
  void add(SqlTemplate::ParameterHole hole) {
    const auto index = static_cast<std::size_t>(hole.index);
    if (index >= request_.parameters.size()) {
      throw values::SqlError("08P01", "a parameter of the statement was not given a value");
    }
    const BoundValue& value = request_.parameters[index];
    text_ += mysql::literal_of(value.type, value.format, value.bytes);
  }
  void add(SqlTemplate::SlotHole hole) {
    const values::Datum& slot = slots_[static_cast<std::size_t>(hole.index)];
    text_ += slot.is_null() ? "NULL" : std::to_string(std::get<std::int64_t>(slot.value));
  }
  /// A cast, so that ORDER BY and GROUP BY do not take it for an ordinal.
  void add(SqlTemplate::ShardNumberHole) {
    text_ += "(" + std::to_string(shard_ + 1) + "::integer)";
  }
  void add(SqlTemplate::FedHole hole) {
    const Feed& feed = request_.plan->feeds[static_cast<std::size_t>(hole.index)];
    text_ += feed.owners.contains(shard_) ? "(SELECT * FROM " + feed.table + " UNION ALL " + feed.own_rows + ")" : feed.table;
  }
  /// With an order of its own a UNION ALL of tables is read as a table is.
  void add(const SqlTemplate::BucketsHole& hole) {
    const router::MappedTable& table = request_.map->tables()[static_cast<std::size_t>(hole.table)];
    std::string tables;
    const bool written = bucket_ >= 0 && hole.table == written_;
    const router::ShardSet buckets = written       ? router::ShardSet::of(static_cast<std::size_t>(bucket_))
                                     : hole.listed ? request_.map->buckets_on(table, shard_)
                                                   : buckets_to_ask(table);
    if (hole.listed) return list(table, buckets);
    for (const std::uint32_t bucket : buckets) {
      const conf::TableName name = table.of_bucket(bucket);
      if (!tables.empty()) tables += " UNION ALL ";
      if (buckets.size() > 1) tables += "SELECT * FROM ";
      tables += quote_name({name.schema, name.name});
    }
    text_ += buckets.size() > 1 ? "(" + tables + ")" : tables;
  }
  void list(const router::MappedTable& table, const router::ShardSet& buckets) {
    bool first = true;
    for (const std::uint32_t bucket : buckets) {
      const conf::TableName name = table.of_bucket(bucket);
      text_ += (first ? "" : ", ") + quote_name({name.schema, name.name});
      first = false;
    }
  }

 public:
  /// Of a table on the shard, those that may have rows which count. Where no row counts, any of them answers as such.
  router::ShardSet buckets_to_ask(const router::MappedTable& table) const {
    const router::ShardSet here = request_.map->buckets_on(table, shard_);
    if (here.empty()) {
      throw make_error(ErrorId::unsupported_clause, request_.plan->command,
                       "shard " + request_.map->shards()[shard_].name + " has no bucket of \"" + table.name.name + "\"",
                       "Ask for the tables one by one.");
    }
    const router::ShardSet wanted = here & buckets_of(table.scheme, request_.plan->routing.condition, request_);
    return wanted.empty() ? router::ShardSet::of(*here.begin()) : wanted;
  }
  /// The one of that table which is written from now on; -1: some.
  void write_to(int table, std::int32_t bucket) {
    written_ = table;
    bucket_ = bucket;
  }

 private:
  /// The text is cut there (take_parts()).
  void add(SqlTemplate::RowsHole) { parts_.push_back(take()); }
  void add(SqlTemplate::ShardNameHole) {
    text_ += "(" + quote_literal(request_.map->shards()[shard_].name) + "::text)";
  }

  const BindRequest& request_;
  const std::vector<values::Datum>& slots_;
  std::uint32_t shard_;
  int written_ = -1;
  std::int32_t bucket_ = -1;
  std::string text_;
  std::vector<std::string> parts_;
};

// ------------------------------------------------------------------------------------- the splits

/// Which row goes where: to a shard, and to a bucket where the table has one for each.
std::vector<router::Placement> place_rows(const BindRequest& request, BoundPlan& bound) {
  const InsertSplit& split = *request.plan->insert;
  const router::MappedTable& table = request.map->tables()[static_cast<std::size_t>(split.table)];
  BindRequest of_row = request;
  std::vector<router::Placement> places(split.each ? request.shape->rows()->count() : split.rows.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const SplitRow& row = split.each ? *split.each : split.rows[i];
    of_row.row = i;
    check_counted(row.counted, of_row);
    places[i] = place_of_stored(split.table, row.key, of_row);
    if (table.physical.empty()) {
      places[i].bucket = -1;
    } else if (places[i].bucket < 0) {
      places[i].bucket = static_cast<std::int32_t>(*request.map->buckets_on(table, places[i].shard).begin());
    }
    bound.shards.add(places[i].shard);
  }
  return places;
}

void append_row(Filler& filler, const BindRequest& request, std::size_t row) {
  const InsertSplit& split = *request.plan->insert;
  if (!split.each) return filler.append(split.rows[row].text);
  filler.text() += '(';
  filler.text() += request.shape->row_text(row);
  filler.append(split.each->text);
  filler.text() += ')';
}

/// Each place once, in the order of shards and buckets.
std::vector<router::Placement> distinct(std::vector<router::Placement> places) {
  std::ranges::sort(places, {}, [](const router::Placement& place) { return std::pair(place.shard, place.bucket); });
  const auto again = std::ranges::unique(places);
  places.erase(again.begin(), again.end());
  return places;
}

void split_rows(const BindRequest& request, BoundPlan& bound) {
  const InsertSplit& split = *request.plan->insert;
  const std::vector<router::Placement> places = place_rows(request, bound);
  bound.query_of_row.resize(places.size());
  for (const router::Placement& here : distinct(places)) {
    Filler filler(request, bound.slots, here.shard);
    filler.write_to(split.table, here.bucket);
    filler.append(split.prefix);
    bool first = true;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (places[i] != here) continue;
      if (!first) filler.text() += ", ";
      first = false;
      bound.query_of_row[i] = bound.queries.size();
      append_row(filler, request, i);
    }
    filler.append(split.suffix);
    if (here == places.back()) bound.last = bound.queries.size();
    bound.queries.push_back({static_cast<int>(here.shard), filler.take()});
  }
}

/// UPDATE and DELETE of a table that has one for each bucket.
void write_buckets(const BindRequest& request, BoundPlan& bound, std::uint32_t shard) {
  const Plan& plan = *request.plan;
  const router::MappedTable& table = request.map->tables()[static_cast<std::size_t>(plan.written_buckets)];
  const router::ShardSet buckets = Filler(request, bound.slots, shard).buckets_to_ask(table);
  if (plan.reads_written && buckets.size() > 1) {
    throw make_error(ErrorId::unsupported_clause, plan.command,
                     "it reads \"" + table.name.name + "\", of which other buckets are written before",
                     "Give the key, or read the rows first.");
  }
  for (const std::uint32_t bucket : buckets) {
    Filler filler(request, bound.slots, shard);
    filler.write_to(plan.written_buckets, static_cast<std::int32_t>(bucket));
    filler.append(plan.subquery);
    bound.queries.push_back({static_cast<int>(shard), filler.take()});
  }
}

// ------------------------------------------------------------------------------------ the pieces

bool has_piece(const router::ShardMap& map, const Gather::Piece& piece, std::uint32_t shard) {
  if (piece.only_shard >= 0) return piece.only_shard == static_cast<int>(shard);
  return map.shards_of(map.tables()[static_cast<std::size_t>(piece.table)]).contains(shard);
}

/// All that a shard has to give, in one query; and the rest, for the workspace.
void gather_pieces(const BindRequest& request, BoundPlan& bound) {
  const Gather& gather = *request.plan->gather;
  for (const std::uint32_t shard : bound.shards) {
    std::string all;
    for (std::size_t i = 0; i < gather.pieces.size(); ++i) {
      if (!has_piece(*request.map, gather.pieces[i], shard)) continue;
      Filler filler(request, bound.slots, shard);
      filler.append(gather.pieces[i].rows);
      std::string rows = filler.take();
      if (!all.empty()) all += " UNION ALL ";
      all += rows;
      if (!gather.restrictions.empty()) {
        bound.pieces.push_back({static_cast<int>(shard), static_cast<int>(i), std::move(rows)});
      }
    }
    if (!all.empty()) bound.queries.push_back({static_cast<int>(shard), std::move(all)});
  }
  Filler filler(request, bound.slots, request.map->default_shard());
  filler.append(gather.rest);
  bound.rest = filler.take();
}

BindRequest request_of(const Feed& feed, const BindRequest& request) {
  BindRequest of_rows = request;
  of_rows.plan = feed.rows.get();
  of_rows.evaluations = evaluations_of(feed, request.evaluations);
  return of_rows;
}

}  // namespace

std::span<const BoundValue> evaluations_of(const Feed& feed, std::span<const BoundValue> evaluations) {
  const std::size_t first = std::min(feed.first_evaluation, evaluations.size());
  return evaluations.subspan(first, std::min(feed.rows->evaluations.size(), evaluations.size() - first));
}

std::uint32_t shard_of_row(const BindRequest& request) {
  const Plan& plan = *request.plan;
  return shard_of_stored(plan.routing.condition.table, plan.feeds.front().key, request);
}

void look_up_keys(const BindRequest& request) {
  const Plan& plan = *request.plan;
  if (plan.insert) {
    BoundPlan unused;
    (void)place_rows(request, unused);
    return;
  }
  (void)route(request, nullptr);
  for (const Feed& feed : plan.feeds) look_up_keys(request_of(feed, request));
}

BoundPlan bind(const BindRequest& request) {
  BoundPlan bound;
  const Plan& plan = *request.plan;
  bound.slots = slots_of(request);
  if (plan.insert) {
    bound.why = plan.routing.reason;
    split_rows(request, bound);
    check_clock(request, bound);
    return bound;
  }
  bound.shards = route(request, &bound.why);
  if (plan.on_one_shard && bound.shards.size() > 1) {
    throw make_error(ErrorId::internal, "a plan for one shard was bound to several");
  }
  if (plan.gather) {
    gather_pieces(request, bound);
    check_clock(request, bound);
    return bound;
  }
  for (const Feed& feed : plan.feeds) bound.fed.push_back(bind(request_of(feed, request)));
  if (plan.kind == PlanKind::relay || plan.copy || plan.load || plan.subquery.pieces.empty()) return bound;
  for (const std::uint32_t shard : bound.shards) {
    if (const auto own = plan.subquery_of.find(static_cast<int>(shard)); own != plan.subquery_of.end()) {
      if (!own->second.empty()) bound.queries.push_back({own->first, own->second});
      continue;
    }
    if (plan.written_buckets >= 0) {
      write_buckets(request, bound, shard);
      continue;
    }
    Filler filler(request, bound.slots, shard);
    filler.append(plan.subquery);
    bound.queries.push_back({static_cast<int>(shard), filler.take()});
  }
  if (plan.finish && !bound.queries.empty()) {
    Filler filler(request, bound.slots, static_cast<std::uint32_t>(bound.queries.front().shard));
    filler.append(plan.finish->sql);
    bound.finish = filler.take_parts();
  }
  check_clock(request, bound);
  return bound;
}

}  // namespace anabranch::rewriter
