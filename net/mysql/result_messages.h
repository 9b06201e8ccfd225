#pragma once

#include <cstdint>
#include <string_view>

#include "net/mysql/message.h"

/// What a server answers, rows aside (rows.h), and what rows are described by.
namespace anabranch::net::mysql {

/// The end of a statement without rows; with deprecate_eof also, as 0xfe, the end of rows.
struct Ok {
  static constexpr std::uint8_t header = 0x00;
  static constexpr std::uint8_t end_of_rows_header = 0xfe;
  bool ends_rows = false;
  std::uint64_t affected_rows = 0;
  std::uint64_t last_insert_id = 0;
  std::uint16_t status = 0;
  std::uint16_t warnings = 0;
  std::string_view info;
  std::string_view session_state;  // with session_track, for SessionChanges
  void encode(Buffer& out, Sequence& sequence, Capabilities capabilities) const;
  static Decoded<Ok> decode(std::string_view payload, Capabilities capabilities);
};

/// The end of column definitions and of rows, unless deprecate_eof.
struct Eof {
  static constexpr std::uint8_t header = 0xfe;
  static constexpr std::size_t bytes = 5;
  std::uint16_t warnings = 0;
  std::uint16_t status = 0;
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<Eof> decode(std::string_view payload);
};

struct Err {
  static constexpr std::uint8_t header = 0xff;
  static constexpr std::string_view general_sqlstate = "HY000";
  std::uint16_t code = 0;
  std::string_view sqlstate = general_sqlstate;  // 5 characters; left out before a handshake
  std::string_view message;
  void encode(Buffer& out, Sequence& sequence) const;
  /// Without a SQLSTATE on the wire it is general_sqlstate.
  static Decoded<Err> decode(std::string_view payload);
};

/// The first packet of a result that has rows.
struct ColumnCount {
  std::uint64_t columns = 0;
  bool metadata_follows = true;  // told with mariadb_cache_metadata only
  void encode(Buffer& out, Sequence& sequence, Capabilities capabilities) const;
  static Decoded<ColumnCount> decode(std::string_view payload, Capabilities capabilities);
};

/// In place of a column count: the client is to send a file, in packets, an empty one at its end.
struct LocalInfileRequest {
  static constexpr std::uint8_t header = 0xfb;
  std::string_view file;
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<LocalInfileRequest> decode(std::string_view payload);
};

struct ColumnDefinition41 {
  std::string_view catalog = "def";
  std::string_view schema;
  std::string_view table;  // its alias
  std::string_view original_table;
  std::string_view name;  // its alias
  std::string_view original_name;
  std::string_view extended_metadata;  // with mariadb_extended_metadata
  std::uint16_t collation = 0;
  std::uint32_t length = 0;
  FieldType type = FieldType::var_string;
  std::uint16_t flags = 0;
  std::uint8_t decimals = 0;
  Field default_value;       // COM_FIELD_LIST only
  bool has_default = false;  // whether it was there at all
  void encode(Buffer& out, Sequence& sequence, Capabilities capabilities) const;
  static Decoded<ColumnDefinition41> decode(std::string_view payload, Capabilities capabilities);
};

/// The answer to COM_STMT_PREPARE; definitions of parameters, then of columns, follow.
struct PrepareOk {
  static constexpr std::uint8_t header = 0x00;
  std::uint32_t statement = 0;
  std::uint16_t columns = 0;
  std::uint16_t parameters = 0;
  std::uint16_t warnings = 0;
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<PrepareOk> decode(std::string_view payload);
};

}  // namespace anabranch::net::mysql
