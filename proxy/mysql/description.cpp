#include "proxy/mysql/description.h"

#include <utility>

#include "backends/mysql_exchange.h"
#include "net/mysql/command_messages.h"
#include "net/mysql/flags.h"
#include "net/mysql/result_messages.h"
#include "proxy/mysql/variables.h"
#include "values/errors.h"
#include "values/mysql_type.h"

namespace anabranch::proxy::mysql {

namespace {

using net::mysql::ColumnDefinition41;
using values::MysqlCode;

constexpr std::uint16_t binary_collation = 63;

/// ENUM and SET are told as strings with a flag.
MysqlCode code_of(const ColumnDefinition41& column) {
  if ((column.flags & net::mysql::column_flag::is_enum) != 0) return MysqlCode::enum_;
  if ((column.flags & net::mysql::column_flag::is_set) != 0) return MysqlCode::set;
  // UUID and INET6 are told as text, and ordered otherwise.
  constexpr std::uint16_t marks = net::mysql::column_flag::is_unsigned | net::mysql::column_flag::binary;
  const bool own_order = column.type == net::mysql::FieldType::string && (column.flags & marks) == marks &&
                         column.collation != binary_collation;
  return own_order ? MysqlCode::geometry : static_cast<MysqlCode>(column.type);
}

}  // namespace

rewriter::ResultColumn result_column(std::string definition, net::mysql::Capabilities capabilities) {
  const auto column = ColumnDefinition41::decode(definition, capabilities);
  if (!column) throw values::make_error(values::ErrorId::shard_protocol, "a shard", column.error().message);
  const MysqlCode code = code_of(*column);
  const bool flag = net::mysql::is_number(column->type) ? (column->flags & net::mysql::column_flag::is_unsigned) != 0
                                    : column->collation == binary_collation;
  rewriter::ResultColumn made;
  made.name = column->name;
  made.type = values::mysql_type(code, flag);
  made.typmod = column->decimals;
  made.zerofill = (column->flags & net::mysql::column_flag::zerofill) != 0;
  made.definition = std::move(definition);
  return made;
}

net::Task<rewriter::Description> describe(State& state, rewriter::NeedDescribe::Ask ask) {
  co_await bring_variables(state, variables_of(ask.sql, state.planning.mysql).names, state.default_shard());
  auto* member = co_await state.attach(state.default_shard());
  backends::Lease& lease = member->lease;
  const Running running(state, lease);
  auto prepared = co_await backends::prepare_mysql_statement(lease, std::move(ask.sql));
  if (!prepared) throw backends::ServerError(prepared.error(), lease.shard(), lease.shard_name());
  backends::write_command(lease, net::mysql::ComStmtClose{prepared->statement});
  rewriter::Description description;
  description.parameters.resize(prepared->parameters);
  if (prepared->columns.empty()) co_return description;
  description.columns.emplace();
  for (std::string& column : prepared->columns) {
    description.columns->push_back(result_column(std::move(column), lease->server().form.capabilities));
  }
  co_return description;
}

}  // namespace anabranch::proxy::mysql
