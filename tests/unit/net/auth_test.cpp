#include <doctest/doctest.h>

#include <string>

#include "net/pg/auth_scram.h"
#include "net/pg/auth_server_conversation.h"
#include "net/pg/startup_conversation.h"

using namespace anabranch::net;
using namespace anabranch::net::pg;

namespace {

// RFC 7677, section 3.
constexpr std::string_view client_nonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view client_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view client_final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

ScramVerifier rfc_verifier() {
  return ScramVerifier::from_password("pencil", *base64_decode("W22ZaJ0SNY7soEsUEjb6gQ=="));
}

/// Takes the first message off `buffer`.
struct Letter {
  std::string raw;
  Message message() const { return *cut_message(raw)->message; }
};
std::optional<Letter> take(Buffer& buffer) {
  const auto frame = cut_message(buffer.view());
  REQUIRE(frame.has_value());
  if (!frame->message) return std::nullopt;
  Letter letter{std::string(frame->message->raw)};
  buffer.consume(letter.raw.size());
  return letter;
}

/// Runs client and server against each other; the server greets like PostgreSQL when done.
struct Duel {
  StartupConversation client;
  AuthServerConversation server;
  void fight() {
    Buffer to_server;
    Buffer to_client;
    client.start(to_server);
    const auto startup = cut_startup(to_server.view());
    REQUIRE(startup->message.has_value());
    to_server.consume(startup->message->raw.size());
    server.start(to_client);
    for (int step = 0; step < 20; ++step) {
      if (server.state() == AuthServerConversation::State::done && !greeted) greet(to_client);
      if (server.state() == AuthServerConversation::State::failed && !greeted) {
        ErrorResponse(server.error()).encode(to_client);
        greeted = true;
      }
      if (auto letter = take(to_client)) client.resume(letter->message(), to_server);
      if (auto letter = take(to_server)) server.resume(letter->message(), to_client);
    }
  }

  void greet(Buffer& out) {
    greeted = true;
    ParameterStatus{"server_version", "15"}.encode(out);
    NoticeResponse(ErrorFields::make("NOTICE", "00000", "hello")).encode(out);
    BackendKeyData{42, 43}.encode(out);
    ReadyForQuery{'I'}.encode(out);
  }
  bool greeted = false;
};

using Method = AuthServerConversation::Method;
using ServerState = AuthServerConversation::State;
using ClientState = StartupConversation::State;

Duel duel(Method method, std::string password, std::optional<std::string> secret,
          std::string client_binding = {}, std::string server_binding = {}) {
  StartupConversation::Options client;
  client.user = "alice";
  client.database = "shop";
  client.password = std::move(password);
  client.channel_binding = std::move(client_binding);
  AuthServerConversation::Options server;
  server.method = method;
  server.user = "alice";
  server.secret = std::move(secret);
  server.channel_binding = std::move(server_binding);
  server.mock_nonce = "process secret";
  Duel result{StartupConversation(std::move(client)), AuthServerConversation(std::move(server))};
  result.fight();
  return result;
}

}  // namespace

TEST_CASE("SCRAM-SHA-256: the vector of RFC 7677, client's side") {
  ScramClient client("pencil", {}, std::string(client_nonce));
  client.set_user("user");
  CHECK(client.choose({scram_sha_256}).value() == "SCRAM-SHA-256");
  CHECK(client.first() == client_first);
  CHECK(client.final_message(server_first).value() == client_final);
  CHECK(client.verify(server_final).has_value());
  CHECK_FALSE(client.verify("v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").has_value());
  CHECK_FALSE(client.verify("e=invalid-proof").has_value());
  CHECK_FALSE(client.verify("").has_value());
}

TEST_CASE("SCRAM-SHA-256: the vector of RFC 7677, server's side") {
  ScramServer server(rfc_verifier(), false, {}, std::string(server_nonce));
  CHECK(server.first(scram_sha_256, client_first).value() == server_first);
  CHECK(server.final_message(client_final).value() == server_final);
}

TEST_CASE("a verifier is written as PostgreSQL stores it, and read back") {
  const ScramVerifier verifier = rfc_verifier();
  const std::string text = verifier.to_string();
  CHECK(text.starts_with("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"));
  const auto parsed = ScramVerifier::parse(text);
  REQUIRE(parsed.has_value());
  CHECK(parsed->to_string() == text);
  CHECK(parsed->matches("pencil"));
  CHECK_FALSE(parsed->matches("Pencil"));
  for (std::size_t size = 0; size < text.size(); ++size) {
    CHECK_FALSE(ScramVerifier::parse(text.substr(0, size)).has_value());
  }
  for (const char* broken :
       {"SCRAM-SHA-256$0:AAAA$AAAA:AAAA", "SCRAM-SHA-256$x:AAAA$AAAA:AAAA",
        "SCRAM-SHA-256$999999999:W22ZaJ0SNY7soEsUEjb6gQ==$AAAA:AAAA", "md5", "plain"}) {
    CHECK_FALSE(ScramVerifier::parse(broken).has_value());
  }
}

TEST_CASE("md5 verifiers and answers") {
  // select 'md5' || md5('secret' || 'alice')
  CHECK(md5_verifier("secret", "alice").size() == 35);
  CHECK(is_md5_verifier(md5_verifier("secret", "alice")));
  CHECK(md5_verifier("", "") == "md5d41d8cd98f00b204e9800998ecf8427e");
  CHECK_FALSE(is_md5_verifier("md5"));
  CHECK_FALSE(is_md5_verifier("md5D41d8cd98f00b204e9800998ecf8427e"));
}

TEST_CASE("base64 is strict") {
  CHECK(base64_encode("") == "");
  CHECK(base64_encode(std::string_view("\0a", 2)) == "AGE=");
  CHECK(base64_decode("AGE=").value() == std::string_view("\0a", 2));
  for (const char* broken : {"A", "AGE", "A===", "A=E=", "AG E", "AG\nE", "===="}) {
    CAPTURE(broken);
    CHECK_FALSE(base64_decode(broken).has_value());
  }
}

TEST_CASE("client and server: every method, right and wrong") {
  const std::string scram = ScramVerifier::from_password("secret").to_string();
  const std::string md5 = md5_verifier("secret", "alice");
  struct Case {
    Method method;
    std::optional<std::string> secret;
  };
  const Case cases[] = {
      {Method::cleartext, "secret"}, {Method::cleartext, scram}, {Method::cleartext, md5},
      {Method::md5, "secret"},       {Method::md5, md5},         {Method::scram, "secret"},
      {Method::scram, scram}};
  for (const Case& one : cases) {
    CAPTURE(static_cast<int>(one.method));
    const Duel right = duel(one.method, "secret", one.secret);
    CHECK(right.server.state() == ServerState::done);
    REQUIRE(right.client.state() == ClientState::done);
    CHECK(right.client.key().process == 42);
    CHECK(right.client.key().secret == 43);
    CHECK(right.client.parameters().front().second == "15");
    const Duel wrong = duel(one.method, "Secret", one.secret);
    CHECK(wrong.server.state() == ServerState::failed);
    CHECK(wrong.server.error().sqlstate() == "28P01");
    CHECK(wrong.server.error().message() == "password authentication failed for user \"alice\"");
    CHECK(wrong.client.state() == ClientState::failed);
    CHECK(wrong.client.rejected_by_server());
    CHECK(wrong.client.error().sqlstate() == "28P01");
    const Duel nobody = duel(one.method, "secret", std::nullopt);
    CHECK(nobody.server.error().message() == wrong.server.error().message());
  }
  CHECK(duel(Method::trust, "", std::nullopt).client.state() == ClientState::done);
  CHECK(duel(Method::md5, md5, md5).client.state() == ClientState::done);
  CHECK(duel(Method::scram, md5, md5).client.state() == ClientState::failed);
  CHECK(duel(Method::scram, "", "secret").client.state() == ClientState::failed);
  CHECK(AuthServerConversation::method_for(md5) == Method::md5);
  CHECK(AuthServerConversation::method_for("x") == Method::scram);
  CHECK(AuthServerConversation::method_for(std::nullopt) == Method::scram);
}

TEST_CASE("a user who does not exist gets the same salt each time") {
  CHECK(ScramVerifier::mock("bob", "n").salt == ScramVerifier::mock("bob", "n").salt);
  CHECK(ScramVerifier::mock("bob", "n").salt != ScramVerifier::mock("eve", "n").salt);
  CHECK(ScramVerifier::mock("bob", "n").salt != ScramVerifier::mock("bob", "m").salt);
  CHECK(ScramVerifier::mock("bob", "n").salt.size() == 16);
}

TEST_CASE(
    "channel binding: both bind, and neither a swapped certificate nor a removed offer passes") {
  const std::string binding(32, 'b');
  CHECK(duel(Method::scram, "secret", "secret", binding, binding).client.state() ==
        ClientState::done);
  const Duel swapped = duel(Method::scram, "secret", "secret", binding, std::string(32, 'x'));
  CHECK(swapped.server.error().message() == "SCRAM channel binding check failed");
  // The client could bind but was offered nothing; a server that had offered it says no.
  CHECK(duel(Method::scram, "secret", "secret", binding, {}).client.state() == ClientState::done);
  ScramServer server(rfc_verifier(), false, binding);
  CHECK(server.mechanisms().front() == scram_sha_256_plus);
  CHECK_FALSE(server.first(scram_sha_256, "y,,n=,r=abc").has_value());
  CHECK(duel(Method::scram, "secret", "secret", {}, binding).client.state() == ClientState::done);
}

TEST_CASE("SCRAM server: malformed messages") {
  const auto first = [](std::string_view mechanism, std::string_view text) {
    return ScramServer(rfc_verifier(), false, {}).first(mechanism, text);
  };
  CHECK_FALSE(first("PLAIN", client_first).has_value());
  CHECK_FALSE(first(scram_sha_256_plus, client_first).has_value());
  for (const char* broken : {"", "n", "n,,", "n,a=x,n=,r=x", "n,,n=u", "n,,n=u,r=", "x,,n=u,r=x",
                             "n,,m=x,n=u,r=x", "p=tls-server-end-point,,n=,r=x"}) {
    CAPTURE(broken);
    CHECK_FALSE(first(scram_sha_256, broken).has_value());
  }
  for (std::size_t size = 0; size < client_final.size(); ++size) {
    ScramServer server(rfc_verifier(), false, {}, std::string(server_nonce));
    REQUIRE(server.first(scram_sha_256, client_first).has_value());
    CHECK_FALSE(server.final_message(client_final.substr(0, size)).has_value());
  }
  ScramServer mock(rfc_verifier(), true, {}, std::string(server_nonce));
  REQUIRE(mock.first(scram_sha_256, client_first).has_value());
  const auto answer = mock.final_message(client_final);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().failure == ScramServer::Failure::wrong_password);
}

TEST_CASE("SCRAM client: malformed messages, and a server that only pretends") {
  for (std::string broken :
       {std::string(), std::string("r=other,s=AAAA,i=4096"), std::string("m=x,r=y,s=z,i=1"),
        std::string("r=") + std::string(client_nonce) + ",s=AAAA,i=4096",
        std::string("r=") + std::string(client_nonce) + "x,s=?,i=4096",
        std::string("r=") + std::string(client_nonce) + "x,s=AAAA,i=0",
        std::string("r=") + std::string(client_nonce) + "x,s=AAAA,i=2000000000"}) {
    CAPTURE(broken);
    ScramClient client("pencil", {}, std::string(client_nonce));
    client.first();
    CHECK_FALSE(client.final_message(broken).has_value());
  }
  StartupConversation conversation({"u", "d", "secret", {}, {}, true});
  Buffer out;
  Buffer in;
  conversation.start(out);
  Authentication{Authentication::Kind::sasl, {}, {scram_sha_256}}.encode(in);
  CHECK(conversation.resume(take(in)->message(), out) == ClientState::reading);
  Authentication{Authentication::Kind::ok, {}, {}}.encode(in);
  CHECK(conversation.resume(take(in)->message(), out) == ClientState::failed);
  CHECK(conversation.error().message() == "the server did not prove that it knows the password");
}

TEST_CASE("startup: a failure at each step of the script") {
  const auto letters = [] {
    std::vector<std::string> script;
    const auto add = [&script](const auto& message) {
      Buffer out;
      message.encode(out);
      script.emplace_back(out.view());
    };
    add(Authentication{Authentication::Kind::cleartext, {}, {}});
    add(Authentication{Authentication::Kind::ok, {}, {}});
    add(ParameterStatus{"a", "b"});
    add(BackendKeyData{1, 2});
    add(ReadyForQuery{'I'});
    return script;
  }();
  const auto run = [&letters](std::size_t bad_step, std::string_view bad) {
    StartupConversation conversation({"u", "d", "pw", {{"application_name", "x"}}, {}, true});
    Buffer out;
    conversation.start(out);
    for (std::size_t step = 0; step < letters.size(); ++step) {
      const std::string raw(step == bad_step ? bad : std::string_view(letters[step]));
      conversation.resume(*cut_message(raw)->message, out);
    }
    return conversation.state();
  };
  CHECK(run(99, "") == ClientState::done);
  Buffer error;
  ErrorResponse(ErrorFields::make("FATAL", "3D000", "no such database")).encode(error);
  for (std::size_t step = 0; step < letters.size(); ++step) {
    CAPTURE(step);
    CHECK(run(step, error.view()) == ClientState::failed);
    CHECK(run(step, std::string_view("D\0\0\0\4", 5)) == ClientState::failed);
    CHECK(run(step, letters[step].substr(0, 1) + std::string("\0\0\0\4", 4)) ==
          ClientState::failed);
    CHECK(run(step, std::string_view("R\0\0\0\10\0\0\0\2", 9)) == ClientState::failed);
  }
}

TEST_CASE("a client that answers with something else, or twice, fails") {
  AuthServerConversation server({Method::scram, "u", "secret", {}, "n"});
  Buffer out;
  CHECK(server.start(out) == ServerState::reading);
  Buffer query;
  Query{"select 1"}.encode(query);
  CHECK(server.resume(take(query)->message(), out) == ServerState::failed);
  CHECK(server.error().sqlstate() == "08P01");
  AuthServerConversation broken({Method::cleartext, "u", "secret", {}, "n"});
  broken.start(out);
  CHECK(broken.resume(Message{'p', "no end", ""}, out) == ServerState::failed);
  CHECK(broken.error().sqlstate() == "08P01");
}
