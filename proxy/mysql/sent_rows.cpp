#include "proxy/mysql/sent_rows.h"

#include <utility>

#include "rewriter/mysql/merged_rows.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

/// max_allowed_packet, as servers have it where nobody has changed it.
constexpr std::size_t longest_statement = 16 * 1024 * 1024 - 64;

void check_length(std::string_view sql) {
  if (sql.size() <= longest_statement) return;
  throw values::make_error(values::ErrorId::unsupported_clause, "a statement of which one shard is sent rows",
                           "they are more than it reads at once: 16 MiB", "Group by the key, or ask for fewer rows.");
}

}  // namespace

SentRows::SentRows(const rewriter::Plan& plan, merge::MemoryBudget& budget) : plan_(plan), charge_(budget) {
  if (plan.finish) fields_.resize(plan.finish->columns.size());
}

void SentRows::add(const merge::Batch& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows.row(i).split(fields_);
    rewriter::mysql::append_merged_row(text_, *plan_.finish, fields_);
    ++count_;
  }
  charge_.set(text_.capacity());
  check_length(text_);
}

std::string SentRows::statement(std::span<const std::string> parts) {
  if (parts.size() != 3) throw values::make_error(values::ErrorId::internal, "a statement without a place for rows");
  std::string sql = parts[0];
  sql += count_ == 0 ? rewriter::mysql::no_merged_rows(*plan_.finish) : std::exchange(text_, {});
  sql += parts[1];
  sql += std::to_string(count_);
  sql += parts[2];
  check_length(sql);
  return sql;
}

}  // namespace anabranch::proxy::mysql
