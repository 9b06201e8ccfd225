#include "proxy/mysql/maintenance.h"

#include <algorithm>
#include <utility>

#include "net/mysql/result_messages.h"
#include "net/mysql/rows.h"
#include "net/mysql/text_to_binary.h"
#include "proxy/execute.h"
#include "proxy/mysql/ask_all.h"
#include "proxy/mysql/relay.h"
#include "proxy/mysql/replies.h"
#include "proxy/mysql/transaction.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using Enlisted = backends::Transaction::Enlisted;
using Table = rewriter::SessionPlan::Table;

/// What every shard has said, by number.
net::Task<std::vector<backends::CommandResult>> ask_shards(State& state, const Request& request) {
  std::vector<Enlisted*> members;
  const auto count = static_cast<std::uint32_t>(state.db->map->shards().size());
  for (std::uint32_t shard = 0; shard < count; ++shard) {
    members.push_back(co_await enlist(state, *request.plan->plan, shard));
  }
  co_return co_await ask_all(state, members, request.statement->text);
}

/// A table's checksum is the sum of its rows', in 32 bits; NULL of a table that is not there.
void add_checksum(Row& sum, const Row& other) {
  std::optional<std::string>& total = sum.at(1);
  if (total && other.at(1)) {
    total = std::to_string((leading_number(*total) + leading_number(*other.at(1))) & 0xffffffffU);
  } else {
    total.reset();
  }
}

class Merged {
 public:
  Merged(const rewriter::SessionPlan& plan, const std::vector<backends::CommandResult>& answers, std::uint32_t standard)
      : plan_(plan), answers_(answers), standard_(standard), sums_(plan.name == "CHECKSUM TABLE") {}

  /// In the order of the default shard's answer, which has something to say of each table.
  std::vector<Row> rows() {
    std::vector<std::string> done;
    for (const Row& row : answers_[standard_].rows) {
      const std::string name = row.at(0).value_or("");
      if (std::ranges::find(done, name) != done.end()) continue;
      done.push_back(name);
      add_table(name);
    }
    return std::move(rows_);
  }

 private:
  void add_table(const std::string& name) {
    const auto table = std::ranges::find(plan_.tables, name, &Table::name);
    const std::size_t first = rows_.size();
    if (table == plan_.tables.end() || (table->shard < 0 && table->copies && sums_)) {
      return add_from(standard_, name, first);
    }
    if (table->shard >= 0) return add_from(static_cast<std::size_t>(table->shard), name, first);
    for (std::size_t shard = 0; shard < answers_.size(); ++shard) add_from(shard, name, first);
  }

  void add_from(std::size_t shard, const std::string& name, std::size_t first) {
    for (const Row& row : answers_[shard].rows) {
      if (row.at(0) != name) continue;
      if (sums_ && rows_.size() > first) {
        add_checksum(rows_.back(), row);
      } else if (std::find(rows_.begin() + static_cast<std::ptrdiff_t>(first), rows_.end(), row) == rows_.end()) {
        rows_.push_back(row);
      }
    }
  }

  const rewriter::SessionPlan& plan_;
  const std::vector<backends::CommandResult>& answers_;
  const std::uint32_t standard_;
  const bool sums_;
  std::vector<Row> rows_;
};

/// As a server sends them of a statement that it has prepared.
void send_binary_rows(State& state, const std::vector<std::string>& definitions, const std::vector<Row>& rows,
                      std::uint16_t warnings) {
  begin_rows(state, definitions);
  net::mysql::BinaryScratch scratch;
  for (const Row& row : rows) {
    net::mysql::BinaryRowWriter writer(state.out(), state.sequence, row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto column = net::mysql::ColumnDefinition41::decode(definitions[i], state.form.capabilities);
      if (!column) throw values::make_error(values::ErrorId::description_changed, "a malformed column");
      const bool is_unsigned = (column->flags & net::mysql::column_flag::is_unsigned) != 0;
      writer.add(column->type, row[i] ? net::mysql::text_to_binary(column->type, is_unsigned, *row[i], scratch) : std::nullopt);
    }
  }
  end_rows(state, warnings);
}

}  // namespace

net::Task<void> maintain(State& state, const Request& request) {
  const rewriter::Plan& plan = *request.plan->plan;
  const bool reads = plan.session->name == "CHECKSUM TABLE";
  if (!reads && state.transaction.state() != backends::TransactionState::none) co_await commit(state);
  if (reads) co_await open_transaction(state, plan);
  const auto answers = co_await ask_shards(state, request);
  const std::uint32_t standard = state.default_shard();
  const backends::CommandResult& said = answers[standard];
  if (said.columns.empty()) throw values::make_error(values::ErrorId::description_changed, "a shard answers without rows");
  const std::vector<Row> rows = Merged(*plan.session, answers, standard).rows();
  state.note_done(State::Counts{-1, rows.size()});
  state.note_warned(said.warnings > 0 ? std::vector<std::uint32_t>{standard} : std::vector<std::uint32_t>());
  if (request.prepared != nullptr) {
    send_binary_rows(state, said.columns, rows, said.warnings);
  } else {
    send_rows(state, said.columns, rows, said.warnings);
  }
}

}  // namespace anabranch::proxy::mysql
