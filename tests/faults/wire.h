#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// PostgreSQL's protocol 3, as a client that may break it speaks it: every byte is the test's own.
namespace faults {

struct WireMessage {
  char type = 0;
  std::string payload;
};

/// Big-endian, as the protocol has them.
std::string int16(int value);
std::string int32(std::int64_t value);
/// The text and its closing zero.
std::string text(std::string_view value);
/// Type, length, payload.
std::string message(char type, std::string_view payload);
std::string query(std::string_view sql);
std::string parse(std::string_view name, std::string_view sql, const std::vector<std::uint32_t>& types = {});
/// Parameters are text; nullopt is NULL. `format` is of the results.
std::string bind_portal(std::string_view portal, std::string_view statement,
                 const std::vector<std::optional<std::string>>& parameters = {}, int format = 0);
std::string describe(char kind, std::string_view name);
std::string execute(std::string_view portal, int rows = 0);
std::string sync();
std::string startup(int version, const std::vector<std::pair<std::string, std::string>>& parameters);

/// The value of a field (`C` the SQLSTATE, `M` the message, `S` the severity…) of an ErrorResponse.
std::string error_field(const WireMessage& message, char field);

/// A TCP connection to a loopback port. Whoever waits longer than two minutes fails the test.
class Wire {
 public:
  explicit Wire(int port);
  /// Connected and logged in as `user` whose stored password is an md5 verifier or trusted.
  Wire(int port, const std::string& user, const std::string& password, const std::string& database);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire();

  void send(std::string_view bytes);
  /// Null at the end of the stream.
  std::optional<WireMessage> read();
  /// One byte, as encryption requests are answered; 0 at the end of the stream.
  char read_byte();
  /// The messages up to and with ReadyForQuery (or the end), without parameters and notices.
  std::vector<WireMessage> until_ready();
  /// True once the other side has closed, whatever comes before.
  bool ends();
  /// No further message: the connection is cut, with a reset if `hard`.
  void close(bool hard = false);
  /// False: nothing came within the time.
  bool readable(int milliseconds);
  int fd() const { return fd_; }

  std::int32_t process = 0;
  std::int32_t secret = 0;

 private:
  bool fill();
  void log_in(const std::string& user, const std::string& password, const std::string& database);

  int fd_ = -1;
  std::string received_;
};

/// What a message says in one line: `DataRow "1" null`, `ErrorResponse ERROR 42601 "…"`.
std::string describe(const WireMessage& message);
/// All of one kind in an answer.
std::vector<std::string> lines(const std::vector<WireMessage>& messages);

}  // namespace faults
