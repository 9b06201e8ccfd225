#include "proxy/row_sink.h"

#include <fmt/format.h>

#include <cstdlib>

#include "net/pg/messages.h"
#include "proxy/replies.h"

namespace anabranch::proxy {

Outcome end_of_rows(SessionState& state, std::uint64_t sent, std::int32_t limit, std::string_view tag) {
  if (limit > 0 && sent == static_cast<std::uint64_t>(limit)) {
    net::pg::PortalSuspended{}.encode(state.out());
    return Outcome{.suspended = true};
  }
  send_complete(state.out(), tag);
  return Outcome{};
}

void BufferedRows::add(const merge::Batch& rows) {
  charge_.grow(rows.byte_size() + rows.size() * sizeof(std::uint32_t));
  for (std::size_t i = 0; i < rows.size(); ++i) rows_.append_row(rows, i);
}

net::Task<Outcome> BufferedRows::send(SessionState& state, std::int32_t limit) {
  std::uint64_t sent = 0;
  while (next_ < rows_.size() && (limit <= 0 || sent < static_cast<std::uint64_t>(limit))) {
    state.client.write(rows_.message(next_));
    ++next_;
    ++sent;
    if (state.client.congested()) co_await give_way_to_client(state);
  }
  co_return end_of_rows(state, sent, limit, whole_tag.empty() ? fmt::format("{} {}", command, sent) : whole_tag);
}

RowSink::RowSink(SessionState& state, Execution& execution)
    : state_(state), execution_(execution), plan_(*execution.plan->plan) {
  if (plan_.copy_out) {
    copy_.emplace(state, *plan_.copy_out);
    if (plan_.copy_out->format == rewriter::CopyFormat::Format::binary) copy_formats_.add(1);
  } else if (execution.row_limit > 0 && plan_.recipe) {
    buffer_ = std::make_shared<BufferedRows>(state.db->config->limits.query_memory);
  }
}

void RowSink::describe_rows() {
  described_ = true;
  if (execution_.simple && plan_.result) send_row_description(state_.out(), *plan_.result, {});
}

net::Task<void> RowSink::take(const merge::Batch& rows) {
  if (execution_.taker != nullptr) {
    described_ = true;
    co_return co_await (*execution_.taker)(rows);
  }
  if (!described_) describe_rows();
  count_ += rows.size();
  if (buffer_ != nullptr) {
    buffer_->add(rows);
    co_return;
  }
  if (copy_) {
    copy_->rows(rows);
  } else {
    state_.client.write(rows.bytes());
  }
  state_.client.send_now();
  if (state_.client.congested()) co_await give_way_to_client(state_);
}

net::Task<Outcome> RowSink::finish(std::string tag) {
  if (execution_.taker != nullptr) co_return Outcome{};
  if (copy_) {
    copy_->finish();
    send_complete(state_.out(), plan_.recipe ? fmt::format("COPY {}", count_) : tag);
    co_return Outcome{};
  }
  if (!described_) describe_rows();
  if (buffer_ != nullptr) {
    buffer_->whole_tag = std::move(tag);
    execution_.portal->buffered = buffer_;
    co_return co_await buffer_->send(state_, execution_.row_limit);
  }
  send_complete(state_.out(), tag.empty() ? fmt::format("SELECT {}", count_) : tag);
  co_return Outcome{};
}

int extra_float_digits(const SessionState& state) {
  const std::string* digits = state.settings.find("extra_float_digits");
  if (digits == nullptr) return 1;
  std::string_view text = *digits;
  if (text.starts_with('\'')) text = text.substr(1);
  return std::atoi(std::string(text).c_str());
}

}  // namespace anabranch::proxy
