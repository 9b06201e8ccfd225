#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "values/sql_error.h"

namespace anabranch::values {

/// Every error that the proxy itself raises. The order is that of `kErrors`.
enum class ErrorId : uint16_t {
  unsupported_clause,
  unsupported_statement,
  unsupported_setting,
  unsupported_isolation,
  snapshots_failed,
  snapshots_late,
  unsupported_protocol_feature,
  cross_shard_join,
  non_colocated,
  not_pushable_subquery,
  opaque_function,
  ordering_unprovable,
  no_equality,
  second_writer,
  key_update,
  unmappable_syntax,
  catalog_mismatch,
  type_missing,
  oid_unknown,
  oid_unmapped,
  outdated_map,
  reading_changed,
  null_key,
  no_shard_for_key,
  no_lookup_row,
  wrong_lookup_row,
  lookup_in_stream,
  description_changed,
  commit_unknown,
  shard_unavailable,
  shard_lost,
  shard_protocol,
  no_such_database,
  not_permitted_database,
  invalid_password,
  invalid_authorization,
  tls_required,
  memory_budget,
  spill_budget,
  spill_full,
  spill_failed,
  gather_budget,
  too_many_connections,
  lease_timeout,
  lease_cycle,
  connection_lent,
  statement_too_complex,
  too_many_columns,
  too_many_bytes,
  protocol_violation,
  feature_not_in_protocol,
  in_failed_transaction,
  active_transaction,
  no_such_prepared_statement,
  duplicate_prepared_statement,
  no_such_portal,
  duplicate_portal,
  invalid_parameter_value,
  rejected_by_rule,
  shutdown,
  canceled,
  statement_timeout,
  idle_in_transaction_timeout,
  idle_session_timeout,
  numeric_value_out_of_range,
  text_out_of_range,
  float_overflow,
  float_underflow,
  numeric_overflow,
  division_by_zero,
  negative_square_root,
  cannot_convert,
  invalid_text,
  invalid_binary,
  invalid_encoding,
  datetime_overflow,
  interval_out_of_range,
  copy_bad_format,
  copy_column_count,
  configuration_changed,
  internal,
};

/// One row of the registry. `message` and `hint` are fmt templates that share one list of
/// arguments, numbered explicitly ({0}, {1}…); a row takes as many arguments as its highest number
/// says.
struct ErrorRow {
  ErrorId id;
  std::string_view name;  ///< stable: documentation, metrics and tests use it
  std::string_view sqlstate;
  uint16_t mysql_code;
  std::string_view message;
  std::string_view hint;
};

// clang-format off
inline constexpr auto kErrors = std::to_array<ErrorRow>({
    {ErrorId::unsupported_clause, "unsupported_clause", "0A000", 1235,
     "{0} across shards is not supported: {1}", "{2}"},
    {ErrorId::unsupported_statement, "unsupported_statement", "0A000", 1235,
     "{0} is not supported in a database with schemes", "{1}"},
    {ErrorId::unsupported_setting, "unsupported_setting", "0A000", 1235,
     "setting \"{0}\" to \"{1}\" is not supported through Anabranch", ""},
    {ErrorId::unsupported_isolation, "unsupported_isolation", "0A000", 1235,
     "{0} across shards is not supported: shards {1} and {2} would be read at different moments",
     "Use REPEATABLE READ, READ ONLY, which reads all shards at one moment; or READ COMMITTED; or keep the transaction "
     "on one shard."},
    {ErrorId::snapshots_failed, "snapshots_failed", "40001", 1213,
     "the snapshots of this transaction could not be taken", "Begin the transaction anew."},
    {ErrorId::snapshots_late, "snapshots_late", "55P03", 1205,
     "a snapshot of all shards could not be taken: commits over several shards do not end", "Try again."},
    {ErrorId::unsupported_protocol_feature, "unsupported_protocol_feature", "0A000", 1235,
     "{0} is not supported through Anabranch", "{1}"},
    {ErrorId::cross_shard_join, "cross_shard_join", "0A000", 1235,
     "joining {0} and {1} across shards is not supported: {2}",
     "Join co-located tables by their key, or make the smaller one a reference table."},
    {ErrorId::non_colocated, "non_colocated", "0A000", 1235,
     "{0} and {1} are not co-located: they are placed by schemes {2} and {3}",
     "Tables that are joined need the same scheme, or one of them must be a reference table."},
    {ErrorId::not_pushable_subquery, "not_pushable_subquery", "0A000", 1235,
     "a subquery across shards is not supported here: {0}",
     "Correlate the subquery by the key, or run it as a statement of its own."},
    {ErrorId::opaque_function, "opaque_function", "0A000", 1235,
     "function {0} may read tables that Anabranch cannot see",
     "Declare what it reads under \"functions\" in the configuration."},
    {ErrorId::ordering_unprovable, "ordering_unprovable", "0A000", 1235,
     "ordering by {0} across shards is not supported: {1}",
     "Add COLLATE \"C\" or an ICU collation to the ORDER BY expression."},
    {ErrorId::no_equality, "no_equality", "0A000", 1235,
     "{0} of type {1} across shards is not supported: {2}",
     "Cast the expression to a type with a known equality, such as text."},
    {ErrorId::second_writer, "second_writer", "0A000", 1235,
     "a transaction that writes to more than one shard is not supported: it has written to {0} and would now write to {1}",
     "Keep the transaction's writes on one shard, or use a single statement."},
    {ErrorId::key_update, "key_update", "0A000", 1235,
     "changing the key column \"{0}\" of \"{1}\" is not supported: the row might belong to another shard",
     "Delete the row and insert it again."},
    {ErrorId::unmappable_syntax, "unmappable_syntax", "0A000", 1235,
     "syntax that Anabranch does not know: {0}", "It may touch sharded tables, so it is not passed on."},
    {ErrorId::catalog_mismatch, "catalog_mismatch", "0A000", 1235,
     "{0} differs between shards {1} and {2}: {3}", "Make the definitions equal, then RELOAD."},
    {ErrorId::type_missing, "type_missing", "0A000", 1235,
     "type {0} of shard {1} does not exist on shard {2}", "Create it there, then RELOAD."},
    {ErrorId::oid_unknown, "oid_unknown", "40001", 1213,
     "OID {0} of shard {1} is of something newer than the catalog read from there", "Run the statement again."},
    {ErrorId::oid_unmapped, "oid_unmapped", "0A000", 1235,
     "OID {0} of shard {1} names what has no known counterpart on shard {2}", "Ask for the value in text format."},
    {ErrorId::outdated_map, "outdated_map", "55000", 1290,
     "this proxy's map is outdated: {0}",
     "Load the map with which the rows were moved (SIGHUP), then try again."},
    {ErrorId::reading_changed, "reading_changed", "0A000", 1235,
     "a prepared statement after a change of the settings that decide how its literals are read is not supported",
     "Prepare it again."},
    {ErrorId::null_key, "null_key", "23502", 1048,
     "null value in key column \"{0}\" of \"{1}\" has no shard",
     "Give the key a value, or declare \"nulls\" in the scheme."},
    {ErrorId::no_shard_for_key, "no_shard_for_key", "23514", 1526,
     "no shard is declared for key {0} of \"{1}\"", "Add it to the scheme, or declare \"otherwise\"."},
    {ErrorId::no_lookup_row, "no_lookup_row", "23514", 1526,
     "no shard is declared for key {0} of \"{1}\": table \"{2}\" has no row for it",
     "Insert one first, which names the key's shard."},
    {ErrorId::wrong_lookup_row, "wrong_lookup_row", "55000", 1526,
     "table \"{0}\" does not say where key {1} of scheme \"{2}\" lives: {3}",
     "Correct its rows: one for each key, with the name of a shard of the configuration."},
    {ErrorId::lookup_in_stream, "lookup_in_stream", "0A000", 1235,
     "rows of scheme \"{0}\" from a stream after a change of table \"{1}\" in the same transaction are not supported",
     "COMMIT first."},
    {ErrorId::description_changed, "description_changed", "40001", 1213,
     "the definition of what this statement reads changed while it ran: {0}", "Run the statement again."},
    {ErrorId::commit_unknown, "commit_unknown", "08007", 1047,
     "the commit is not known to have happened everywhere: committed on {0}; not committed or unknown on {1}",
     "Compare the shards' rows before repeating the statement."},
    {ErrorId::shard_unavailable, "shard_unavailable", "08006", 1429,
     "shard {0} cannot be reached: {1}", ""},
    {ErrorId::shard_lost, "shard_lost", "08006", 1158,
     "the connection to shard {0} was lost: {1}", ""},
    {ErrorId::shard_protocol, "shard_protocol", "08P01", 1835,
     "shard {0} sent what the protocol does not allow: {1}", ""},
    {ErrorId::no_such_database, "no_such_database", "3D000", 1049,
     "database \"{0}\" does not exist", ""},
    {ErrorId::not_permitted_database, "not_permitted_database", "42501", 1044,
     "permission denied for database \"{0}\"", ""},
    {ErrorId::invalid_password, "invalid_password", "28P01", 1045,
     "password authentication failed for user \"{0}\"", ""},
    {ErrorId::invalid_authorization, "invalid_authorization", "28000", 1045, "{0}", ""},
    {ErrorId::tls_required, "tls_required", "28000", 3159,
     "connections without TLS are not permitted", "Connect with sslmode=require."},
    {ErrorId::memory_budget, "memory_budget", "53200", 1038,
     "the statement needs more than limits.query_memory ({0} bytes)",
     "Return fewer groups or rows, or raise limits.query_memory."},
    {ErrorId::spill_budget, "spill_budget", "53200", 1038,
     "the rows that merging the statement puts on disk are more than limits.spill ({0} bytes)",
     "Return fewer groups or rows, or raise limits.query_memory or limits.spill."},
    {ErrorId::spill_full, "spill_full", "53100", 1021,
     "could not {0} a file of rows in {1}: {2}", "Make room there, or let limits.spill_directory name another place."},
    {ErrorId::spill_failed, "spill_failed", "58030", 3,
     "could not {0} a file of rows in {1}: {2}", "Let limits.spill_directory name a directory that the proxy may write to."},
    {ErrorId::gather_budget, "gather_budget", "53200", 1038,
     "the rows that the statement needs in one place are more than limits.spill ({0} bytes)",
     "Ask for fewer rows or columns, join tables by their key, or raise limits.spill."},
    {ErrorId::too_many_connections, "too_many_connections", "53300", 1040,
     "sorry, too many clients already", ""},
    {ErrorId::lease_timeout, "lease_timeout", "53300", 1040,
     "no connection to shard {0} became free within {1} ms", "Raise pool.size or pool.wait_timeout."},
    {ErrorId::lease_cycle, "lease_cycle", "53300", 1213,
     "transactions wait for each other's connections; this one gave way at shard {0}", "Run the transaction again."},
    {ErrorId::connection_lent, "connection_lent", "55000", 1235,
     "what the statement before has left on shard {0} is gone: no connection was free but the one that it was on",
     "Ask for it right behind the statement, or in one transaction with it; or raise pool.size."},
    {ErrorId::statement_too_complex, "statement_too_complex", "54001", 1436,
     "stack depth limit exceeded", "{0}"},
    {ErrorId::too_many_columns, "too_many_columns", "54011", 1117, "{0}", ""},
    {ErrorId::too_many_bytes, "too_many_bytes", "54000", 1153,
     "{0} is longer than the limit of {1} bytes", ""},
    {ErrorId::protocol_violation, "protocol_violation", "08P01", 1835, "{0}", ""},
    {ErrorId::feature_not_in_protocol, "feature_not_in_protocol", "0A000", 1835,
     "unsupported frontend protocol {0}", ""},
    {ErrorId::in_failed_transaction, "in_failed_transaction", "25P02", 1792,
     "current transaction is aborted, commands ignored until end of transaction block", ""},
    {ErrorId::active_transaction, "active_transaction", "25001", 1568,
     "{0} cannot run inside a transaction block", ""},
    {ErrorId::no_such_prepared_statement, "no_such_prepared_statement", "26000", 1243,
     "prepared statement \"{0}\" does not exist", ""},
    {ErrorId::duplicate_prepared_statement, "duplicate_prepared_statement", "42P05", 1064,
     "prepared statement \"{0}\" already exists", ""},
    {ErrorId::no_such_portal, "no_such_portal", "34000", 1243, "portal \"{0}\" does not exist", ""},
    {ErrorId::duplicate_portal, "duplicate_portal", "42P03", 1064, "cursor \"{0}\" already exists", ""},
    {ErrorId::invalid_parameter_value, "invalid_parameter_value", "22023", 1231, "{0}", ""},
    {ErrorId::rejected_by_rule, "rejected_by_rule", "42501", 1227, "{0}", ""},
    {ErrorId::shutdown, "shutdown", "57P01", 1053,
     "terminating connection due to administrator command", ""},
    {ErrorId::canceled, "canceled", "57014", 1317, "canceling statement due to user request", ""},
    {ErrorId::statement_timeout, "statement_timeout", "57014", 3024,
     "canceling statement due to statement timeout", ""},
    {ErrorId::idle_in_transaction_timeout, "idle_in_transaction_timeout", "25P03", 4031,
     "terminating connection due to idle-in-transaction timeout", ""},
    {ErrorId::idle_session_timeout, "idle_session_timeout", "57P05", 4031,
     "terminating connection due to idle-session timeout", ""},
    {ErrorId::numeric_value_out_of_range, "numeric_value_out_of_range", "22003", 1264,
     "{0} out of range", ""},
    {ErrorId::text_out_of_range, "text_out_of_range", "22003", 1264,
     "\"{0}\" is out of range for type {1}", ""},
    {ErrorId::float_overflow, "float_overflow", "22003", 1264, "value out of range: overflow", ""},
    {ErrorId::float_underflow, "float_underflow", "22003", 1264, "value out of range: underflow", ""},
    {ErrorId::numeric_overflow, "numeric_overflow", "22003", 1264, "value overflows numeric format", ""},
    {ErrorId::division_by_zero, "division_by_zero", "22012", 1365, "division by zero", ""},
    {ErrorId::negative_square_root, "negative_square_root", "2201F", 1690,
     "cannot take square root of a negative number", ""},
    {ErrorId::cannot_convert, "cannot_convert", "0A000", 1235, "cannot convert {0} to {1}", ""},
    {ErrorId::invalid_text, "invalid_text", "22P02", 1366,
     "invalid input syntax for type {0}: \"{1}\"", ""},
    {ErrorId::invalid_binary, "invalid_binary", "22P03", 1835,
     "incorrect binary data format for type {0}", ""},
    {ErrorId::invalid_encoding, "invalid_encoding", "22021", 1366,
     "invalid byte sequence for encoding \"UTF8\" in a value of type {0}", ""},
    {ErrorId::datetime_overflow, "datetime_overflow", "22008", 1441, "{0} out of range", ""},
    {ErrorId::interval_out_of_range, "interval_out_of_range", "22008", 1441, "interval out of range", ""},
    {ErrorId::copy_bad_format, "copy_bad_format", "22P04", 1262, "{0}", ""},
    {ErrorId::copy_column_count, "copy_column_count", "22P04", 1261, "{0}", ""},
    {ErrorId::configuration_changed, "configuration_changed", "40001", 1213,
     "the configuration changed under this transaction: {0}", "Run the transaction again."},
    {ErrorId::internal, "internal", "XX000", 1815, "internal error: {0}",
     "This is a defect of Anabranch; please report it."},
});
// clang-format on

constexpr const ErrorRow& error_row(ErrorId id) {
  return kErrors[static_cast<size_t>(id)];
}

/// All rows, for generating docs/errors.md and for metrics.
constexpr std::span<const ErrorRow> error_table() {
  return kErrors;
}

/// How many arguments the row's templates use.
constexpr size_t error_arity(ErrorId id) {
  size_t arity = 0;
  for (std::string_view text : {error_row(id).message, error_row(id).hint}) {
    for (size_t i = 0; i + 2 < text.size(); ++i) {
      if (text[i] == '{' && text[i + 1] >= '0' && text[i + 1] <= '9')
        arity = std::max(arity, static_cast<size_t>(text[i + 1] - '0') + 1);
    }
  }
  return arity;
}

/// An id whose row takes exactly `Count` arguments, checked when the call is compiled.
template <size_t Count>
struct CheckedErrorId {
  ErrorId id;
  // NOLINTNEXTLINE(google-explicit-constructor): the conversion is the check
  consteval CheckedErrorId(ErrorId checked) : id(checked) {
    if (error_arity(checked) != Count) throw "wrong number of arguments for this error's templates";
  }
};

SqlError make_error_from(ErrorId id, fmt::format_args args);

/// The error of row `id` with its templates filled. Detail, context and position are the caller's.
template <typename... Args>
SqlError make_error(CheckedErrorId<sizeof...(Args)> id, const Args&... args) {
  return make_error_from(id.id, fmt::make_format_args(args...));
}

}  // namespace anabranch::values
