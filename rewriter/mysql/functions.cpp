#include "rewriter/mysql/functions.h"

#include <algorithm>
#include <unordered_map>

#include "values/ascii.h"

namespace anabranch::rewriter::mysql {
namespace {

using Kind = FunctionKind;

struct Group {
  Kind kind;
  std::string_view names;  ///< separated by blanks
};

constexpr Group groups[] = {
    {Kind::aggregate,
     "any_value avg bit_and bit_or bit_xor count group_concat json_arrayagg json_objectagg max min std stddev "
     "stddev_pop stddev_samp sum var_pop var_samp variance"},
    {Kind::window,
     "cume_dist dense_rank first_value lag last_value lead median nth_value ntile percent_rank percentile_cont "
     "percentile_disc rank row_number"},
    // Of their arguments, of character sets, time zone and the like: what all servers of a session share.
    {Kind::pure,
     "abs acos adddate addtime aes_decrypt aes_encrypt ascii asin atan atan2 bin bit_count bit_length cast ceil "
     "ceiling char char_length character_length charset chr coalesce coercibility collation column_add "
     "column_check column_create column_delete column_exists column_get column_json column_list compress concat "
     "concat_ws conv convert convert_tz cos cot crc32 crc32c date date_add date_format date_sub datediff day "
     "dayname dayofmonth dayofweek dayofyear decode decode_oracle default degrees des_decrypt des_encrypt elt "
     "encode encrypt exp export_set extract extractvalue field find_in_set floor format format_pico_time "
     "from_base64 from_days from_unixtime get_format greatest grouping hex hour if ifnull inet6_aton inet6_ntoa "
     "inet_aton inet_ntoa insert instr interval is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 is_uuid isnull "
     "json_array json_array_append json_array_insert json_compact json_contains json_contains_path json_depth "
     "json_detailed json_equals json_exists json_extract json_insert json_keys json_length json_loose json_merge "
     "json_merge_patch json_merge_preserve json_normalize json_object json_overlaps json_overlay json_pretty "
     "json_query json_quote json_remove json_replace json_schema_valid json_search json_set json_storage_size "
     "json_type json_unquote json_valid json_value kdf last_day lcase least left length lengthb like_escape ln "
     "locate log log10 log2 lower lpad ltrim make_set makedate maketime match md5 microsecond mid minute mod "
     "month monthname name_const natural_sort_key nullif nvl nvl2 oct octet_length old_password ord password "
     "period_add period_diff pi point pointfromtext position pow power quarter quote radians regexp_instr "
     "regexp_like regexp_replace regexp_substr repeat replace reverse right round rpad rtrim sec_to_time second "
     "sformat sha sha1 sha2 sign sin soundex space sqrt st_area st_asbinary st_asgeojson st_astext st_aswkb "
     "st_aswkt st_buffer st_centroid st_contains st_crosses st_difference st_dimension st_disjoint st_distance "
     "st_distance_sphere st_envelope st_equals st_geomfromtext st_geomfromwkb st_intersection st_intersects "
     "st_isclosed st_isempty st_issimple st_isvalid st_length st_linefromtext st_numpoints st_overlaps "
     "st_pointfromtext st_pointn st_polyfromtext st_simplify st_srid st_startpoint st_touches st_union st_within "
     "st_x st_y str_to_date strcmp subdate substr substring substring_index subtime tan time time_format "
     "time_to_sec timediff timestamp timestampadd timestampdiff to_base64 to_char to_days to_seconds trim trim_oracle "
     "truncate ucase uncompress uncompressed_length unhex updatexml upper uuid_to_bin bin_to_uuid validate_password_strength "
     "value values week weekday weekofyear weight_string year yearweek"},
    {Kind::ambient,
     "connection_id current_role current_user database schema session_user sysdate system_user user version"},
    {Kind::moment,
     "curdate current_date current_time current_timestamp curtime localtime localtimestamp now unix_timestamp utc_date "
     "utc_time utc_timestamp"},
    {Kind::random, "rand random_bytes sys_guid uuid uuid_short"},
    {Kind::shared,
     "benchmark binlog_gtid_pos gtid_subset gtid_subtract load_file master_gtid_wait master_pos_wait ps_current_thread_id "
     "ps_thread_id sleep source_pos_wait wait_for_executed_gtid_set"},
    {Kind::session_call, "get_lock is_free_lock is_used_lock release_all_locks release_lock"},
    {Kind::last_insert, "last_insert_id"},
    {Kind::previous, "found_rows row_count"},
};

std::unordered_map<std::string_view, Kind> make_table() {
  std::unordered_map<std::string_view, Kind> table;
  for (const Group& group : groups) {
    std::string_view rest = group.names;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      if (end > 0) table.emplace(rest.substr(0, end), group.kind);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return table;
}

/// With an argument these are no longer about the session: UNIX_TIMESTAMP(x), or about it in another way.
Kind with_arguments(std::string_view name, Kind kind) {
  if (name == "unix_timestamp") return Kind::pure;
  // LAST_INSERT_ID(x) sets what the session knows.
  return kind == Kind::last_insert ? Kind::settings : kind;
}

const std::unordered_map<std::string_view, Kind>& known_functions() {
  static const std::unordered_map<std::string_view, Kind> table = make_table();
  return table;
}

}  // namespace

const conf::Function* find_declared(std::string_view name, const FunctionContext& context) {
  if (context.database == nullptr) return nullptr;
  const auto& functions = context.database->functions;
  const auto found = std::ranges::find_if(functions, [&](const conf::Function& declared) {
    return values::lower_case(declared.name.name) == values::lower_case(name);
  });
  return found == functions.end() ? nullptr : &*found;
}

bool is_moment(std::string_view name) {
  const auto found = known_functions().find(values::lower_case(name));
  return found != known_functions().end() && found->second == Kind::moment;
}

FunctionInfo classify(const tree::FunctionCall& call, const FunctionContext& context) {
  const auto& table = known_functions();
  FunctionInfo info;
  const std::string name = values::lower_case(call.name.back());
  // What is written as an operator is named as PostgreSQL's tree has it.
  const bool builtin = call.name.size() == 1 || call.name.front() == "pg_catalog";
  const auto found = builtin ? table.find(name) : table.end();
  if (found != table.end()) {
    info.kind = call.args.empty() ? found->second : with_arguments(name, found->second);
    if (info.kind == Kind::moment && context.fixed_clock) info.kind = Kind::pure;
  } else if (const conf::Function* declared = find_declared(name, context)) {
    if (declared->reads != conf::FunctionReads::key) info.kind = Kind::pure;
  }
  return info;
}

}  // namespace anabranch::rewriter::mysql
