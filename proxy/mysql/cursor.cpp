#include "proxy/mysql/cursor.h"

#include <utility>

#include "net/mysql/flags.h"
#include "proxy/mysql/relay.h"

namespace anabranch::proxy::mysql {

CursorRows::CursorRows(State& state, CachedPlanPtr plan)
    : state_(state),
      plan_(std::move(plan)),
      budget_(state.db->config->limits.query_memory),
      charge_(budget_),
      output_(state, *plan_->plan, true) {}

void CursorRows::keep(const merge::Batch& rows) {
  charge_.grow(rows.byte_size() + rows.size() * sizeof(std::uint32_t));
  for (std::size_t i = 0; i < rows.size(); ++i) rows_.append_row(rows, i);
}

void CursorRows::open(std::uint16_t warnings) {
  output_.open_cursor(warnings);
}

net::Task<bool> CursorRows::fetch(std::uint32_t count) {
  for (; count > 0 && next_ < rows_.size(); --count, ++next_) {
    output_.write(rows_.row(next_));
    if (state_.client.congested()) co_await output_.send();
  }
  // A server knows that there are no more when it has looked for one.
  const bool all = count > 0;
  end_rows(state_, 0, all ? net::mysql::status::last_row_sent : net::mysql::status::cursor_exists);
  co_return !all;
}

}  // namespace anabranch::proxy::mysql
