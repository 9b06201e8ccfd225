#include "proxy/mysql/returned_rows.h"

#include <algorithm>
#include <utility>

#include "backends/mysql_exchange.h"
#include "net/mysql/command_messages.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

net::Task<void> ReturnedRows::collect(Members members, std::span<const rewriter::ShardQuery> queries,
                                      std::span<const std::size_t> order) {
  std::vector<std::unique_ptr<Running>> running;
  for (std::size_t i = 0; i < members.size(); ++i) {
    backends::Lease& lease = members[i]->lease;
    backends::write_command(lease, net::mysql::ComQuery{queries[i].sql});
    lease->expect_ready();
    running.push_back(std::make_unique<Running>(state_, lease));
    streams_.add(lease, static_cast<std::size_t>(state_.db->config->limits.query_memory));
  }
  sources_.resize(members.size());
  streams_.send();
  std::exception_ptr failure;
  try {
    co_await read();
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) co_await streams_.drain();
  if (failure) std::rethrow_exception(failure);
  if (!order.empty()) check_counts(order);
}

void ReturnedRows::check_counts(std::span<const std::size_t> order) const {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    std::size_t rows = 0;
    for (const merge::Batch& batch : sources_[i].batches) rows += batch.size();
    if (rows == static_cast<std::size_t>(std::ranges::count(order, i))) continue;
    throw values::make_error(values::ErrorId::unsupported_clause, "RETURNING",
                             "a shard has returned another number of rows than it was given",
                             "Insert the rows of each key in a statement.");
  }
}

net::Task<void> ReturnedRows::read() {
  while (const auto next = co_await streams_.next()) {
    Stream& stream = streams_.stream(next->source);
    if (next->reply == Stream::Reply::columns) describe(stream.definitions());
    if (next->reply != Stream::Reply::rows) continue;
    budget_.charge(stream.rows.byte_size());
    sources_[next->source].batches.emplace_back().swap(stream.rows);
  }
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    Stream& stream = streams_.stream(i);
    const backends::Lease& lease = stream.lease();
    if (stream.failure()) throw backends::ServerError(*stream.failure(), lease.shard(), lease.shard_name());
    warnings_ += stream.warnings();
    if (stream.warnings() > 0) warned_.push_back(lease.shard());
  }
}

/// The columns are passed on as they come.
void ReturnedRows::describe(std::span<const std::string> definitions) {
  if (output_ != nullptr) {
    if (definitions.size() == answer_.result->size()) return;
    throw values::make_error(values::ErrorId::description_changed, "a shard answers with other columns");
  }
  answer_.result.emplace();
  answer_.recipe.emplace();
  for (std::size_t i = 0; i < definitions.size(); ++i) {
    const auto column = net::mysql::ColumnDefinition41::decode(definitions[i], state_.capabilities);
    const bool decimal = column && column->type == net::mysql::FieldType::new_decimal;
    const values::ColumnType type{decimal ? values::oid::numeric : values::oid::text, -1, nullptr};
    rewriter::ResultColumn result;
    result.definition = definitions[i];
    answer_.result->push_back(std::move(result));
    answer_.recipe->inputs.push_back({type, static_cast<int>(i), values::Format::text});
    answer_.recipe->outputs.push_back({static_cast<int>(i), type});
  }
  answer_.recipe->source = merge::Concat{};
  output_ = std::make_unique<RowOutput>(state_, answer_, binary_);
  output_->describe(definitions);
}

net::Task<void> ReturnedRows::send(std::span<const std::size_t> order, bool copies) {
  if (!order.empty()) {
    co_await send_in(order);
  } else {
    for (const Source& source : std::span(sources_).first(copies ? 1 : sources_.size())) {
      for (const merge::Batch& batch : source.batches) co_await output_->take(batch);
    }
  }
  output_->finish(static_cast<std::uint16_t>(std::min<std::uint64_t>(warnings_, 65535)));
}

net::Task<void> ReturnedRows::send_in(std::span<const std::size_t> order) {
  merge::Batch next;
  for (const std::size_t index : order) {
    Source& source = sources_[index];
    const merge::Batch& batch = source.batches[source.batch];
    next.append_row(batch, source.row);
    if (++source.row == batch.size()) {
      ++source.batch;
      source.row = 0;
    }
    constexpr std::size_t piece_bytes = 64 * 1024;
    if (next.byte_size() < piece_bytes) continue;
    co_await output_->take(next);
    next.clear();
  }
  co_await output_->take(next);
}

}  // namespace anabranch::proxy::mysql
