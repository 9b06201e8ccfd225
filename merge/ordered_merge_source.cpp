#include "merge/ordered_merge_source.h"

#include <algorithm>

namespace anabranch::merge {

using Status = Merger::Status;

OrderedMergeSource::OrderedMergeSource(const std::vector<SortKey>& keys, const Shape& shape,
                                       std::size_t sources, MemoryBudget& budget)
    : sort_keys_(keys, shape),
      block_(shape.size()),
      held_(budget),
      streams_(sources),
      heads_(sources),
      losers_(sources) {}

void OrderedMergeSource::consume(std::size_t source, Batch batch) {
  if (batch.empty()) return;
  held_.grow(batch.byte_size());
  streams_[source].batches.push_back(std::move(batch));
}

void OrderedMergeSource::finish(std::size_t source) {
  streams_[source].finished = true;
}

/// Computes the keys of the block of rows that begins at block_begin.
void OrderedMergeSource::load_block(Stream& stream) {
  const Batch& batch = stream.batches.front();
  const std::size_t count = std::min(RowBlock::kRows, batch.size() - stream.block_begin);
  block_.load(batch, stream.block_begin, count);
  stream.keys.clear();
  stream.key_bytes.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = stream.key_bytes.size();
    sort_keys_.append(block_, i, stream.key_bytes);
    const std::string_view key = std::string_view(stream.key_bytes).substr(begin);
    stream.keys.push_back({key_prefix(key), static_cast<std::uint32_t>(begin),
                           static_cast<std::uint32_t>(key.size())});
  }
  stream.row = 0;
}

/// Makes the head of a source its current row; false: the row has not come yet.
bool OrderedMergeSource::load(std::size_t source) {
  Stream& stream = streams_[source];
  Head& head = heads_[source];
  if (stream.row == stream.keys.size()) {
    stream.block_begin += stream.keys.size();
    stream.keys.clear();
    stream.row = 0;
    if (!stream.batches.empty() && stream.block_begin == stream.batches.front().size()) {
      held_.shrink(stream.batches.front().byte_size());
      stream.batches.pop_front();
      stream.block_begin = 0;
    }
    if (stream.batches.empty()) {
      head.ended = stream.finished;
      return stream.finished;
    }
    load_block(stream);
  }
  const Key& key = stream.keys[stream.row];
  head.prefix = key.prefix;
  head.key = std::string_view(stream.key_bytes).substr(key.begin, key.length);
  return true;
}

bool OrderedMergeSource::is_before(std::size_t left, std::size_t right) const {
  const Head& l = heads_[left];
  const Head& r = heads_[right];
  if (l.ended || r.ended) return !l.ended || (r.ended && left < right);
  const int order = compare_keys(l.prefix, l.key, r.prefix, r.key);
  return order < 0 || (order == 0 && left < right);
}

/// Plays all matches from the leaves up. Leaf i stands at node count + i; a node keeps its loser.
void OrderedMergeSource::build_tree() {
  const std::size_t count = streams_.size();
  std::vector<std::size_t> winners(2 * count);
  for (std::size_t i = 0; i < count; ++i) winners[count + i] = i;
  for (std::size_t node = count - 1; node > 0; --node) {
    const std::size_t a = winners[2 * node];
    const std::size_t b = winners[2 * node + 1];
    const bool a_first = is_before(a, b);
    winners[node] = a_first ? a : b;
    losers_[node] = a_first ? b : a;
  }
  losers_[0] = winners[1];
}

/// The head of `source`, the winner so far, has changed: plays its matches again.
void OrderedMergeSource::replay(std::size_t source) {
  std::size_t winner = source;
  for (std::size_t node = (streams_.size() + source) / 2; node > 0; node /= 2) {
    const std::size_t loser = losers_[node];
    const bool swap = is_before(loser, winner);
    losers_[node] = swap ? winner : loser;
    winner = swap ? loser : winner;
  }
  losers_[0] = winner;
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

Status OrderedMergeSource::next(Batch& out) {
  Status status{.kind = Status::Kind::end};
  if (streams_.empty() || (!started_ && !start(status))) return status;
  if (winner_exhausted_) {
    const std::size_t source = losers_[0];
    if (!load(source)) return {.kind = Status::Kind::need, .any = false, .source = source};
    winner_exhausted_ = false;
    replay(source);
  }
  while (!is_full(out)) {
    const std::size_t source = losers_[0];
    if (heads_[source].ended) break;
    Stream& stream = streams_[source];
    out.append_row(stream.batches.front(), stream.block_begin + stream.row);
    ++stream.row;
    if (!load(source)) {
      winner_exhausted_ = true;
      break;
    }
    replay(source);
  }
  if (!out.empty()) return {.kind = Status::Kind::rows};
  return status;
}

}  // namespace anabranch::merge
