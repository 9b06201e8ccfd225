#include "merge/ordered_merge_source.h"

#include <algorithm>
#include <limits>

#include "merge/operator.h"

namespace anabranch::merge {

using Status = Merger::Status;

namespace {

// Above every key: those begin with a marker below 4.
constexpr KeyPrefix kEnded{.high = std::numeric_limits<std::uint64_t>::max(),
                           .low = std::numeric_limits<std::uint64_t>::max()};

}  // namespace

OrderedMergeSource::OrderedMergeSource(const std::vector<SortKey>& keys, const Shape& shape,
                                       std::size_t sources, MemoryBudget& budget)
    : sort_keys_(keys, shape),
      block_(shape.size()),
      held_(budget),
      streams_(sources),
      tree_(sources) {}

void OrderedMergeSource::consume(std::size_t source, Batch batch) {
  if (batch.empty()) return;
  held_.grow(batch.byte_size());
  streams_[source].batches.push_back(std::move(batch));
}

void OrderedMergeSource::finish(std::size_t source) {
  streams_[source].finished = true;
}

/// Computes the keys of the next rows of the first batch.
void OrderedMergeSource::load_block(Stream& stream) {
  const Batch& batch = stream.batches.front();
  const std::size_t count = std::min(RowBlock::kRows, batch.size() - stream.next_block);
  block_.load(batch, stream.next_block, count);
  stream.block.resize(count);
  stream.keys.clear();
  for (std::size_t i = 0; i < count; ++i) {
    Row& row = stream.block[i];
    row.key_begin = static_cast<std::uint32_t>(stream.keys.size());
    sort_keys_.append(block_, i, stream.keys);
    row.key_length = static_cast<std::uint32_t>(stream.keys.size() - row.key_begin);
    row.message = batch.message(stream.next_block + i);
  }
  stream.keys.append(sizeof(KeyPrefix), '\0');
  for (Row& row : stream.block)
    row.prefix = padded_key_prefix(stream.keys.data() + row.key_begin, row.key_length);
  stream.next_block += count;
  stream.row = 0;
}

void OrderedMergeSource::retire_batch(Stream& stream) {
  held_.shrink(stream.batches.front().byte_size());
  retired_.splice(retired_.end(), stream.batches, stream.batches.begin());
  stream.next_block = 0;
}

/// Makes sure that a source has a current row or has ended; false: the row has not come yet.
bool OrderedMergeSource::load(std::size_t source) {
  Stream& stream = streams_[source];
  if (stream.row < stream.block.size()) return true;
  stream.block.clear();
  stream.row = 0;
  if (!stream.batches.empty() && stream.next_block == stream.batches.front().size())
    retire_batch(stream);
  if (stream.batches.empty()) return stream.finished;
  load_block(stream);
  return true;
}

OrderedMergeSource::Player OrderedMergeSource::player(std::size_t source) const {
  const Stream& stream = streams_[source];
  return {stream.block.empty() ? kEnded : stream.block[stream.row].prefix, source};
}

std::string_view OrderedMergeSource::current_key(std::size_t source) const {
  const Stream& stream = streams_[source];
  if (stream.block.empty()) return {};
  const Row& row = stream.block[stream.row];
  return std::string_view(stream.keys).substr(row.key_begin, row.key_length);
}

/// Both prefixes agree.
bool OrderedMergeSource::is_before_in_tie(std::size_t left, std::size_t right) const {
  const std::string_view left_key = current_key(left);
  const std::string_view right_key = current_key(right);
  if (left_key.size() > 16 && right_key.size() > 16) {
    const int order = left_key.substr(16).compare(right_key.substr(16));
    if (order != 0) return order < 0;
  }
  return left < right;
}

/// Plays all matches from the leaves up. Leaf i stands at node count + i; a node keeps its loser.
void OrderedMergeSource::build_tree() {
  const std::size_t count = streams_.size();
  std::vector<Player> winners(2 * count);
  for (std::size_t i = 0; i < count; ++i) winners[count + i] = player(i);
  for (std::size_t node = count - 1; node > 0; --node) {
    const Player& left = winners[2 * node];
    const Player& right = winners[2 * node + 1];
    const bool left_wins = is_before(left, right);
    winners[node] = left_wins ? left : right;
    tree_[node] = left_wins ? right : left;
  }
  tree_[0] = winners[1];
}

/// `source`, the winner so far, has a new row: plays its matches again. Word by word and without
/// branches on who wins, which nothing could predict.
void OrderedMergeSource::replay(std::size_t source) {
  auto [prefix, winner] = player(source);
  auto [high, low] = prefix;
  Player* const tree = tree_.data();
  for (std::size_t node = (streams_.size() + source) / 2; node > 0; node /= 2) {
    Player& other = tree[node];
    const std::uint64_t other_high = other.prefix.high;
    const std::uint64_t other_low = other.prefix.low;
    const std::size_t other_source = other.source;
    bool swap = (other_high < high) | ((other_high == high) & (other_low < low));
    if (other_high == high && other_low == low) [[unlikely]]
      swap = is_before_in_tie(other_source, winner);
    other.prefix.high = swap ? high : other_high;
    other.prefix.low = swap ? low : other_low;
    other.source = swap ? winner : other_source;
    high = swap ? other_high : high;
    low = swap ? other_low : low;
    winner = swap ? other_source : winner;
  }
  tree[0] = {{high, low}, winner};
}

/// Every source must show its first row before there is a first winner.
bool OrderedMergeSource::start(Status& status) {
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (load(i)) continue;
    status = {.kind = Status::Kind::need, .any = false, .source = i};
    return false;
  }
  build_tree();
  started_ = true;
  return true;
}

/// Until a batch is full, all have ended, or the winner has run dry.
void OrderedMergeSource::choose_rows() {
  std::size_t bytes = 0;
  while (chosen_.size() < kBatchRows && bytes < kBatchBytes) {
    const std::size_t source = tree_[0].source;
    Stream& stream = streams_[source];
    if (stream.block.empty()) return;
    chosen_.push_back(stream.block[stream.row].message);
    bytes += chosen_.back().size();
    ++stream.row;
    if (!load(source)) {
      winner_is_dry_ = true;
      return;
    }
    replay(source);
  }
}

Status OrderedMergeSource::next(Batch& out) {
  Status status{.kind = Status::Kind::end};
  if (streams_.empty() || (!started_ && !start(status))) return status;
  if (winner_is_dry_) {
    const std::size_t source = tree_[0].source;
    if (!load(source)) return {.kind = Status::Kind::need, .any = false, .source = source};
    winner_is_dry_ = false;
    replay(source);
  }
  choose_rows();
  out.append_rows(chosen_);
  chosen_.clear();
  retired_.clear();
  return {.kind = out.empty() ? Status::Kind::end : Status::Kind::rows};
}

}  // namespace anabranch::merge
