#include "rewriter/functions.h"

#include <algorithm>
#include <array>
#include <set>

#include "rewriter/language.h"

namespace anabranch::rewriter {
namespace {

using Set = std::set<std::string_view>;

/// Stable built-ins that read nothing but the session's settings and their arguments.
const Set& of_settings_only() {
  static const Set names = {"age",
                            "array_to_json",
                            "array_to_string",
                            "concat",
                            "concat_ws",
                            "convert",
                            "convert_from",
                            "convert_to",
                            "date",
                            "date_part",
                            "date_trunc",
                            "enum_first",
                            "enum_last",
                            "enum_range",
                            "extract",
                            "format",
                            "generate_series",
                            "json_agg",
                            "json_build_array",
                            "json_build_object",
                            "json_object_agg",
                            "json_populate_record",
                            "json_populate_recordset",
                            "json_to_record",
                            "json_to_recordset",
                            "jsonb_agg",
                            "jsonb_build_array",
                            "jsonb_build_object",
                            "jsonb_object_agg",
                            "jsonb_path_exists_tz",
                            "jsonb_path_match_tz",
                            "jsonb_path_query_array_tz",
                            "jsonb_path_query_first_tz",
                            "jsonb_path_query_tz",
                            "jsonb_populate_record",
                            "jsonb_populate_recordset",
                            "jsonb_to_record",
                            "jsonb_to_recordset",
                            "length",
                            "make_timestamptz",
                            "money",
                            "numeric",
                            "overlaps",
                            "phraseto_tsquery",
                            "plainto_tsquery",
                            "quote_literal",
                            "quote_nullable",
                            "row_to_json",
                            "text",
                            "textanycat",
                            "anytextcat",
                            "time",
                            "timestamp",
                            "timestamptz",
                            "timetz",
                            "timezone",
                            "to_char",
                            "to_date",
                            "to_json",
                            "to_jsonb",
                            "to_number",
                            "to_timestamp",
                            "to_tsquery",
                            "to_tsvector",
                            "ts_headline",
                            "ts_match_tq",
                            "ts_match_tt",
                            "websearch_to_tsquery",
                            "xml",
                            "pg_client_encoding",
                            "getdatabaseencoding",
                            "in_range"};
  return names;
}

/// Built-ins without arguments whose value one backend computes for all.
const Set& ambient_calls() {
  static const Set names = {"now",
                            "transaction_timestamp",
                            "statement_timestamp",
                            "current_database",
                            "current_schema",
                            "current_user",
                            "session_user",
                            "version",
                            "pg_postmaster_start_time",
                            "pg_conf_load_time",
                            "inet_client_addr",
                            "inet_client_port",
                            "inet_server_addr",
                            "inet_server_port"};
  return names;
}

const Set& fresh_per_row() {
  static const Set names = {"random", "gen_random_uuid", "clock_timestamp", "timeofday"};
  return names;
}

const Set& session_calls() {
  static const Set names = {"pg_advisory_lock",      "pg_advisory_lock_shared",
                            "pg_try_advisory_lock",  "pg_try_advisory_lock_shared",
                            "pg_advisory_unlock",    "pg_advisory_unlock_shared",
                            "pg_advisory_unlock_all", "pg_notify"};
  return names;
}

/// Built-ins that run SQL given to them as text, or read tables by name.
const Set& runs_sql() {
  static const Set names = {
      "query_to_xml",    "query_to_xmlschema",    "query_to_xml_and_xmlschema",
      "table_to_xml",    "table_to_xmlschema",    "table_to_xml_and_xmlschema",
      "schema_to_xml",   "schema_to_xmlschema",   "schema_to_xml_and_xmlschema",
      "database_to_xml", "database_to_xmlschema", "database_to_xml_and_xmlschema",
      "cursor_to_xml",   "cursor_to_xmlschema",   "ts_stat",
      "ts_rewrite"};
  return names;
}

FunctionKind kind_of_builtin(const router::Function& function, std::size_t arguments) {
  const std::string_view name = function.name;
  if (function.kind == 'a') return FunctionKind::aggregate;
  if (function.kind == 'w') return FunctionKind::window;
  if (runs_sql().contains(name)) {
    return name == "ts_rewrite" && arguments == 3 ? FunctionKind::pure : FunctionKind::opaque;
  }
  if (name == "set_config") return FunctionKind::settings;
  if (session_calls().contains(name)) return FunctionKind::session_call;
  if (name == "currval" || name == "lastval") return FunctionKind::session_value;
  if (function.volatility == router::Volatility::immutable) return FunctionKind::pure;
  if (fresh_per_row().contains(name)) return FunctionKind::random;
  if (function.volatility == router::Volatility::volatile_) return FunctionKind::shared;
  if (name == "age" && arguments < 2) return FunctionKind::shared;  // reads current_date
  if (of_settings_only().contains(name)) return FunctionKind::pure;
  if (arguments == 0 && ambient_calls().contains(name)) return FunctionKind::ambient;
  return FunctionKind::shared;
}

bool declared_harmless(const router::Function& function, const conf::Database* database) {
  if (database == nullptr) return false;
  return std::ranges::any_of(database->functions, [&](const conf::Function& declared) {
    return declared.name.schema == function.schema && declared.name.name == function.name &&
           declared.reads != conf::FunctionReads::key;
  });
}

FunctionKind kind_of(const router::Function& function, std::size_t arguments,
                     const conf::Database* database) {
  if (function.builtin) return kind_of_builtin(function, arguments);
  if (function.kind == 'w') return FunctionKind::window;
  const bool harmless =
      function.volatility == router::Volatility::immutable || declared_harmless(function, database);
  if (function.kind == 'a') return harmless ? FunctionKind::aggregate : FunctionKind::opaque;
  return harmless ? FunctionKind::pure : FunctionKind::opaque;
}

/// format(text, VARIADIC "any").
bool takes_any_more(const router::Function& function, std::size_t arguments) {
  constexpr values::Oid any_type = 2276;
  const auto& types = function.arguments;
  return !types.empty() && types.back() == any_type && arguments + 1 >= types.size();
}

}  // namespace

FunctionInfo classify(const tree::FunctionCall& call, const FunctionContext& context) {
  return context.language->classify(call, context);
}

FunctionInfo classify_postgresql(const tree::FunctionCall& call, const FunctionContext& context) {
  std::vector<std::string> path = *context.search_path;
  if (call.name.size() > 1) path = {call.name[call.name.size() - 2]};
  FunctionInfo info;
  for (const router::Function* candidate :
       context.catalog->find_functions(path, call.name.back())) {
    if (call.name.size() > 1 && candidate->schema != path.front()) continue;
    const std::size_t arguments = call.args.size();
    // Defaults and VARIADIC make calls shorter or longer than the signature; only a lone exact
    // match of a built-in tells its overloads apart.
    const bool fits = candidate->arguments.size() == arguments || call.star || takes_any_more(*candidate, arguments);
    if (candidate->builtin && !fits && !candidate->arguments.empty() && candidate->kind == 'f' &&
        of_settings_only().contains(candidate->name)) {
      continue;
    }
    const FunctionKind kind = kind_of(*candidate, arguments, context.database);
    if (info.function == nullptr || kind > info.kind) info.kind = kind;
    // One of a user's own says that the built-in one may not be meant.
    if (info.function == nullptr || info.function->builtin) info.function = candidate;
    info.returns_set |= candidate->returns_set;
  }
  if (info.function == nullptr) info.kind = FunctionKind::unknown;
  return info;
}

bool is_ambient(const tree::SqlValueFunction& function) {
  return !type_of(function).empty();
}

std::string_view type_of(const tree::SqlValueFunction& function) {
  const std::string_view name = function.name;
  if (name == "current_date") return "date";
  if (name == "current_time") return "time with time zone";
  if (name == "current_timestamp") return "timestamp with time zone";
  if (name == "localtime") return "time without time zone";
  if (name == "localtimestamp") return "timestamp without time zone";
  return "name";
}

bool per_transaction(std::string_view function) {
  return function != "statement_timestamp";
}

bool is_oid_alias(const tree::TypeName& type) {
  if (type.names.empty()) return false;
  const std::string& name = type.names.back();
  return name.size() > 3 && name.starts_with("reg") && name != "register";
}

}  // namespace anabranch::rewriter
