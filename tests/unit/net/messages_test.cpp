#include "net/pg/messages.h"

#include <doctest/doctest.h>

#include <string>

using namespace anabranch::net;
using namespace anabranch::net::pg;

namespace {

std::string_view payload_of(const Buffer& buffer, bool typed) {
  return buffer.view().substr(typed ? 5 : 4);
}

/// Encodes, decodes and encodes again: both must be the same bytes. Every proper prefix of the
/// payload must be refused (or, for messages that are one run of bytes, be taken), none may be read
/// past its end. With a byte behind, it must be refused too.
template <typename M>
void check_round_trip(const M& message, bool open_ended = false) {
  constexpr bool typed = requires { M::type; };
  Buffer first;
  message.encode(first);
  const std::string payload(payload_of(first, typed));
  const auto decoded = M::decode(payload);
  REQUIRE(decoded.has_value());
  Buffer second;
  decoded->encode(second);
  CHECK(first.view() == second.view());
  if constexpr (typed) CHECK(first.view()[0] == M::type);
  const auto frame = typed ? cut_message(first.view()) : cut_startup(first.view());
  REQUIRE(frame.has_value());
  REQUIRE(frame->message.has_value());
  CHECK(frame->message->payload == payload);
  if (open_ended) return;
  for (std::size_t size = 0; size < payload.size(); ++size) {
    CAPTURE(size);
    const std::string cut = payload.substr(0, size);  // its own memory: the sanitizer sees overruns
    CHECK_FALSE(M::decode(cut).has_value());
  }
  CHECK_FALSE(M::decode(payload + "x").has_value());
}

Message whole(const Buffer& buffer) {
  return *cut_message(buffer.view())->message;
}

}  // namespace

TEST_CASE("messages of the startup phase") {
  check_round_trip(StartupMessage{protocol_3_0, {{"user", "u"}, {"database", "d"}}});
  check_round_trip(StartupMessage{protocol_3_0, {}});
  check_round_trip(SSLRequest{});
  check_round_trip(GSSENCRequest{});
  check_round_trip(CancelRequest{-5, 0x7fffffff});
  const StartupMessage twice{protocol_3_0, {{"user", "a"}, {"user", "b"}}};
  CHECK(twice.parameter("user") == "b");
  CHECK(twice.parameter("database").empty());
  CHECK_FALSE(SSLRequest::decode(std::string("\x04\xd2\x16\x30", 4)).has_value());
}

TEST_CASE("messages of the client") {
  const Oids oids{23, 4'000'000'000u};
  const Formats formats{1, 0};
  const Fields fields{Field("one"), Field(), Field("")};
  check_round_trip(PasswordMessage{"secret"});
  check_round_trip(SASLInitialResponse{"SCRAM-SHA-256", "n,,n=,r=x"});
  check_round_trip(SASLInitialResponse{"SCRAM-SHA-256", std::nullopt});
  check_round_trip(SASLResponse{"c=biws,r=x,p=y"}, true);
  check_round_trip(Query{"select 'ü'"});
  check_round_trip(Parse{"s", "select $1", oids.list()});
  check_round_trip(Parse{});
  check_round_trip(Bind{"p", "s", Formats{1}.list(), fields.list(), formats.list()});
  check_round_trip(Bind{});
  check_round_trip(Describe{'P', "p"});
  check_round_trip(Execute{"p", 100});
  check_round_trip(Close{'S', "s"});
  check_round_trip(FunctionCall{1, Formats{0}.list(), fields.list(), 1});
  check_round_trip(CopyFail{"no more"});
  check_round_trip(CopyData{std::string_view("a\0b", 3)}, true);
  check_round_trip(pg::Flush{});
  check_round_trip(Sync{});
  check_round_trip(Terminate{});
  check_round_trip(CopyDone{});
}

TEST_CASE("messages of the server") {
  using Kind = Authentication::Kind;
  const Oids oids{25, 1700};
  const Formats formats{0, 1, 1};
  const Fields fields{Field("1"), Field(), Field("")};
  check_round_trip(Authentication{Kind::ok, {}, {}});
  check_round_trip(Authentication{Kind::cleartext, {}, {}});
  check_round_trip(Authentication{Kind::md5, "salt", {}});
  check_round_trip(Authentication{Kind::sasl, {}, {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}});
  check_round_trip(Authentication{Kind::sasl_continue, "r=", {}}, true);
  check_round_trip(Authentication{Kind::sasl_final, "v=", {}}, true);
  check_round_trip(BackendKeyData{1, 2});
  check_round_trip(ParameterStatus{"TimeZone", "UTC"});
  for (char status : {'I', 'T', 'E'}) check_round_trip(ReadyForQuery{status});
  check_round_trip(
      RowDescription{{{"a", 1, 2, 23, 4, -1, 1}, {"", 0, 0, 4'000'000'000u, -1, 5, 0}}});
  check_round_trip(RowDescription{});
  check_round_trip(DataRow{fields.list()});
  check_round_trip(DataRow{});
  check_round_trip(CommandComplete{"SELECT 1"});
  check_round_trip(EmptyQueryResponse{});
  check_round_trip(ParseComplete{});
  check_round_trip(BindComplete{});
  check_round_trip(CloseComplete{});
  check_round_trip(NoData{});
  check_round_trip(PortalSuspended{});
  check_round_trip(ParameterDescription{oids.list()});
  check_round_trip(FunctionCallResponse{"value"});
  check_round_trip(FunctionCallResponse{std::nullopt});
  check_round_trip(NotificationResponse{7, "channel", "payload"});
  check_round_trip(CopyInResponse{0, formats.list()});
  check_round_trip(CopyOutResponse{1, formats.list()});
  check_round_trip(CopyBothResponse{0, {}});
  check_round_trip(NegotiateProtocolVersion{0, {"_pq_.x", "_pq_.y"}});
}

TEST_CASE("errors and notices keep all fields, in order") {
  ErrorFields fields;
  for (char code : std::string_view("SVCMDHPpqWstcdnFLR")) {
    fields.set(code, std::string("value of ") + code);
  }
  check_round_trip(ErrorResponse(fields));
  check_round_trip(NoticeResponse(fields));
  fields.remove('P');
  CHECK(fields.get('P').empty());
  fields.set('M', "other");
  CHECK(fields.message() == "other");
  CHECK(fields.fields.size() == 17);
  Buffer out;
  ErrorResponse(ErrorFields::make("ERROR", "22000", std::string("cut\0here", 8))).encode(out);
  CHECK(ErrorResponse::decode(whole(out).payload)->message() == "cut");
}

TEST_CASE("views of lists") {
  const Fields fields{Field("one"), Field(), Field("")};
  Buffer out;
  DataRow{fields.list()}.encode(out);
  const auto row = DataRow::decode(whole(out).payload);
  REQUIRE(row.has_value());
  std::vector<Field> seen(row->fields.begin(), row->fields.end());
  CHECK(seen == std::vector<Field>{Field("one"), Field(), Field("")});
  CHECK(row->fields[2] == Field(""));
  CHECK(format_of({}, 3) == 0);
  CHECK(format_of(Formats{1}.list(), 3) == 1);
  CHECK(format_of(Formats{0, 1}.list(), 1) == 1);
  CHECK(Oids{7, 8}.list()[1] == 8);
}

TEST_CASE("a message of recorded bytes") {
  Buffer out;
  Query{"X"}.encode(out);
  CHECK(out.view() == std::string_view("Q\0\0\0\6X\0", 7));
  out.clear();
  DataRow{Fields{Field("ab"), Field()}.list()}.encode(out);
  CHECK(out.view() == std::string_view("D\0\0\0\20\0\2\0\0\0\2ab\377\377\377\377", 17));
}

TEST_CASE("frames are cut whole, and lengths are checked before anything else") {
  const std::string query("Q\0\0\0\6X\0", 7);
  for (std::size_t size = 0; size < query.size(); ++size) {
    const auto frame = cut_message(std::string_view(query).substr(0, size));
    REQUIRE(frame.has_value());
    CHECK_FALSE(frame->message.has_value());
    CHECK(frame->needed == (size < 5 ? 5 : 7));
  }
  CHECK(cut_message(query + "more")->message->raw == query);
  for (const char* length : {"\0\0\0\3", "\0\0\0\0", "\377\377\377\377", "\177\377\377\377"}) {
    CHECK_FALSE(cut_message("Q" + std::string(length, 4)).has_value());
  }
  CHECK_FALSE(cut_message(std::string("Q\0\0\1\0", 5), 256).has_value());
  CHECK(cut_message(std::string("Q\0\0\1\0", 5), 257).has_value());
  CHECK(cut_startup(std::string("\0\0\0\10\4\322\26\57", 8))->message->payload.size() == 4);
  for (const char* length : {"\0\0\0\7", "\0\0\47\21", "\377\377\377\377", "GET "}) {
    CHECK_FALSE(cut_startup(std::string(length, 4)).has_value());
  }
}

TEST_CASE("malformed contents are refused") {
  const auto bytes = [](const char* text, std::size_t size) { return std::string(text, size); };
  CHECK_FALSE(DataRow::decode(bytes("\0\1\377\377\377\376", 6)).has_value());  // length -2
  CHECK_FALSE(DataRow::decode(bytes("\377\377", 2)).has_value());              // 65535 values
  CHECK_FALSE(DataRow::decode(bytes("\0\1\177\377\377\377", 6)).has_value());  // 2 GiB value
  CHECK_FALSE(RowDescription::decode(bytes("\377\377", 2)).has_value());
  CHECK_FALSE(ReadyForQuery::decode("X").has_value());
  CHECK_FALSE(NegotiateProtocolVersion::decode(bytes("\0\0\0\0\177\377\377\377", 8)).has_value());
  CHECK_FALSE(FunctionCallResponse::decode(bytes("\377\377\377\376", 4)).has_value());
  CHECK(Describe::decode(bytes("x\0", 2)).error().message ==
        "invalid DESCRIBE message subtype 120");
  CHECK(Bind::decode(bytes("\0\0\0\2\0\0\0\0\0\1\0\0\0\0\0\0", 16)).error().message ==
        "bind message has 2 parameter formats but 1 parameters");
  CHECK_FALSE(StartupMessage::decode(bytes("\0\3\0\0user\0u\0", 11)).has_value());
}

TEST_CASE("traces are one line a message") {
  const auto line = [](Direction direction, const auto& message) {
    Buffer out;
    message.encode(out);
    return trace(direction, whole(out));
  };
  const auto backend = Direction::from_backend;
  const auto frontend = Direction::from_frontend;
  CHECK(line(backend, DataRow{Fields{Field("1"), Field()}.list()}) == R"(B DataRow 2 "1" NULL)");
  CHECK(line(backend, CommandComplete{"SELECT 1"}) == R"(B CommandComplete "SELECT 1")");
  CHECK(line(backend, ReadyForQuery{'T'}) == "B ReadyForQuery T");
  CHECK(line(backend, ErrorResponse(ErrorFields::make("ERROR", "42601", "no"))) ==
        R"(B ErrorResponse S "ERROR" V "ERROR" C "42601" M "no")");
  CHECK(line(frontend, Query{"a\"\n"}) == R"(F Query "a\"\x0a")");
  CHECK(line(frontend, Parse{"s", "q", Oids{23}.list()}) == R"(F Parse "s" "q" 1 23)");
  CHECK(line(frontend, Sync{}) == "F Sync");
  CHECK(line(frontend, PasswordMessage{"secret"}) == "F AuthResponse 7 bytes");
  CHECK(trace(backend, Message{'Z', "", ""}) ==
        "B ReadyForQuery BROKEN: invalid ReadyForQuery message: too short");
  CHECK(trace(backend, Message{'?', "x", ""}) == R"(B Unknown "?" "x")");
}
