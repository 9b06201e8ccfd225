#include "proxy/held_rows.h"

#include <algorithm>

#include "proxy/merge_work.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

std::size_t size_of(const merge::Batch& rows, std::size_t row) {
  return rows.message(row).size() + sizeof(std::uint32_t);
}

}  // namespace

HeldRows::HeldRows(std::size_t destinations, const conf::Limits& limits, LoopMetrics& metrics)
    : state_(std::make_shared<State>(destinations, limits)), metrics_(&metrics) {}

void HeldRows::add(std::size_t destination, const merge::Batch& rows, std::size_t row) {
  state_->memory[destination].append_row(rows, row);
  bytes_ += size_of(rows, row);
}

net::Task<void> HeldRows::settle() {
  const std::size_t limit = state_->budget.limit();
  if (bytes_ <= limit / 2) co_return;
  if (!state_->spill.is_allowed()) {
    if (bytes_ > limit) throw values::make_error(values::ErrorId::memory_budget, limit);
    co_return;
  }
  const std::uint64_t before = state_->spill.written();
  (void)co_await net::run_on_worker([state = state_] { return put_on_disk(*state), true; }, {}, &disk_threads());
  metrics_->bytes_spilled.fetch_add(state_->spill.written() - before, std::memory_order_relaxed);
  bytes_ = 0;
}

void HeldRows::put_on_disk(State& state) {
  for (std::size_t i = 0; i < state.memory.size(); ++i) {
    merge::Batch& rows = state.memory[i];
    if (rows.empty()) continue;
    std::optional<merge::SpilledRows>& disk = state.disk[i];
    if (!disk) disk.emplace(state.spill, state.budget);
    for (std::size_t row = 0; row < rows.size(); ++row) disk->append(rows.message(row));
    disk->flush();
    merge::Batch().swap(rows);
  }
}

bool HeldRows::empty(std::size_t destination) const {
  return state_->memory[destination].empty() && (!state_->disk[destination] || state_->disk[destination]->empty());
}

net::Task<bool> HeldRows::next(std::size_t destination, merge::Batch& out) {
  out.clear();
  if (state_->disk[destination]) {
    const bool read = co_await net::run_on_worker(
        [state = state_, destination] {
          state->read.clear();
          return state->disk[destination]->read(state->read);
        },
        {}, &disk_threads());
    out.swap(state_->read);
    if (read) co_return true;
    state_->disk[destination].reset();
  }
  out.swap(state_->memory[destination]);
  co_return !out.empty();
}

}  // namespace anabranch::proxy
