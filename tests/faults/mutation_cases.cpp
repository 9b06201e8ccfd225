#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <cctype>
#include <filesystem>
#include <random>

#include "world.h"

/// Conversations of tests/fuzz/corpus, broken in every way: bits, lengths, order, ends. Each costs its
/// own session only, and ends with errors that a client can understand.
namespace faults {

namespace {

using Messages = std::vector<std::string>;

std::uint32_t length_of(std::string_view message) {
  std::uint32_t length = 0;
  for (const char byte : message.substr(1, 4)) length = length << 8 | static_cast<unsigned char>(byte);
  return length;
}

std::map<std::string, Messages> read_seeds() {
  std::map<std::string, Messages> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(FAULTS_DIR "/../fuzz/corpus/fuzz_pg_frontend")) {
    const std::string bytes = read_text(entry.path());
    Messages& messages = seeds[entry.path().filename()];
    for (std::string_view left = bytes; !left.empty();) {
      messages.emplace_back(left.substr(0, length_of(left) + 1));
      left.remove_prefix(messages.back().size());
    }
  }
  return seeds;
}

std::string joined(const Messages& messages) {
  std::string bytes;
  for (const std::string& message : messages) bytes += message;
  return bytes;
}

/// Breaks conversations; always the same ones.
class Mutator {
 public:
  explicit Mutator(const std::map<std::string, Messages>& seeds) {
    for (const auto& [name, messages] : seeds) seeds_.push_back(messages);
  }

  std::string next() {
    Messages messages = seeds_[pick(seeds_.size())];
    for (std::size_t times = 1 + pick(3); times > 0; --times) change_order(messages);
    std::string bytes = joined(messages);
    for (std::size_t times = pick(4); times > 0 && !bytes.empty(); --times) change_bytes(bytes);
    return bytes;
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  void change_order(Messages& messages) {
    const std::size_t at = pick(messages.size());
    const Messages& other = seeds_[pick(seeds_.size())];
    switch (pick(6)) {
      case 0: messages.push_back(messages[at]); break;
      case 1: std::swap(messages[at], messages[pick(messages.size())]); break;
      case 2:
        if (messages.size() > 1) messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 3: messages.insert(messages.begin() + static_cast<std::ptrdiff_t>(at), other[pick(other.size())]); break;
      case 4: change_length(messages[at]); break;
      default: break;
    }
  }

  void change_length(std::string& message) {
    static constexpr std::int64_t lengths[] = {0, 1, 3, 4, 5, -1, -2147483648LL, 2147483647, 1 << 20};
    const std::int64_t length = pick(2) == 0 ? lengths[pick(std::size(lengths))]
                                             : static_cast<std::int64_t>(length_of(message) + pick(9)) - 4;
    message.replace(1, 4, int32(length));
  }

  void change_bytes(std::string& bytes) {
    const std::size_t at = pick(bytes.size());
    switch (pick(5)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << pick(8))); break;
      case 1: bytes[at] = static_cast<char>(pick(256)); break;
      case 2: bytes.resize(at); break;
      case 3: bytes.insert(at, std::string(1 + pick(9), static_cast<char>(pick(256)))); break;
      default: bytes.erase(at, 1 + pick(5));
    }
  }

  std::mt19937_64 random_{20240203};
  std::vector<Messages> seeds_;
};

std::string hexadecimal(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return out;
}

/// Sends all, says no more, and reads to the end. Empty: every answer was one that a client knows.
std::string complaint(const Proxy& under, std::string_view bytes) {
  Wire wire = under.wire();
  wire.send(bytes);
  shutdown(wire.fd(), SHUT_WR);
  while (const auto answer = wire.read()) {
    if (std::string_view("123ACDEGHIKNSTZcdnstW").find(answer->type) == std::string_view::npos) {
      return fmt::format("an answer of type {}", answer->type);
    }
    if (answer->type != 'E') continue;
    const std::string state = error_field(*answer, 'C');
    const std::string severity = error_field(*answer, 'V');
    // A server knows internal errors too ("cache lookup failed"): the proxy's own begin so.
    const bool internal = error_field(*answer, 'M').starts_with("internal error");
    if (state.size() != 5 || internal || (severity != "ERROR" && severity != "FATAL")) {
      return describe(*answer);
    }
  }
  return {};
}

/// What another client sees meanwhile, with a setting, a prepared statement and a transaction.
class Bystander {
 public:
  explicit Bystander(const Proxy& under) : client_(under.conninfo("application_name=bystander")) {
    CHECK(client_.run("set timezone = 'Asia/Tokyo'").ok());
    const Answer prepared = take(
        client_.get(), PQprepare(client_.get(), "s1", "select current_setting('timezone') || $1::text", 0, nullptr));
    CHECK_MESSAGE(prepared.ok(), prepared.message);
  }
  void check() {
    const char* value = "!";
    CHECK_EQ(take(client_.get(), PQexecPrepared(client_.get(), "s1", 1, &value, nullptr, nullptr, 0)).value(),
             "Asia/Tokyo!");
    CHECK(client_.run("begin").ok());
    CHECK_EQ(client_.run("select count(*) from items").value(), "20");
    CHECK_EQ(client_.run("show application_name").value(), "bystander");
    CHECK_EQ(client_.run("select note from items where id = 6").value(), "i6");
    CHECK(client_.run("commit").ok());
  }

 private:
  Client client_;
};

}  // namespace

TEST_CASE("bad messages: broken conversations harm nobody else") {
  Proxy own({{"CONNECT_TIMEOUT", "60s"}});
  const auto seeds = read_seeds();
  REQUIRE_FALSE(seeds.empty());
  for (const auto& [name, messages] : seeds) CHECK_MESSAGE(complaint(own, joined(messages)) == "", name);
  Bystander bystander(own);
  Mutator mutator(seeds);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(8);
  int broken = 0;
  for (; std::chrono::steady_clock::now() < end; ++broken) {
    const std::string bytes = mutator.next();
    const std::string said = complaint(own, bytes);
    CHECK_MESSAGE(said == "", said, "\nafter ", hexadecimal(bytes));
    if (!own.running()) break;
    if (broken % 20 == 0) bystander.check();
  }
  REQUIRE(own.running());
  CHECK(broken > 20);
  bystander.check();
  // Nobody holds anything any more.
  CHECK(eventually([&] {
    return own.metric("anabranch_server_connections") == own.metric("anabranch_server_connections_idle");
  }));
}

}  // namespace faults
