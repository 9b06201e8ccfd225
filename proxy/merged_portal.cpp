#include "proxy/merged_portal.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "backends/exchange.h"
#include "net/pg/messages.h"
#include "proxy/partial_requests.h"
#include "proxy/replies.h"
#include "proxy/row_sink.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

/// One batch of a shard should come to about this much.
constexpr std::uint64_t batch_bytes = 128 * 1024;
constexpr std::int32_t first_batch_rows = 64;
constexpr std::int32_t most_batch_rows = 8192;

/// The session's settings that decide how values are written as text.
std::string writing_key(const SessionState& state) {
  const std::string* bytes = state.settings.find("bytea_output");
  return bytes == nullptr ? state.reading_key : state.reading_key + *bytes;
}

std::vector<std::int16_t> wanted_formats(const rewriter::Plan& plan, net::pg::FormatList outputs) {
  std::vector<std::int16_t> wanted;
  for (std::size_t i = 0; i < plan.recipe->outputs.size(); ++i) wanted.push_back(net::pg::format_of(outputs, i));
  return wanted;
}

}  // namespace

/// One round of requests to some of the sources, and their replies.
class MergedPortal::Filling {
 public:
  Filling(SessionState& state, MergedPortal& portal) : state_(state), portal_(portal) {}

  net::Task<backends::Lease*> add(std::size_t source) {
    const std::uint32_t shard = portal_.sources_[source].shard;
    auto* member = co_await state_.transaction.enlist(shard, state_.target(shard), state_.token());
    sources_.push_back(source);
    fetched_.push_back(0);
    unparsed_.push_back(false);
    names_.emplace_back();
    running_.push_back(std::make_unique<Running>(state_, member->lease));
    exchange_.stream(exchange_.add(member->lease)).longest_row = state_.db->config->limits.query_memory;
    co_return &member->lease;
  }

  void set_parse(std::string name, bool sent) {
    names_.back() = std::move(name);
    unparsed_.back() = sent;
  }

  net::Task<void> read() {
    exchange_.send();
    std::exception_ptr failure;
    try {
      while (auto next = co_await exchange_.next()) take(*next);
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure && !error_) co_return;
    const bool again = error_ && must_prepare_again(error_->fields, names_[failed_]);
    co_await stop_partials(exchange_, names_, unparsed_, again);
    if (failure) std::rethrow_exception(failure);
    throw std::move(*error_);
  }

  std::uint64_t rows() const { return rows_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  void take(const backends::Exchange::Next& next) {
    if (next.reply.kind == backends::Reply::Kind::rows) {
      take_rows(next.source);
      return;
    }
    if (next.reply.kind != backends::Reply::Kind::message) return;
    const net::pg::Message& message = next.reply.message;
    switch (message.type) {
      case '1': unparsed_[next.source] = false; break;
      case 'T': check_partial_columns(*state_.db, portal_.plan(), exchange_.lease(next.source), message); break;
      case 'C': take_end(next.source); break;
      case 'E': take_error(next.source, message); break;
      case 'N': state_.client.write(message.raw); break;
      default: break;
    }
  }

  void take_rows(std::size_t index) {
    merge::Batch rows;
    rows.swap(exchange_.stream(index).rows);
    portal_.sources_[sources_[index]].oids.translate(rows);
    rows_ += rows.size();
    bytes_ += rows.byte_size();
    fetched_[index] += rows.size();
    portal_.merger_->consume(sources_[index], std::move(rows));
  }

  /// Execute ends with CommandComplete at the end of the rows; FETCH ends so each time.
  void take_end(std::size_t index) {
    const bool more = portal_.refill_ == Refill::fetch &&
                      fetched_[index] >= static_cast<std::uint64_t>(portal_.batch_rows_);
    if (more) return;
    portal_.sources_[sources_[index]].ended = true;
    portal_.merger_->finish(sources_[index]);
  }

  void take_error(std::size_t index, const net::pg::Message& message) {
    backends::ServerError error = partial_error(exchange_.lease(index), message);
    if (error_) return;
    failed_ = index;
    error_.emplace(std::move(error));
  }

  SessionState& state_;
  MergedPortal& portal_;
  std::vector<std::size_t> sources_;
  std::vector<std::uint64_t> fetched_;
  std::vector<std::string> names_;
  std::vector<bool> unparsed_;
  std::vector<std::unique_ptr<Running>> running_;
  backends::Exchange exchange_{net::CancelToken{}};
  std::optional<backends::ServerError> error_;
  std::size_t failed_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
};

MergedPortal::MergedPortal(SessionState& state, const Execution& execution, std::string name, Refill refill)
    : plan_(execution.plan),
      bound_(rewriter::bind(bind_request(state, execution))),
      name_(std::move(name)),
      refill_(refill),
      batch_rows_(first_batch_rows) {
  for (const auto& query : bound_.queries) sources_.push_back({static_cast<std::uint32_t>(query.shard), false, {}});
}

net::Task<std::shared_ptr<MergedPortal>> MergedPortal::open(SessionState& state, const Execution& execution,
                                                            std::string name, Refill refill) {
  std::shared_ptr<MergedPortal> portal(new MergedPortal(state, execution, std::move(name), refill));
  if (refill == Refill::execute) portal->set_formats(state, execution.result_formats);
  state.transaction.begin_implicit();
  co_await portal->bind(state, execution);
  co_return portal;
}

MergedPortal::MergedPortal(SessionState& state, const Execution& execution, net::pg::FormatList outputs)
    : plan_(execution.plan),
      refill_(Refill::fetch),
      formats_(wanted_formats(plan(), outputs)),
      written_under_(writing_key(state)),
      batch_rows_(first_batch_rows),
      held_(true) {}

net::Task<std::shared_ptr<MergedPortal>> MergedPortal::gather(SessionState& state, Execution& execution,
                                                              net::pg::FormatList formats) {
  std::shared_ptr<MergedPortal> portal(new MergedPortal(state, execution, formats));
  merge::Charge& bytes = portal->held_bytes_.emplace(state.held_rows);
  merge::Batch& kept = portal->out_;
  co_await gather_rows(state, execution, input_formats(portal->plan(), formats), [&](const merge::Batch& rows) {
    bytes.grow(rows.byte_size() + rows.size() * sizeof(std::uint32_t));
    for (std::size_t i = 0; i < rows.size(); ++i) kept.append_row(rows, i);
  });
  co_return portal;
}

net::Task<void> MergedPortal::bind(SessionState& state, const Execution& execution) {
  Filling filling(state, *this);
  for (std::size_t source = 0; source < sources_.size(); ++source) {
    backends::Lease* lease = co_await filling.add(source);
    PartialRequest partial(state, execution, input_formats(*execution.plan->plan, execution.result_formats),
                           sources_[source].shard, bound_.queries[source].sql);
    partial.request.portal = name_;
    partial.request.open_only = true;
    const bool parsing = send_request(*lease, partial.request);
    filling.set_parse(std::move(partial.name), parsing);
  }
  co_await filling.read();
}

void MergedPortal::set_formats(const SessionState& state, net::pg::FormatList outputs) {
  std::vector<std::int16_t> wanted = wanted_formats(plan(), outputs);
  if (formats_) {
    if (*formats_ == wanted) return;
    throw values::make_error(values::ErrorId::unsupported_clause, "FETCH in another format than the one before",
                             "rows that have come already are in that format", "Declare another cursor.");
  }
  formats_ = std::move(wanted);
  written_under_ = writing_key(state);
  input_formats_ = input_formats(plan(), outputs);
  for (Source& source : sources_) source.oids = input_oids(*state.db, source.shard, plan(), input_formats_.list());
  const conf::Limits& limits = state.db->config->limits;
  merger_.emplace(plan_, *plan().recipe, merge_binding(state, plan(), bound_, outputs), sources_.size(),
                  std::make_shared<merge::MemoryBudget>(limits.query_memory), limits, state.worker.metrics());
}

void MergedPortal::ask(backends::Lease& lease) const {
  if (refill_ == Refill::execute) {
    send_execute(lease, name_, batch_rows_);
    return;
  }
  net::Buffer& out = lease->socket().out();
  const std::string sql = fmt::format("FETCH FORWARD {} FROM {}", batch_rows_, backends::quote_identifier(name_));
  net::pg::Parse{{}, sql, {}}.encode(out);
  net::pg::Bind{{}, {}, {}, {}, input_formats_.list()}.encode(out);
  send_execute(lease, {}, 0);
}

/// Rows as wide as those that came make the next batches about as large as they should be.
void MergedPortal::adapt(std::uint64_t rows, std::uint64_t bytes) {
  if (rows == 0) return;
  const std::uint64_t fitting = batch_bytes / std::max<std::uint64_t>(bytes / rows, 1);
  batch_rows_ = static_cast<std::int32_t>(std::clamp<std::uint64_t>(fitting, 1, most_batch_rows));
}

net::Task<void> MergedPortal::refill(SessionState& state, std::vector<std::size_t> sources) {
  check_writing(state);
  Filling filling(state, *this);
  for (const std::size_t source : sources) {
    backends::Lease* lease = co_await filling.add(source);
    ask(*lease);
  }
  co_await filling.read();
  adapt(filling.rows(), filling.bytes());
}

/// False: there are no more.
net::Task<bool> MergedPortal::next_rows(SessionState& state) {
  if (held_) co_return false;
  next_ = 0;
  while (true) {
    const MergeWork::Status status = co_await merger_->next(out_);
    if (status.kind == MergeWork::Status::Kind::rows) {
      if (!out_.empty()) co_return true;
      state.check_cancelled();
      continue;
    }
    if (status.kind == MergeWork::Status::Kind::end) co_return false;
    std::vector<std::size_t> sources;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (!sources_[i].ended && (status.any || i == status.source)) sources.push_back(i);
    }
    if (sources.empty()) {
      throw values::make_error(values::ErrorId::internal, "the merge waits for shards that have ended");
    }
    co_await refill(state, std::move(sources));
  }
}

void MergedPortal::check_writing(const SessionState& state) const {
  if (writing_key(state) == written_under_) return;
  throw values::make_error(values::ErrorId::unsupported_clause, "FETCH after SET of how values are written",
                           "rows that have come already are written as before", "Set it before the first FETCH.");
}

net::Task<std::uint64_t> MergedPortal::fetch(SessionState& state, std::uint64_t limit, bool send) {
  if (send) check_writing(state);
  failed_ = true;  // until it has gone well
  std::uint64_t count = 0;
  while (count < limit && !at_end_) {
    if (next_ >= out_.size() && !co_await next_rows(state)) {
      at_end_ = true;
      out_.clear();
      break;
    }
    if (send) state.client.write(out_.message(next_));
    ++next_;
    ++count;
    if (state.client.congested()) co_await give_way_to_client(state);
  }
  position_ += count;
  failed_ = false;
  co_return count;
}

net::Task<void> MergedPortal::hold(SessionState& state) {
  if (held_) co_return;
  held_bytes_.emplace(state.held_rows);
  failed_ = true;  // until it has gone well
  merge::Batch rest;
  do {
    for (; next_ < out_.size(); ++next_) {
      held_bytes_->grow(out_.message(next_).size() + sizeof(std::uint32_t));
      rest.append_row(out_, next_);
    }
  } while (!at_end_ && co_await next_rows(state));
  close(state);
  merger_.reset();
  out_.swap(rest);
  next_ = 0;
  held_ = true;
  failed_ = false;
}

void MergedPortal::close(SessionState& state) noexcept {
  if (held_) return;
  for (Source& source : sources_) {
    auto* member = state.transaction.find(source.shard);
    if (member == nullptr || !member->began || member->lease->broken()) continue;
    if (member->lease->pending() == member->lease->skipped()) send_close_portal(member->lease, name_);
    source.ended = true;
  }
}

bool can_be_merged_portal(const rewriter::Plan& plan) {
  return plan.kind == rewriter::PlanKind::scatter && plan.recipe && !plan.copy_out && !writes(plan);
}

bool begins_merged_portal(const Execution& execution) {
  const rewriter::Plan& plan = *execution.plan->plan;
  return execution.row_limit > 0 && can_be_merged_portal(plan);
}

net::Task<Outcome> run_merged_portal(SessionState& state, Execution& execution) {
  PortalState& portal = *execution.portal;
  if (portal.buffered != nullptr) co_return co_await portal.buffered->send(state, execution.row_limit);
  if (portal.merged == nullptr) {
    const auto refill = MergedPortal::Refill::execute;
    portal.merged = co_await MergedPortal::open(state, execution, portal.server_name, refill);
  }
  const auto limit = execution.row_limit > 0 ? static_cast<std::uint64_t>(execution.row_limit) : std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t count = co_await portal.merged->fetch(state, limit, true);
  co_return end_of_rows(state, count, execution.row_limit, fmt::format("SELECT {}", count));
}

}  // namespace anabranch::proxy
