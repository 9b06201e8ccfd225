#include "wire.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

namespace faults {

namespace {

constexpr int patience_ms = 120'000;

std::string md5_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_md5(), nullptr);
  std::string hex;
  for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::uint32_t load32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  return value;
}

/// Reads fields of a payload in turn.
class Fields {
 public:
  explicit Fields(std::string_view rest) : rest_(rest) {}
  std::int32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(rest_.at(i));
    rest_.remove_prefix(bytes);
    return bytes == 2 ? static_cast<std::int16_t>(value) : static_cast<std::int32_t>(value);
  }
  std::string_view zero_ended() {
    const std::string_view value = rest_.substr(0, rest_.find('\0'));
    rest_.remove_prefix(value.size() + 1);
    return value;
  }
  std::string_view bytes(std::size_t count) {
    const std::string_view value = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return value;
  }

 private:
  std::string_view rest_;
};

/// In double quotes; what is not printable as \xNN, what is long cut.
std::string quoted(std::string_view value) {
  std::string out = "\"";
  for (const char c : value.substr(0, 200)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + (value.size() > 200 ? "\"…" : "\"");
}

std::string row_description(Fields fields) {
  std::string out = "RowDescription";
  const int count = fields.number(2);
  for (int i = 0; i < count; ++i) {
    const std::string_view name = fields.zero_ended();
    fields.bytes(6);  // the table and its column: OIDs differ between servers
    const std::int32_t type = fields.number(4);
    const std::int32_t size = fields.number(2);
    const std::int32_t modifier = fields.number(4);
    const std::int32_t format = fields.number(2);
    out += fmt::format(" {}:{}:{}:{}:{}", name, type, size, modifier, format);
  }
  return out;
}

std::string data_row(Fields fields) {
  std::string out = "DataRow";
  const int count = fields.number(2);
  for (int i = 0; i < count; ++i) {
    const std::int32_t length = fields.number(4);
    out += length < 0 ? " null" : " " + quoted(fields.bytes(static_cast<std::size_t>(length)));
  }
  return out;
}

std::string copy_response(std::string_view name, Fields fields) {
  const std::int32_t format = fields.number(1);
  const std::int32_t columns = fields.number(2);
  return fmt::format("{} {} {}", name, format, columns);
}

std::string parameter_description(Fields fields) {
  std::string out = "ParameterDescription";
  const int count = fields.number(2);
  for (int i = 0; i < count; ++i) out += fmt::format(" {}", fields.number(4));
  return out;
}

}  // namespace

std::string int16(int value) {
  return {static_cast<char>(value >> 8 & 0xFF), static_cast<char>(value & 0xFF)};
}

std::string int32(std::int64_t value) {
  return {static_cast<char>(value >> 24 & 0xFF), static_cast<char>(value >> 16 & 0xFF),
          static_cast<char>(value >> 8 & 0xFF), static_cast<char>(value & 0xFF)};
}

std::string text(std::string_view value) { return std::string(value) + '\0'; }

std::string message(char type, std::string_view payload) {
  return type + int32(static_cast<std::int64_t>(payload.size()) + 4) + std::string(payload);
}

std::string query(std::string_view sql) { return message('Q', text(sql)); }

std::string parse(std::string_view name, std::string_view sql, const std::vector<std::uint32_t>& types) {
  std::string payload = text(name) + text(sql) + int16(static_cast<int>(types.size()));
  for (const std::uint32_t type : types) payload += int32(type);
  return message('P', payload);
}

std::string bind_portal(std::string_view portal, std::string_view statement,
                 const std::vector<std::optional<std::string>>& parameters, int format) {
  std::string payload = text(portal) + text(statement) + int16(0) + int16(static_cast<int>(parameters.size()));
  for (const auto& parameter : parameters) {
    payload += parameter ? int32(static_cast<std::int64_t>(parameter->size())) + *parameter : int32(-1);
  }
  return message('B', payload + int16(1) + int16(format));
}

std::string describe(char kind, std::string_view name) { return message('D', kind + text(name)); }
std::string execute(std::string_view portal, int rows) { return message('E', text(portal) + int32(rows)); }
std::string sync() { return message('S', ""); }

std::string startup(int version, const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string payload = int32(version);
  for (const auto& [name, value] : parameters) payload += text(name) + text(value);
  payload += '\0';
  return int32(static_cast<std::int64_t>(payload.size()) + 4) + payload;
}

std::string error_field(const WireMessage& message, char field) {
  std::string_view rest = message.payload;
  while (!rest.empty() && rest.front() != '\0') {
    const std::string_view value = rest.substr(1, rest.find('\0', 1) - 1);
    if (rest.front() == field) return std::string(value);
    rest.remove_prefix(value.size() + 2);
  }
  return {};
}

Wire::Wire(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(fmt::format("cannot connect to port {}", port));
  }
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Wire::Wire(int port, const std::string& user, const std::string& password, const std::string& database)
    : Wire(port) {
  log_in(user, password, database);
}

Wire::~Wire() { close(); }

void Wire::close(bool hard) {
  if (fd_ < 0) return;
  if (hard) {
    const linger at_once{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  ::close(fd_);
  fd_ = -1;
}

void Wire::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return;  // the other side has closed: what it said first can still be read
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool Wire::readable(int milliseconds) {
  if (!received_.empty()) return true;
  pollfd entry{fd_, POLLIN, 0};
  return poll(&entry, 1, milliseconds) > 0;
}

bool Wire::fill() {
  pollfd entry{fd_, POLLIN, 0};
  if (poll(&entry, 1, patience_ms) <= 0) throw std::runtime_error("nothing came within two minutes");
  std::array<char, 65536> chunk;
  const ssize_t got = recv(fd_, chunk.data(), chunk.size(), 0);
  if (got <= 0) return false;
  received_.append(chunk.data(), static_cast<std::size_t>(got));
  return true;
}

std::optional<WireMessage> Wire::read() {
  while (received_.size() < 5) {
    if (!fill()) return std::nullopt;
  }
  const std::size_t length = load32(std::string_view(received_).substr(1, 4));
  while (received_.size() < length + 1) {
    if (!fill()) return std::nullopt;
  }
  WireMessage result{received_[0], received_.substr(5, length - 4)};
  received_.erase(0, length + 1);
  return result;
}

char Wire::read_byte() {
  if (received_.empty() && !fill()) return 0;
  const char byte = received_.front();
  received_.erase(0, 1);
  return byte;
}

std::vector<WireMessage> Wire::until_ready() {
  std::vector<WireMessage> messages;
  while (auto next = read()) {
    if (next->type == 'S' || next->type == 'N') continue;
    messages.push_back(std::move(*next));
    if (messages.back().type == 'Z') break;
  }
  return messages;
}

bool Wire::ends() {
  while (read()) {
  }
  return true;
}

void Wire::log_in(const std::string& user, const std::string& password, const std::string& database) {
  send(startup(3 << 16, {{"user", user}, {"database", database}}));
  while (auto next = read()) {
    if (next->type == 'E') throw std::runtime_error("refused: " + error_field(*next, 'M'));
    if (next->type == 'R' && load32(next->payload) == 5) {
      const std::string inner = md5_hex(password + user);
      send(message('p', text("md5" + md5_hex(inner + next->payload.substr(4, 4)))));
    }
    if (next->type == 'K') {
      process = static_cast<std::int32_t>(load32(next->payload));
      secret = static_cast<std::int32_t>(load32(std::string_view(next->payload).substr(4)));
    }
    if (next->type == 'Z') return;
  }
  throw std::runtime_error("the connection ended during the login");
}

std::string describe(const WireMessage& message) {
  const Fields fields(message.payload);
  switch (message.type) {
    case '1': return "ParseComplete";
    case '2': return "BindComplete";
    case '3': return "CloseComplete";
    case 'C': return "CommandComplete " + quoted(std::string_view(message.payload.data()));
    case 'D': return data_row(fields);
    case 'E':
      return fmt::format("ErrorResponse {} {} {}", error_field(message, 'S'), error_field(message, 'C'),
                         quoted(error_field(message, 'M')));
    case 'G': return copy_response("CopyInResponse", fields);
    case 'H': return copy_response("CopyOutResponse", fields);
    case 'I': return "EmptyQueryResponse";
    case 'T': return row_description(fields);
    case 'Z': return fmt::format("ReadyForQuery {}", message.payload);
    case 'c': return "CopyDone";
    case 'd': return "CopyData " + quoted(message.payload);
    case 'n': return "NoData";
    case 's': return "PortalSuspended";
    case 't': return parameter_description(fields);
    default: return fmt::format("{} {}", message.type, quoted(message.payload));
  }
}

std::vector<std::string> lines(const std::vector<WireMessage>& messages) {
  std::vector<std::string> result;
  for (const WireMessage& one : messages) result.push_back(describe(one));
  return result;
}

}  // namespace faults
