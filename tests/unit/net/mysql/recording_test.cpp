#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/mysql/command_messages.h"
#include "net/mysql/parameters.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/session_changes.h"
#include "net/mysql/trace.h"
#include "round_trip.h"

// Conversations with a real MariaDB, recorded as files: a line a packet, a letter and its payload's
// bytes (G greeting, L login, Q question of the authentication, A answer, C command, S reply), and
// below it the trace. ANABRANCH_UPDATE=1 writes the traces anew.

using namespace anabranch::net;
using namespace anabranch::net::mysql;
using namespace anabranch::net::mysql::test;
using Event = ResultReader::Event;
using Reply = ResultReader::Reply;

namespace {

Reply reply_to(Command command) {
  switch (command) {
    case Command::query:
      return Reply::text;
    case Command::stmt_prepare:
      return Reply::prepare;
    case Command::stmt_execute:
      return Reply::binary;
    case Command::stmt_fetch:
      return Reply::fetch;
    case Command::field_list:
      return Reply::field_list;
    case Command::statistics:
      return Reply::statistics;
    case Command::quit:
    case Command::stmt_close:
    case Command::stmt_send_long_data:
    case Command::change_user:  // its reply is an authentication's
      return Reply::nothing;
    default:
      return Reply::ok;
  }
}

template <typename M, typename... Context>
void try_decoding(std::string_view payload, const Context&... context) {
  const auto decoded = M::decode(payload, context...);
  if (decoded) (void)payload_of(*decoded, context...);
}

/// Every decoder on every truncation: whatever it answers, it reads nothing behind the end.
void try_truncations(std::string_view payload, Capabilities capabilities,
                     const std::optional<ResultReader>& reader) {
  std::vector<Field> fields(3);
  const std::vector<FieldType> types = {FieldType::int_, FieldType::datetime, FieldType::blob};
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const std::string cut(payload.substr(0, size));
    try_decoding<HandshakeV10>(cut);
    try_decoding<SSLRequest>(cut);
    try_decoding<HandshakeResponse41>(cut);
    try_decoding<AuthSwitchRequest>(cut);
    try_decoding<AuthMoreData>(cut);
    try_decoding<Ok>(cut, capabilities);
    try_decoding<Eof>(cut);
    try_decoding<Err>(cut);
    try_decoding<ColumnCount>(cut, capabilities);
    try_decoding<ColumnDefinition41>(cut, capabilities);
    try_decoding<PrepareOk>(cut);
    try_decoding<ComChangeUser>(cut, capabilities);
    (void)trace(Stage::command, cut, capabilities);
    (void)split_text_row(cut, fields);
    (void)split_binary_row(cut, types, fields);
    BoundParameters parameters(2);
    (void)parameters.read(cut);
    if (!reader) continue;
    ResultReader copy = *reader;
    (void)copy.read(cut);
  }
}

/// Plays a recording line by line and writes it down again with the traces it should have.
class Player {
 public:
  std::string transcript;

  void play(const std::string& line) {
    if (line.starts_with(". ") || line.empty()) return;
    transcript += line + "\n";
    if (line.starts_with('#')) return;
    const std::string rest = line.substr(line.find(' ') + 1);
    if (line.starts_with("capabilities")) {
      capabilities_ = std::stoull(rest, nullptr, 16);
      return;
    }
    const std::string payload = unhex(rest);
    CAPTURE(line);
    try_truncations(payload, capabilities_, reader_);
    transcript += ". " + traced(line[0], payload) + "\n";
  }
  bool complete() const { return !reader_ || reader_->done(); }

 private:
  std::string traced(char tag, std::string_view payload) {
    switch (tag) {
      case 'G':
        check_same<HandshakeV10>(payload);
        return trace(Stage::greeting, payload, capabilities_);
      case 'L':
        check_same<HandshakeResponse41>(payload);
        return trace(Stage::login, payload, capabilities_);
      case 'Q':
        return trace(Stage::auth_question, payload, capabilities_);
      case 'A':
        return trace(Stage::auth_answer, payload, capabilities_);
      case 'C':
        return command(payload);
      default:
        return reply(payload);
    }
  }

  template <typename M, typename... Context>
  M check_same(std::string_view payload, const Context&... context) {
    const auto decoded = M::decode(payload, context...);
    REQUIRE(decoded.has_value());
    CHECK(payload_of(*decoded, context...) == payload);
    return *decoded;
  }

  std::string command(std::string_view payload) {
    CHECK(complete());
    const Command command = command_of(payload).value();
    reply_ = reply_to(command);
    reader_.emplace(reply_, capabilities_);
    types_.clear();
    if (command == Command::stmt_execute) check_parameters(payload);
    if (command == Command::stmt_send_long_data) {
      const auto piece = check_same<ComStmtSendLongData>(payload);
      CHECK(prepared_.at(piece.statement).mark_sent_ahead(piece.parameter));
    }
    if (command == Command::change_user) check_same<ComChangeUser>(payload, capabilities_);
    return trace(Stage::command, payload, capabilities_);
  }

  void check_parameters(std::string_view payload) {
    const auto execution = check_same<ComStmtExecute>(payload);
    const bool last = execution.statement == last_prepared_statement;
    BoundParameters& parameters = prepared_.at(last ? last_prepared_ : execution.statement);
    REQUIRE(parameters.read(execution.parameters).has_value());
    Buffer out;
    Sequence sequence;
    parameters.encode(out, sequence, execution, parameters.types_were_sent());
    CHECK(out.view().substr(header_bytes) == payload);
    parameters.forget_sent_ahead();
  }

  std::string reply(std::string_view payload) {
    REQUIRE(reader_.has_value());
    CHECK_FALSE(reader_->done());
    const auto event = reader_->read(payload);
    if (!event) FAIL_CHECK(event.error().message);
    REQUIRE(event.has_value());
    check_event(*event, payload);
    return trace(*event, payload, capabilities_, reply_);
  }

  void check_event(Event event, std::string_view payload) {
    switch (event) {
      case Event::error:
        check_same<Err>(payload);
        break;
      case Event::column_count:
        check_same<ColumnCount>(payload, capabilities_);
        types_.clear();
        break;
      case Event::column:
        types_.push_back(check_same<ColumnDefinition41>(payload, capabilities_).type);
        break;
      case Event::parameter:
        check_same<ColumnDefinition41>(payload, capabilities_);
        break;
      case Event::prepared: {
        const auto prepared = check_same<PrepareOk>(payload);
        last_prepared_ = prepared.statement;
        prepared_.insert_or_assign(prepared.statement, BoundParameters(prepared.parameters));
        break;
      }
      case Event::row:
        check_row(payload);
        break;
      case Event::ok:
      case Event::rows_end:
        if (payload.size() == Eof::bytes) {
          check_same<Eof>(payload);
        } else {
          check_same<Ok>(payload, capabilities_);
        }
        break;
      default:
        break;
    }
  }

  /// A row taken apart and put together again is the row.
  void check_row(std::string_view payload) {
    Buffer out;
    Sequence sequence;
    if (reply_ == Reply::fetch) return;  // its columns were told when the cursor was opened
    std::vector<Field> fields(types_.size());
    if (reply_ == Reply::text) {
      REQUIRE(split_text_row(payload, fields));
      PacketWriter writer(out, sequence);
      for (const Field& field : fields) writer.field(field);
    } else {
      REQUIRE(split_binary_row(payload, types_, fields));
      BinaryRowWriter writer(out, sequence, fields.size());
      for (std::size_t i = 0; i < fields.size(); ++i) writer.add(types_[i], fields[i]);
    }
    CHECK(out.view().substr(header_bytes) == payload);
  }

  Capabilities capabilities_ = 0;
  Reply reply_ = Reply::nothing;
  std::optional<ResultReader> reader_;
  std::vector<FieldType> types_;
  std::map<std::uint32_t, BoundParameters> prepared_;
  std::uint32_t last_prepared_ = 0;
};

}  // namespace

TEST_CASE("mysql: recorded conversations decode to what they are, and encode to what they were") {
  const std::filesystem::path folder =
      std::filesystem::path(ANABRANCH_SOURCE_DIR) / "tests/unit/net/mysql/recordings";
  std::size_t played = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    CAPTURE(entry.path().string());
    std::ifstream file(entry.path());
    Player player;
    std::string before;
    for (std::string line; std::getline(file, line);) {
      before += line + "\n";
      player.play(line);
    }
    CHECK(player.complete());
    const bool same = player.transcript == before;
    if (!same && std::getenv("ANABRANCH_UPDATE") != nullptr) {
      std::ofstream(entry.path()) << player.transcript;
    } else {
      INFO("write it anew by ANABRANCH_UPDATE=1, and look at the difference");
      CHECK(same);
    }
    ++played;
  }
  CHECK(played >= 2);
}
