#pragma once

#include <cstdint>
#include <optional>

/// The numbers of the protocol: capabilities, statuses, column flags, types.
namespace anabranch::net::mysql {

/// What client and server have agreed upon. The lower 32 bits are common to MySQL and MariaDB; the
/// upper ones are MariaDB's, sent only by peers that leave long_password out.
using Capabilities = std::uint64_t;

namespace capability {
inline constexpr Capabilities long_password = 1u << 0;  // MariaDB's CLIENT_MYSQL
inline constexpr Capabilities found_rows = 1u << 1;
inline constexpr Capabilities long_flag = 1u << 2;
inline constexpr Capabilities connect_with_db = 1u << 3;
inline constexpr Capabilities no_schema = 1u << 4;
inline constexpr Capabilities compress = 1u << 5;
inline constexpr Capabilities odbc = 1u << 6;
inline constexpr Capabilities local_files = 1u << 7;
inline constexpr Capabilities ignore_space = 1u << 8;
inline constexpr Capabilities protocol_41 = 1u << 9;
inline constexpr Capabilities interactive = 1u << 10;
inline constexpr Capabilities ssl = 1u << 11;
inline constexpr Capabilities ignore_sigpipe = 1u << 12;
inline constexpr Capabilities transactions = 1u << 13;
inline constexpr Capabilities reserved = 1u << 14;
inline constexpr Capabilities secure_connection = 1u << 15;
inline constexpr Capabilities multi_statements = 1u << 16;
inline constexpr Capabilities multi_results = 1u << 17;
inline constexpr Capabilities ps_multi_results = 1u << 18;
inline constexpr Capabilities plugin_auth = 1u << 19;
inline constexpr Capabilities connect_attributes = 1u << 20;
inline constexpr Capabilities plugin_auth_lenenc = 1u << 21;
inline constexpr Capabilities can_handle_expired_passwords = 1u << 22;
inline constexpr Capabilities session_track = 1u << 23;
inline constexpr Capabilities deprecate_eof = 1u << 24;
inline constexpr Capabilities optional_resultset_metadata = 1u << 25;
inline constexpr Capabilities zstd_compression = 1u << 26;
inline constexpr Capabilities query_attributes = 1u << 27;
inline constexpr Capabilities multi_factor_authentication = 1u << 28;
inline constexpr Capabilities capability_extension = 1u << 29;
inline constexpr Capabilities ssl_verify_server_cert = 1u << 30;
inline constexpr Capabilities remember_options = 1u << 31;
inline constexpr Capabilities mariadb_progress = Capabilities{1} << 32;
inline constexpr Capabilities mariadb_com_multi = Capabilities{1} << 33;
inline constexpr Capabilities mariadb_stmt_bulk_operations = Capabilities{1} << 34;
inline constexpr Capabilities mariadb_extended_metadata = Capabilities{1} << 35;
inline constexpr Capabilities mariadb_cache_metadata = Capabilities{1} << 36;
inline constexpr Capabilities mariadb_bulk_unit_results = Capabilities{1} << 37;

/// What changes the form of packets in ways that the codecs of this room do not have: never to be
/// offered to a client, nor asked of a server. (mariadb_extended_metadata and
/// mariadb_cache_metadata are decoded; whoever merges results has no use for them.)
inline constexpr Capabilities never_agreed =
    compress | zstd_compression | query_attributes | optional_resultset_metadata |
    multi_factor_authentication | mariadb_progress | mariadb_com_multi | mariadb_bulk_unit_results;
}  // namespace capability

inline bool has(Capabilities all, Capabilities one) {
  return (all & one) != 0;
}

/// Status flags of OK, EOF and the handshake.
namespace status {
inline constexpr std::uint16_t in_transaction = 1u << 0;
inline constexpr std::uint16_t autocommit = 1u << 1;
inline constexpr std::uint16_t more_results = 1u << 3;
inline constexpr std::uint16_t no_good_index_used = 1u << 4;
inline constexpr std::uint16_t no_index_used = 1u << 5;
inline constexpr std::uint16_t cursor_exists = 1u << 6;
inline constexpr std::uint16_t last_row_sent = 1u << 7;
inline constexpr std::uint16_t db_dropped = 1u << 8;
inline constexpr std::uint16_t no_backslash_escapes = 1u << 9;
inline constexpr std::uint16_t metadata_changed = 1u << 10;
inline constexpr std::uint16_t query_was_slow = 1u << 11;
inline constexpr std::uint16_t ps_out_params = 1u << 12;
inline constexpr std::uint16_t in_transaction_readonly = 1u << 13;
inline constexpr std::uint16_t session_state_changed = 1u << 14;
/// How a statement was carried out.
inline constexpr std::uint16_t advice = no_good_index_used | no_index_used | query_was_slow;
}  // namespace status

/// Flags of a column definition.
namespace column_flag {
inline constexpr std::uint16_t not_null = 1u << 0;
inline constexpr std::uint16_t primary_key = 1u << 1;
inline constexpr std::uint16_t unique_key = 1u << 2;
inline constexpr std::uint16_t multiple_key = 1u << 3;
inline constexpr std::uint16_t blob = 1u << 4;
inline constexpr std::uint16_t is_unsigned = 1u << 5;
inline constexpr std::uint16_t zerofill = 1u << 6;
inline constexpr std::uint16_t binary = 1u << 7;
inline constexpr std::uint16_t is_enum = 1u << 8;
inline constexpr std::uint16_t auto_increment = 1u << 9;
inline constexpr std::uint16_t timestamp = 1u << 10;
inline constexpr std::uint16_t is_set = 1u << 11;
inline constexpr std::uint16_t no_default_value = 1u << 12;
inline constexpr std::uint16_t on_update_now = 1u << 13;
inline constexpr std::uint16_t numeric = 1u << 15;
}  // namespace column_flag

/// COM_STMT_EXECUTE's flags.
namespace cursor {
inline constexpr std::uint8_t none = 0;
inline constexpr std::uint8_t read_only = 1;
inline constexpr std::uint8_t for_update = 2;
inline constexpr std::uint8_t scrollable = 4;
}  // namespace cursor

/// Types of columns and parameters (enum_field_types).
enum class FieldType : std::uint8_t {
  decimal = 0,
  tiny_int = 1,
  small_int = 2,
  int_ = 3,
  float_ = 4,
  double_ = 5,
  null = 6,
  timestamp = 7,
  big_int = 8,
  medium_int = 9,
  date = 10,
  time = 11,
  datetime = 12,
  year = 13,
  new_date = 14,
  varchar = 15,
  bit = 16,
  timestamp2 = 17,
  datetime2 = 18,
  time2 = 19,
  vector = 242,
  json = 245,
  new_decimal = 246,
  enum_ = 247,
  set = 248,
  tiny_blob = 249,
  medium_blob = 250,
  long_blob = 251,
  blob = 252,
  var_string = 253,
  string = 254,
  geometry = 255,
};

/// How a type's values stand in the binary protocol.
struct BinaryForm {
  enum class Kind : std::uint8_t {
    fixed,     // `size` bytes
    temporal,  // a byte that is the length, then the parts
    counted,   // a length-encoded string
    nothing,   // no byte at all (type null)
    unknown,   // not a type that the protocol sends
  };
  Kind kind = Kind::unknown;
  std::uint8_t size = 0;
};
BinaryForm binary_form(FieldType type);
/// Integers, decimals and reals: what may be unsigned.
bool is_number(FieldType type);

}  // namespace anabranch::net::mysql
