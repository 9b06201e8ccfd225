#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "net/mysql/command_messages.h"
#include "net/mysql/handshake_messages.h"
#include "net/mysql/parameters.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/rows.h"
#include "net/mysql/session_changes.h"
#include "net/mysql/temporal.h"
#include "round_trip.h"

using namespace anabranch::net;
using namespace anabranch::net::mysql;
using namespace anabranch::net::mysql::test;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

constexpr Capabilities base = capability::protocol_41 | capability::secure_connection;
constexpr Capabilities plugins = base | capability::plugin_auth | capability::plugin_auth_lenenc;
const std::string challenge = "12345678abcdefghijkl";

}  // namespace

TEST_CASE("mysql: messages of the handshake") {
  HandshakeV10 greeting{
      "8.0.33", 77, challenge, plugins | capability::long_password, 45, 2, caching_sha2_password};
  check_round_trip(greeting, true);
  greeting.capabilities = base;  // no plugin's name, and MariaDB's upper capabilities
  greeting.capabilities |= capability::mariadb_cache_metadata;
  greeting.plugin = {};
  check_round_trip(greeting, false);
  CHECK(HandshakeV10::decode(payload_of(greeting))->capabilities == greeting.capabilities);
  greeting.capabilities = capability::long_password | capability::secure_connection;
  CHECK_FALSE(HandshakeV10::decode(payload_of(greeting)).has_value());  // before 4.1

  check_round_trip(SSLRequest{base | capability::ssl, 1 << 30, 33}, false);
  CHECK(SSLRequest::is(payload_of(SSLRequest{base | capability::ssl, 1, 33})));
  CHECK_FALSE(SSLRequest::is(payload_of(SSLRequest{base, 1, 33})));

  HandshakeResponse41 response;
  response.capabilities = plugins | capability::long_password | capability::connect_with_db |
                          capability::connect_attributes;
  response.max_packet = 1 << 24;
  response.collation = 255;
  response.user = "jo";
  const std::string answer(300, 'a');
  response.auth_response = answer;
  response.database = "shop";
  response.plugin = native_password;
  response.attributes = {{"_os", "linux"}, {"_pid", answer}};
  check_round_trip(response, true);
  response.capabilities = base;
  response.auth_response = challenge;
  response.database = response.plugin = {};
  response.attributes = {};
  check_round_trip(response, false);
  response.capabilities = capability::protocol_41 | capability::mariadb_extended_metadata;
  response.auth_response = "zero-ended";
  check_round_trip(response, false);

  check_round_trip(AuthSwitchRequest{caching_sha2_password, challenge}, true);
  check_round_trip(AuthSwitchRequest{}, false);
  check_round_trip(AuthMoreData{"\4"}, true);
}

TEST_CASE("mysql: clients that leave out what they announce") {
  HandshakeResponse41 response;
  response.capabilities = base | capability::plugin_auth | capability::connect_attributes;
  response.user = "jo";
  response.auth_response = challenge;
  const std::string whole = payload_of(response);
  const auto without =
      HandshakeResponse41::decode(std::string_view(whole).substr(0, whole.size() - 2));
  REQUIRE(without.has_value());
  CHECK(without->plugin.empty());
  CHECK(without->attributes.empty());
  const std::string lies =
      whole.substr(0, whole.size() - 1) + "\4\3ab";  // 3 attributes' bytes, 2 there
  CHECK_FALSE(HandshakeResponse41::decode(lies).has_value());
}

TEST_CASE("mysql: commands") {
  check_round_trip(ComQuery{"select 'ü'"}, true);
  check_round_trip(ComInitDb{"shop"}, true);
  check_round_trip(ComStmtPrepare{"select ?"}, true);
  check_round_trip(ComQuit{}, false);
  check_round_trip(ComPing{}, false);
  check_round_trip(ComStatistics{}, false);
  check_round_trip(ComResetConnection{}, false);
  check_round_trip(ComFieldList{"t", "%"}, true);
  check_round_trip(ComProcessKill{0xfffffffe}, false);
  check_round_trip(ComSetOption{1}, false);
  check_round_trip(ComStmtClose{7}, false);
  check_round_trip(ComStmtReset{last_prepared_statement}, false);
  check_round_trip(ComStmtFetch{7, 100}, false);
  check_round_trip(ComStmtExecute{7, cursor::read_only, 1, "parameters"}, true);
  check_round_trip(ComStmtSendLongData{7, 2, "data"}, true);
  check_round_trip(ComStmtBulkExecute{7, 128, "rows"}, true);
  const ComChangeUser change{"jo", challenge, "shop", 255, native_password, {{"a", "b"}}};
  check_round_trip(change, true, plugins | capability::connect_attributes);
  const ComChangeUser plain{"jo", challenge, "shop", 33, {}, {}};
  check_round_trip(plain, true, base);
  CHECK(ComChangeUser::decode("\x11jo\0\0shop\0"sv, base)->collation == 0);
  CHECK_FALSE(ComPing::decode("\3").has_value());
  CHECK_FALSE(command_of("").has_value());
  CHECK(name(*command_of("\3select")) == "COM_QUERY");
  CHECK(name(*command_of("\372")) == "COM_STMT_BULK_EXECUTE");
  CHECK(name(*command_of("\x1f")) == "COM_RESET_CONNECTION");
  CHECK(name(*command_of("\x20")).empty());
  CHECK(name(*command_of("\xff")).empty());
}

TEST_CASE("mysql: what servers answer") {
  check_round_trip(Ok{false, 3, 1ull << 40, 2, 1, "Rows matched: 3", {}}, true, base);
  check_round_trip(Ok{true, 0, 0, 2, 0, {}, {}}, false, base);
  const std::string state = "\1\5\4shop"s;
  check_round_trip(Ok{false, 0, 0, status::session_state_changed, 0, {}, state}, true,
                   base | capability::session_track);
  check_round_trip(Eof{1, 2}, false);
  check_round_trip(Err{1064, "42000", "You have an error"}, true);
  CHECK(Err::decode("\377\25\4Too many"sv)->sqlstate == "HY000");
  CHECK(Err::decode("\377\25\4Too many"sv)->message == "Too many");
  check_round_trip(ColumnCount{300}, false, base);
  check_round_trip(ColumnCount{2, false}, false, base | capability::mariadb_cache_metadata);
  check_round_trip(LocalInfileRequest{"/tmp/x"}, true);
  check_round_trip(PrepareOk{1, 2, 3, 4}, false);
  ColumnDefinition41 column;
  column.schema = "shop";
  column.table = "o";
  column.original_table = "orders";
  column.name = column.original_name = "id";
  column.collation = 63;
  column.length = 11;
  column.type = FieldType::int_;
  column.flags = column_flag::not_null | column_flag::numeric;
  check_round_trip(column, false, base);
  column.extended_metadata = "\1\4json";
  check_round_trip(column, false, base | capability::mariadb_extended_metadata);
  column.has_default = true;
  check_round_trip(column, true, base | capability::mariadb_extended_metadata);
  column.default_value = "0";
  check_round_trip(column, true, base | capability::mariadb_extended_metadata);
}

TEST_CASE("mysql: session changes") {
  const std::string recorded =
      "\0\x0f\x0a"
      "autocommit\3OFF\1\5\4shop\2\1"
      "1\5\x09\x08T_R_____\3\4\0\2ab\7\1x"s;
  SessionChanges changes(recorded);
  using Kind = SessionChange::Kind;
  const std::vector<std::pair<Kind, std::pair<std::string, std::string>>> expected = {
      {Kind::system_variable, {"autocommit", "OFF"}},
      {Kind::schema, {"", "shop"}},
      {Kind::state, {"", "1"}},
      {Kind::transaction_state, {"", "T_R_____"}},
      {Kind::gtids, {"", "ab"}},
      {Kind{7}, {"", "x"}}};
  for (const auto& [kind, texts] : expected) {
    const auto change = changes.next();
    REQUIRE(change.has_value());
    CHECK(change->kind == kind);
    CHECK(change->name == texts.first);
    CHECK(change->value == texts.second);
  }
  CHECK_FALSE(changes.next().has_value());
  CHECK(changes.ok());
  for (std::size_t size = 0; size < recorded.size(); ++size) {
    const std::string cut = recorded.substr(0, size);
    SessionChanges some(cut);
    std::size_t count = 0;
    while (some.next()) ++count;
    CHECK(count < expected.size());
  }
  SessionChanges broken("\1\5\6shop"sv);
  CHECK_FALSE(broken.next().has_value());
  CHECK_FALSE(broken.ok());
  const auto state = TransactionState::parse("Tr_wW_S_");
  REQUIRE(state.has_value());
  CHECK((state->is_explicit && state->reads_unsafely && state->writes_unsafely && state->writes));
  CHECK((state->has_result_set && !state->reads && !state->has_locked_tables));
  CHECK_FALSE(TransactionState::parse("T_______x").has_value());
  CHECK_FALSE(TransactionState::parse("X_______").has_value());
}

TEST_CASE("mysql: text rows are split in place") {
  Buffer out;
  Sequence sequence;
  {
    PacketWriter writer(out, sequence);
    for (const Field& field : {Field("one"), Field(), Field("")}) writer.field(field);
  }
  const std::string payload(out.view().substr(header_bytes));
  std::array<Field, 3> fields;
  REQUIRE(split_text_row(payload, fields));
  CHECK(fields == std::array<Field, 3>{Field("one"), Field(), Field("")});
  CHECK(fields[0]->data() == payload.data() + 1);
  std::array<Field, 2> fewer;
  CHECK_FALSE(split_text_row(payload, fewer));
  std::array<Field, 4> more;
  CHECK_FALSE(split_text_row(payload, more));
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const std::string cut = payload.substr(0, size);
    CHECK_FALSE(split_text_row(cut, fields));
  }
}

TEST_CASE("mysql: binary rows of every type") {
  const std::string instant = DateTime{2024, 2, 29, 1, 2, 3, 4}.encode();
  const std::string span = TimeSpan{true, 1, 2, 3, 4, 0}.encode();
  using enum FieldType;
  const std::vector<std::pair<FieldType, Field>> values = {
      {tiny_int, "\1"},      {small_int, "\1\2"},
      {int_, "\1\2\3\4"},    {float_, "abcd"},
      {double_, "12345678"}, {big_int, "87654321"},
      {medium_int, "1234"},  {year, "ab"},
      {timestamp, instant}, {date, Field("")},
      {time, span},          {new_decimal, "1.50"},
      {var_string, Field()}, {blob, std::string_view(challenge)},
      {json, "{}"},          {bit, "\1"},
      {enum_, "a"},          {geometry, "g"},
      {string, ""},          {null, ""}};
  std::vector<FieldType> types;
  Buffer out;
  Sequence sequence;
  {
    BinaryRowWriter writer(out, sequence, values.size());
    for (const auto& [type, value] : values) {
      types.push_back(type);
      writer.add(type, value);
    }
  }
  const std::string payload(out.view().substr(header_bytes));
  std::vector<Field> fields(values.size());
  REQUIRE(split_binary_row(payload, types, fields));
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i);
    CHECK(fields[i] == values[i].second);
  }
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const std::string cut = payload.substr(0, size);
    CHECK_FALSE(split_binary_row(cut, types, fields));
  }
  CHECK_FALSE(split_binary_row(payload + "x", types, fields));
  const std::array<FieldType, 1> unknown = {FieldType{20}};
  std::array<Field, 1> one;
  CHECK_FALSE(split_binary_row("\0\0abc"sv, unknown, one));
  const std::array<FieldType, 1> date_type = {date};
  CHECK_FALSE(split_binary_row("\0\0\3abc"sv, date_type, one));
}

TEST_CASE("mysql: dates and times in binary") {
  for (const DateTime& value :
       {DateTime{}, DateTime{2024, 2, 29}, DateTime{9999, 12, 31, 23, 59, 59},
        DateTime{0, 0, 0, 0, 0, 0, 1}}) {
    CHECK(DateTime::decode(value.encode()) == value);
  }
  for (const TimeSpan& value :
       {TimeSpan{}, TimeSpan{true, 34, 22, 59, 59}, TimeSpan{false, 0, 0, 0, 0, 7}}) {
    CHECK(TimeSpan::decode(value.encode()) == value);
  }
  CHECK(DateTime{2024, 2, 29}.encode() == "\xe8\7\2\35");
  CHECK_FALSE(DateTime::decode("123").has_value());
  CHECK_FALSE(TimeSpan::decode("1234567").has_value());
}

TEST_CASE("mysql: parameters of executions") {
  const ComStmtExecute head{9, cursor::read_only, 1, {}};
  BoundParameters sender(10);
  for (std::size_t i = 0; i < 10; ++i) {
    sender.set(i, {FieldType::var_string, i % 2 == 0}, i % 3 == 0 ? Field() : Field("value"));
  }
  sender.set(1, {FieldType::big_int, true}, "12345678");
  REQUIRE(sender.mark_sent_ahead(4));
  sender.set(4, {FieldType::long_blob, false}, std::nullopt);
  CHECK_FALSE(sender.mark_sent_ahead(10));
  const auto encoded = [&](bool with_types) {
    Buffer out;
    Sequence sequence;
    sender.encode(out, sequence, head, with_types);
    return std::string(out.view().substr(header_bytes));
  };
  const std::string first = encoded(true);
  const auto decoded = ComStmtExecute::decode(first);
  REQUIRE(decoded.has_value());
  CHECK(decoded->statement == 9);
  CHECK(decoded->flags == cursor::read_only);

  BoundParameters receiver(10);
  receiver.mark_sent_ahead(4);
  const std::string untyped = encoded(false);
  CHECK_FALSE(receiver.read(ComStmtExecute::decode(untyped)->parameters).has_value());
  for (const std::string& packet : {first, untyped}) {
    REQUIRE(receiver.read(ComStmtExecute::decode(packet)->parameters).has_value());
    CHECK(receiver.types_were_sent() == (packet == first));
    for (std::size_t i = 0; i < 10; ++i) {
      CAPTURE(i);
      CHECK(receiver.types()[i] == sender.types()[i]);
      CHECK(receiver.values()[i] == sender.values()[i]);
    }
  }
  for (std::size_t size = 0; size < decoded->parameters.size(); ++size) {
    const std::string cut(decoded->parameters.substr(0, size));
    BoundParameters fresh(10);
    fresh.mark_sent_ahead(4);
    CHECK_FALSE(fresh.read(cut).has_value());
  }
  receiver.forget_sent_ahead();
  CHECK_FALSE(receiver.read(decoded->parameters).has_value());  // now parameter 4 must be there
  CHECK(BoundParameters(0).read("").has_value());
}
