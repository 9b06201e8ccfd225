#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/pg/framing.h"
#include "net/pg/lists.h"

/// Every message of protocol 3 as a plain struct: `encode(out)` appends it to a buffer,
/// `decode(payload)` reads it back. Strings and lists are views into the payload; they live as long
/// as it does. A payload that is too short, too long or out of range is a DecodeError.
namespace anabranch::net::pg {

template <typename M>
using Decoded = std::expected<M, DecodeError>;

// --- the first packet of a connection (untyped) ---

inline constexpr std::int32_t protocol_3_0 = 3 << 16;
inline constexpr std::int32_t cancel_request_code = 80877102;
inline constexpr std::int32_t ssl_request_code = 80877103;
inline constexpr std::int32_t gssenc_request_code = 80877104;

/// The code that stands first in a startup packet: a protocol version or one of the codes above.
Decoded<std::int32_t> startup_code(std::string_view payload);

struct StartupMessage {
  std::int32_t version = protocol_3_0;
  std::vector<std::pair<std::string_view, std::string_view>> parameters;  // in the client's order
  std::string_view parameter(std::string_view name) const;                // empty: not there
  void encode(Buffer& out) const;
  static Decoded<StartupMessage> decode(std::string_view payload);
};
struct SSLRequest {
  void encode(Buffer& out) const;
  static Decoded<SSLRequest> decode(std::string_view payload);
};
struct GSSENCRequest {
  void encode(Buffer& out) const;
  static Decoded<GSSENCRequest> decode(std::string_view payload);
};
struct CancelRequest {
  std::int32_t process = 0;
  std::int32_t secret = 0;
  void encode(Buffer& out) const;
  static Decoded<CancelRequest> decode(std::string_view payload);
};

// --- from the client ---

struct PasswordMessage {
  static constexpr char type = 'p';
  std::string_view password;
  void encode(Buffer& out) const;
  static Decoded<PasswordMessage> decode(std::string_view payload);
};
struct SASLInitialResponse {
  static constexpr char type = 'p';
  std::string_view mechanism;
  Field response;
  void encode(Buffer& out) const;
  static Decoded<SASLInitialResponse> decode(std::string_view payload);
};
struct SASLResponse {
  static constexpr char type = 'p';
  std::string_view response;
  void encode(Buffer& out) const;
  static Decoded<SASLResponse> decode(std::string_view payload);
};
struct Query {
  static constexpr char type = 'Q';
  std::string_view sql;
  void encode(Buffer& out) const;
  static Decoded<Query> decode(std::string_view payload);
};
struct Parse {
  static constexpr char type = 'P';
  std::string_view statement;
  std::string_view sql;
  OidList parameter_types;  // 0: unspecified
  void encode(Buffer& out) const;
  static Decoded<Parse> decode(std::string_view payload);
};
struct Bind {
  static constexpr char type = 'B';
  std::string_view portal;
  std::string_view statement;
  FormatList parameter_formats;
  FieldList parameters;
  FormatList result_formats;
  void encode(Buffer& out) const;
  static Decoded<Bind> decode(std::string_view payload);
};
struct Describe {
  static constexpr char type = 'D';
  char kind = 'S';  // 'S' statement, 'P' portal
  std::string_view name;
  void encode(Buffer& out) const;
  static Decoded<Describe> decode(std::string_view payload);
};
struct Execute {
  static constexpr char type = 'E';
  std::string_view portal;
  std::int32_t row_limit = 0;  // 0: no limit
  void encode(Buffer& out) const;
  static Decoded<Execute> decode(std::string_view payload);
};
struct Close {
  static constexpr char type = 'C';
  char kind = 'S';
  std::string_view name;
  void encode(Buffer& out) const;
  static Decoded<Close> decode(std::string_view payload);
};
struct FunctionCall {
  static constexpr char type = 'F';
  std::uint32_t function = 0;
  FormatList argument_formats;
  FieldList arguments;
  std::int16_t result_format = 0;
  void encode(Buffer& out) const;
  static Decoded<FunctionCall> decode(std::string_view payload);
};
struct CopyFail {
  static constexpr char type = 'f';
  std::string_view message;
  void encode(Buffer& out) const;
  static Decoded<CopyFail> decode(std::string_view payload);
};

/// A message that is its type alone.
template <char Type>
struct Bare {
  static constexpr char type = Type;
  void encode(Buffer& out) const { MessageWriter(out, Type); }
  static Decoded<Bare> decode(std::string_view payload) {
    if (!payload.empty()) return std::unexpected(DecodeError{"message must be empty"});
    return Bare{};
  }
};
using Flush = Bare<'H'>;
using Sync = Bare<'S'>;
using Terminate = Bare<'X'>;

// --- both ways ---

struct CopyData {
  static constexpr char type = 'd';
  std::string_view data;
  void encode(Buffer& out) const;
  static Decoded<CopyData> decode(std::string_view payload);
};
using CopyDone = Bare<'c'>;

// --- from the server ---

/// All Authentication messages share type 'R'.
struct Authentication {
  static constexpr char type = 'R';
  enum class Kind : std::int32_t {
    ok = 0,
    kerberos = 2,
    cleartext = 3,
    md5 = 5,
    gss = 7,
    gss_continue = 8,
    sspi = 9,
    sasl = 10,
    sasl_continue = 11,
    sasl_final = 12,
  };
  Kind kind = Kind::ok;
  std::string_view data;  // md5: 4 bytes of salt; sasl_continue, sasl_final: the mechanism's data
  std::vector<std::string_view> mechanisms;  // sasl only
  void encode(Buffer& out) const;
  static Decoded<Authentication> decode(std::string_view payload);
};
struct BackendKeyData {
  static constexpr char type = 'K';
  std::int32_t process = 0;
  std::int32_t secret = 0;
  void encode(Buffer& out) const;
  static Decoded<BackendKeyData> decode(std::string_view payload);
};
struct ParameterStatus {
  static constexpr char type = 'S';
  std::string_view name;
  std::string_view value;
  void encode(Buffer& out) const;
  static Decoded<ParameterStatus> decode(std::string_view payload);
};
struct ReadyForQuery {
  static constexpr char type = 'Z';
  char status = 'I';  // 'I' idle, 'T' in a transaction, 'E' in a failed one
  void encode(Buffer& out) const;
  static Decoded<ReadyForQuery> decode(std::string_view payload);
};
struct Column {
  std::string_view name;
  std::uint32_t table = 0;
  std::int16_t attribute = 0;
  std::uint32_t type = 0;
  std::int16_t type_size = 0;
  std::int32_t type_modifier = -1;
  std::int16_t format = 0;
  bool operator==(const Column&) const = default;
};
/// Writes a RowDescription column by column.
class RowDescriptionWriter {
 public:
  RowDescriptionWriter(Buffer& out, std::size_t columns);
  void add(const Column& column);

 private:
  MessageWriter writer_;
};
struct RowDescription {
  static constexpr char type = 'T';
  std::vector<Column> columns;
  void encode(Buffer& out) const;
  static Decoded<RowDescription> decode(std::string_view payload);
};
struct DataRow {
  static constexpr char type = 'D';
  FieldList fields;
  void encode(Buffer& out) const;
  static Decoded<DataRow> decode(std::string_view payload);
};
struct CommandComplete {
  static constexpr char type = 'C';
  std::string_view tag;
  void encode(Buffer& out) const;
  static Decoded<CommandComplete> decode(std::string_view payload);
};
struct ParameterDescription {
  static constexpr char type = 't';
  OidList types;
  void encode(Buffer& out) const;
  static Decoded<ParameterDescription> decode(std::string_view payload);
};
struct FunctionCallResponse {
  static constexpr char type = 'V';
  Field value;
  void encode(Buffer& out) const;
  static Decoded<FunctionCallResponse> decode(std::string_view payload);
};
struct NotificationResponse {
  static constexpr char type = 'A';
  std::int32_t process = 0;
  std::string_view channel;
  std::string_view payload;
  void encode(Buffer& out) const;
  static Decoded<NotificationResponse> decode(std::string_view payload);
};
struct NegotiateProtocolVersion {
  static constexpr char type = 'v';
  /// Major and minor, as a startup message has them: servers send, and libpq reads, the whole number.
  std::int32_t newest_version = 3 << 16;
  std::vector<std::string_view> unknown_options;
  void encode(Buffer& out) const;
  static Decoded<NegotiateProtocolVersion> decode(std::string_view payload);
};
/// CopyInResponse, CopyOutResponse and CopyBothResponse.
template <char Type>
struct CopyResponse {
  static constexpr char type = Type;
  std::int8_t format = 0;  // 0 text, 1 binary
  FormatList column_formats;
  void encode(Buffer& out) const;
  static Decoded<CopyResponse> decode(std::string_view payload);
};
using CopyInResponse = CopyResponse<'G'>;
using CopyOutResponse = CopyResponse<'H'>;
using CopyBothResponse = CopyResponse<'W'>;
extern template struct CopyResponse<'G'>;
extern template struct CopyResponse<'H'>;
extern template struct CopyResponse<'W'>;

using EmptyQueryResponse = Bare<'I'>;
using ParseComplete = Bare<'1'>;
using BindComplete = Bare<'2'>;
using CloseComplete = Bare<'3'>;
using NoData = Bare<'n'>;
using PortalSuspended = Bare<'s'>;

/// The fields of an error or notice, owned, in the order they came in. Codes: S severity
/// (localised), V severity, C SQLSTATE, M message, D detail, H hint, P position, p internal
/// position, q internal query, W context, s schema, t table, c column, d data type, n constraint, F
/// file, L line, R routine.
struct ErrorFields {
  std::vector<std::pair<char, std::string>> fields;

  /// Empty: not there.
  std::string_view get(char code) const;
  /// Replaces or appends.
  void set(char code, std::string value);
  void remove(char code);
  std::string_view sqlstate() const { return get('C'); }
  std::string_view message() const { return get('M'); }

  /// Severity, SQLSTATE and message in the order PostgreSQL sends them.
  static ErrorFields make(std::string_view severity, std::string_view sqlstate,
                          std::string_view message);
};
template <char Type>
struct Report : ErrorFields {
  static constexpr char type = Type;
  Report() = default;
  explicit Report(ErrorFields from) : ErrorFields(std::move(from)) {}
  void encode(Buffer& out) const;
  static Decoded<Report> decode(std::string_view payload);
};
using ErrorResponse = Report<'E'>;
using NoticeResponse = Report<'N'>;
extern template struct Report<'E'>;
extern template struct Report<'N'>;

/// One line a message, for tests and debug logs, e.g. `B DataRow 2 "1" NULL`. Backend ('B') and
/// frontend ('F') messages share type bytes, so the direction must be told.
enum class Direction : char { from_frontend = 'F', from_backend = 'B' };
std::string trace(Direction direction, const Message& message);

}  // namespace anabranch::net::pg
