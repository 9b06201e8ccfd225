#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "net/mysql/auth_server_conversation.h"
#include "net/mysql/command_messages.h"
#include "net/mysql/login_conversation.h"
#include "net/mysql/result_messages.h"
#include "round_trip.h"

using namespace anabranch::net;
using namespace anabranch::net::mysql;
using namespace anabranch::net::mysql::test;

namespace {

// Computed by another implementation (Python's hashlib) from the documented formulas.
const std::string challenge = "!\"#$%&'()*+,-./01234";
constexpr std::string_view password = "correct horse";
constexpr std::string_view password_hash = "*0E8F21E4240F5AD5A07D088F9C93890D13D78A4E";
constexpr std::string_view native_proof = "5844e9d152ef53699c991004ce68beccaa51440a";
constexpr std::string_view sha2_proof =
    "743c091ccf60a0480e3171e12beb54c8353dde7638baa0ed6f5c7776980352a2";
constexpr std::string_view sha2_verifier =
    "bf7ffba958c798f80e3cf8ebea1cbc781495cadb8880a7f2bbc73d530712b52d";

using Server = AuthServerConversation;
using Client = LoginConversation;
using Plugin = Server::Plugin;

std::shared_ptr<const RsaKeyPair> key_pair() {
  static const auto made = RsaKeyPair::generate();
  return made;
}

/// A server around its conversation: greets, reads the response, says OK or ERR.
struct Duel {
  Client::Options client;
  Server::Options server;
  Capabilities offered = Client::usual_capabilities | capability::connect_with_db |
                         capability::connect_attributes | capability::ssl;
  std::string greeting_plugin{native_password};

  std::string said;  // the client's plugin at the beginning
  std::size_t questions = 0;
  Client::State client_state = Client::State::reading;
  Server::State server_state = Server::State::reading;
  ServerError client_error;
  ServerError server_error;
  std::optional<CachingSha2Verifier> verifier;
  std::optional<Sha1> native_key;
  bool over_tls = false;

  Duel(std::string client_password, std::optional<std::string> secret, Plugin plugin) {
    client.user = "jo";
    client.password = std::move(client_password);
    client.database = "shop";
    client.attributes = {{"program_name", "test"}};
    server.user = "jo";
    server.host = "here";
    server.plugin = plugin;
    server.secret = std::move(secret);
    server.challenge = challenge;
    if (plugin == Plugin::caching_sha2) greeting_plugin = caching_sha2_password;
  }

  bool fight() {
    Client speaker(client);
    Buffer to_client;
    Buffer to_server;
    Sequence client_sequence;
    Sequence server_sequence;
    HandshakeV10{"8.0.0-test", 5, challenge, offered, 45, 2, greeting_plugin}.encode(
        to_client, server_sequence);
    std::optional<Server> listener;
    for (int step = 0; step < 20 && speaker.state() != Client::State::done; ++step) {
      if (speaker.state() == Client::State::failed) break;
      while (const auto frame = cut_frame(to_client.view())->frame) {
        const std::string raw(frame->raw);
        to_client.consume(raw.size());
        speaker.resume(*cut_frame(raw)->frame, to_server, client_sequence);
        if (listener) ++questions;
      }
      while (const auto frame = cut_frame(to_server.view())->frame) {
        const std::string raw(frame->raw);
        to_server.consume(raw.size());
        serve(*cut_frame(raw)->frame, listener, speaker, to_client, to_server, server_sequence,
              client_sequence);
      }
    }
    client_state = speaker.state();
    client_error = speaker.error();
    if (listener) {
      server_state = listener->state();
      server_error = listener->error();
      verifier = listener->verifier();
      native_key = listener->native_key();
    }
    return client_state == Client::State::done;
  }

  void serve(const Frame& frame, std::optional<Server>& listener, Client& speaker,
             Buffer& to_client, Buffer& to_server, Sequence& sequence, Sequence& client_sequence) {
    if (!listener && SSLRequest::is(frame.payload)) {
      REQUIRE(sequence.accept(frame).has_value());
      over_tls = server.secure_transport = true;
      speaker.tls_started(to_server, client_sequence);
      return;
    }
    if (listener) {
      listener->resume(frame, to_client, sequence);
    } else {
      REQUIRE(sequence.accept(frame).has_value());
      const auto response = HandshakeResponse41::decode(frame.payload);
      REQUIRE(response.has_value());
      CHECK(response->user == "jo");
      CHECK(response->database == "shop");
      CHECK(response->attributes == ConnectionAttributes{{"program_name", "test"}});
      said = response->plugin;
      listener.emplace(server);
      listener->start(response->plugin, response->auth_response, response->capabilities, to_client,
                      sequence);
    }
    if (listener->state() == Server::State::done) {
      Ok{false, 0, 0, 2, 0, {}, {}}.encode(to_client, sequence, offered);
    } else if (listener->state() == Server::State::failed) {
      const ServerError& error = listener->error();
      Err{error.code, error.sqlstate, error.message}.encode(to_client, sequence);
    }
  }
};

/// A client with this password, which has just been asked by the server.
struct Asked {
  Client client;
  Buffer out;
  Sequence sequence;

  explicit Asked(Client::Options options, std::string_view plugin = native_password,
                 Capabilities offered = Client::usual_capabilities)
      : client(std::move(options)) {
    Buffer greeting;
    Sequence server;
    HandshakeV10{"v", 1, challenge, offered, 45, 2, plugin}.encode(greeting, server);
    client.resume(*cut_frame(greeting.view())->frame, out, sequence);
    out.clear();
  }
  template <typename M>
  Client::State hear(const M& message) {
    Buffer question;
    Sequence server(sequence.next());
    message.encode(question, server);
    return client.resume(*cut_frame(question.view())->frame, out, sequence);
  }
};

Client::Options with_password(std::string_view text) {
  Client::Options options;
  options.user = "jo";
  options.password = text;
  return options;
}

}  // namespace

TEST_CASE("mysql_native_password: answers and hashes") {
  CHECK(native_answer(sha1(password), challenge) == unhex(native_proof));
  const NativeHash hash = NativeHash::of(password);
  CHECK(hash.to_string() == password_hash);
  const auto parsed = NativeHash::parse("*0e8f21e4240f5ad5a07d088f9c93890d13d78a4e");
  REQUIRE(parsed.has_value());
  CHECK(parsed->to_string() == password_hash);
  CHECK(parsed->fits(password));
  CHECK_FALSE(parsed->fits("correct Horse"));
  CHECK(hash.check(unhex(native_proof), challenge) == sha1(password));
  std::string wrong = unhex(native_proof);
  wrong.back() ^= 1;
  CHECK_FALSE(hash.check(wrong, challenge).has_value());
  CHECK_FALSE(hash.check(unhex(native_proof), challenge.substr(1)).has_value());
  CHECK_FALSE(hash.check("", challenge).has_value());
  for (std::size_t size = 0; size < password_hash.size(); ++size) {
    CHECK_FALSE(NativeHash::parse(password_hash.substr(0, size)).has_value());
  }
  CHECK_FALSE(NativeHash::parse("*0E8F21E4240F5AD5A07D088F9C93890D13D78A4G").has_value());
}

TEST_CASE("caching_sha2_password: answers and verifiers") {
  CHECK(caching_sha2_answer(password, challenge) == unhex(sha2_proof));
  const auto verifier = CachingSha2Verifier::of(password);
  CHECK(as_view(verifier.hash) == unhex(sha2_verifier));
  CHECK(verifier.fits(unhex(sha2_proof), challenge));
  CHECK_FALSE(verifier.fits(unhex(sha2_proof).substr(1), challenge));
  CHECK_FALSE(CachingSha2Verifier::of("other").fits(unhex(sha2_proof), challenge));
}

TEST_CASE("caching_sha2_password: RSA") {
  const auto hidden = rsa_hide(password, challenge, key_pair()->public_key());
  REQUIRE(hidden.has_value());
  CHECK(hidden->size() == 256);
  CHECK(key_pair()->reveal(*hidden, challenge) == std::string(password));
  CHECK(key_pair()->reveal(*hidden, "another challenge...") != std::string(password));
  std::string broken = *hidden;
  broken[100] ^= 1;
  CHECK_FALSE(key_pair()->reveal(broken, challenge).has_value());
  CHECK_FALSE(key_pair()->reveal("", challenge).has_value());
  CHECK_FALSE(rsa_hide(std::string(300, 'x'), challenge, key_pair()->public_key()).has_value());
  CHECK_FALSE(rsa_hide(password, challenge, "no key").has_value());
  CHECK_FALSE(RsaKeyPair::from_pem("no key").has_value());
}

TEST_CASE("mysql login: the plugin of client and server agree") {
  for (const Plugin plugin : {Plugin::native, Plugin::caching_sha2}) {
    CAPTURE(static_cast<int>(plugin));
    Duel right("secret", "secret", plugin);
    CHECK(right.fight());
    CHECK(right.said == right.greeting_plugin);
    Duel empty("", "", plugin);
    CHECK(empty.fight());
    const std::vector<std::pair<std::string, std::optional<std::string>>> mistakes = {
        {"wrong", "secret"}, {"secret", std::nullopt}, {"secret", ""}};
    for (const auto& [given, secret] : mistakes) {
      Duel wrong(given, secret, plugin);
      CHECK_FALSE(wrong.fight());
      CHECK(wrong.client_error.code == 1045);
      CHECK(wrong.client_error.sqlstate == "28000");
      CHECK(wrong.client_error.message ==
            "Access denied for user 'jo'@'here' (using password: YES)");
    }
    Duel none("", "secret", plugin);
    CHECK_FALSE(none.fight());
    CHECK(none.client_error.message == "Access denied for user 'jo'@'here' (using password: NO)");
  }
}

TEST_CASE("mysql login: a switch where they do not") {
  for (const Plugin plugin : {Plugin::native, Plugin::caching_sha2}) {
    Duel duel("secret", "secret", plugin);
    duel.greeting_plugin = plugin == Plugin::native ? caching_sha2_password : native_password;
    CHECK(duel.fight());
    CHECK(duel.said == duel.greeting_plugin);
    Duel strange("secret", "secret", plugin);
    strange.greeting_plugin = "client_ed25519";
    CHECK(strange.fight());
    Duel wrong("wrong", "secret", plugin);
    wrong.greeting_plugin = duel.greeting_plugin;
    CHECK_FALSE(wrong.fight());
    CHECK(wrong.client_error.code == 1045);
  }
  Duel old("secret", "secret", Plugin::caching_sha2);
  old.offered &= ~capability::plugin_auth;
  CHECK_FALSE(old.fight());
  CHECK(old.client_error.code == 1251);
}

TEST_CASE("mysql login: hashes") {
  Duel native(std::string(password), std::string(password_hash), Plugin::native);
  CHECK(native.fight());
  CHECK(native.native_key == sha1(password));
  // SHA1(password) answers in the password's place, but not for caching_sha2_password.
  for (const Plugin plugin : {Plugin::native, Plugin::caching_sha2}) {
    Duel by_key("", std::string(password), plugin);
    by_key.client.native_key = sha1(password);
    CHECK(by_key.fight() == (plugin == Plugin::native));
  }
  // A hash cannot check the fast answer: the password is asked for, and gives the verifier.
  Duel full(std::string(password), std::string(password_hash), Plugin::caching_sha2);
  full.server.rsa = key_pair();
  full.client.ask_for_public_key = true;
  CHECK(full.fight());
  CHECK(full.questions == 3);  // "the whole", the key, OK
  REQUIRE(full.verifier.has_value());
  CHECK(*full.verifier == CachingSha2Verifier::of(password));
  CHECK(full.native_key == sha1(password));
  Duel cached(std::string(password), std::string(password_hash), Plugin::caching_sha2);
  cached.server.cached = full.verifier;
  CHECK(cached.fight());
  CHECK(cached.questions == 2);  // "known", OK
  Duel nobody(std::string(password), std::nullopt, Plugin::caching_sha2);
  nobody.server.cached = full.verifier;
  CHECK_FALSE(nobody.fight());
  Client::Options hash_as_password = with_password(password_hash);
  Asked asked(hash_as_password);
  CHECK(asked.client.state() == Client::State::failed);
}

TEST_CASE("mysql login: the ways of the password itself") {
  const auto duel = [](std::string given) {
    Duel made(std::move(given), std::string(password_hash), Plugin::caching_sha2);
    made.server.rsa = key_pair();
    return made;
  };
  Duel unasked = duel(std::string(password));
  CHECK_FALSE(unasked.fight());  // the client does not trust any key
  CHECK(unasked.client_state == Client::State::failed);
  CHECK(unasked.client_error.message ==
        "the server asks for the password itself, and the connection has no TLS");
  Duel pinned = duel(std::string(password));
  pinned.client.server_public_key = key_pair()->public_key();
  CHECK(pinned.fight());
  CHECK(pinned.questions == 2);
  Duel tls = duel(std::string(password));
  tls.client.tls = Client::Tls::always;
  CHECK(tls.fight());
  CHECK(tls.over_tls);
  Duel local = duel(std::string(password));
  local.client.local_socket = local.server.secure_transport = true;
  CHECK(local.fight());
  for (const bool secure : {false, true}) {
    Duel wrong = duel("wrong");
    wrong.client.ask_for_public_key = true;
    if (secure) wrong.client.tls = Client::Tls::if_offered;
    CHECK_FALSE(wrong.fight());
    CHECK(wrong.client_error.code == 1045);
  }
  Duel keyless = duel(std::string(password));
  keyless.server.rsa = nullptr;
  CHECK_FALSE(keyless.fight());
  CHECK(keyless.client_error.code == 1045);
  Duel plain("secret", "secret", Plugin::native);
  plain.offered &= ~capability::ssl;
  plain.client.tls = Client::Tls::always;
  CHECK_FALSE(plain.fight());
  CHECK(plain.client_error.message == "the server does not offer TLS");
  plain.client.tls = Client::Tls::if_offered;
  CHECK(plain.fight());
}

TEST_CASE("mysql login: a client among hostile servers") {
  Asked clear(with_password("secret"));
  CHECK(clear.hear(AuthSwitchRequest{clear_password, {}}) == Client::State::failed);
  CHECK(clear.client.error().message == "the server asks for the password in clear, without TLS");
  CHECK(clear.out.empty());
  Asked old(with_password("secret"));
  CHECK(old.hear(AuthSwitchRequest{}) == Client::State::failed);
  Asked ed25519(with_password("secret"));
  CHECK(ed25519.hear(AuthSwitchRequest{"client_ed25519", challenge}) == Client::State::failed);
  CHECK(ed25519.client.error().message ==
        "the server asks for the authentication plugin client_ed25519, which is not supported");
  Asked short_challenge(with_password("secret"));
  CHECK(short_challenge.hear(AuthSwitchRequest{native_password, "short"}) == Client::State::failed);
  Asked more(with_password("secret"));
  CHECK(more.hear(AuthMoreData{"\4"}) == Client::State::failed);  // native has no more to ask
  CHECK(more.out.empty());
  Asked endless(with_password("secret"));
  for (int i = 0; i < 30; ++i) endless.hear(AuthSwitchRequest{native_password, challenge});
  CHECK(endless.client.state() == Client::State::failed);
  Client::Options options = with_password("secret");
  options.ask_for_public_key = true;
  Asked no_key(options, caching_sha2_password);
  CHECK(no_key.hear(AuthMoreData{"\4"}) == Client::State::reading);
  CHECK(no_key.hear(AuthMoreData{"no key"}) == Client::State::failed);
  Asked misnumbered(with_password("secret"));
  misnumbered.sequence.reset(9);
  Buffer ok;
  Sequence wrong(1);
  Ok{}.encode(ok, wrong, 0);
  misnumbered.client.resume(*cut_frame(ok.view())->frame, misnumbered.out, misnumbered.sequence);
  CHECK(misnumbered.client.error().code == error_code::out_of_order);
  Asked rejected(with_password("secret"));
  CHECK(rejected.hear(Err{1040, "08004", "Too many connections"}) == Client::State::failed);
  CHECK(rejected.client.rejected_by_server());
  CHECK(rejected.client.error().code == 1040);
}

TEST_CASE("mysql login: a client never agrees to what nobody here reads") {
  Client::Options options = with_password("secret");
  options.capabilities = ~Capabilities{0};
  Asked asked(options, native_password, ~Capabilities{0} & ~capability::long_password);
  CHECK((asked.client.capabilities() & capability::never_agreed) == 0);
  CHECK(has(asked.client.capabilities(), capability::mariadb_cache_metadata));
}

TEST_CASE("mysql login: COM_CHANGE_USER answers the last challenge") {
  Asked asked(with_password("secret"));
  Buffer ok;
  Sequence server(asked.sequence.next());
  Ok{}.encode(ok, server, 0);
  asked.client.resume(*cut_frame(ok.view())->frame, asked.out, asked.sequence);
  REQUIRE(asked.client.state() == Client::State::done);
  Client::Options other = with_password(password);
  other.user = "mo";
  other.database = "shop";
  CHECK(asked.client.change_user(other, asked.out, asked.sequence) == Client::State::reading);
  const Frame frame = *cut_frame(asked.out.view())->frame;
  CHECK(frame.sequence == 0);
  const auto command = ComChangeUser::decode(frame.payload, asked.client.capabilities());
  REQUIRE(command.has_value());
  CHECK(command->user == "mo");
  CHECK(command->database == "shop");
  CHECK(command->auth_response == unhex(native_proof));
  // And the server's side takes it as it takes a login.
  Server::Options options;
  options.user = "mo";
  options.secret = password_hash;
  options.challenge = challenge;
  Server conversation(options);
  Buffer out;
  Sequence sequence(1);
  CHECK(conversation.start(command->plugin, command->auth_response, asked.client.capabilities(),
                           out, sequence) == Server::State::done);
}

TEST_CASE("mysql login: challenges, and which plugin spares the switch") {
  const std::string first = Server::random_challenge();
  CHECK(first.size() == challenge_bytes);
  CHECK(first != Server::random_challenge());
  for (const char byte : first) CHECK((byte > 0 && byte != '$'));
  CHECK(Server::plugin_for("plain", caching_sha2_password) == Plugin::caching_sha2);
  CHECK(Server::plugin_for("plain", native_password) == Plugin::native);
  CHECK(Server::plugin_for("plain", "client_ed25519") == Plugin::native);
  CHECK(Server::plugin_for(std::nullopt, caching_sha2_password) == Plugin::caching_sha2);
  CHECK(Server::plugin_for(std::string(password_hash), caching_sha2_password) == Plugin::native);
}

TEST_CASE("mysql login: a server among hostile clients") {
  const auto start = [](std::string_view plugin, std::string_view answer, Plugin ours) {
    Server::Options options;
    options.plugin = ours;
    options.secret = "secret";
    options.challenge = challenge;
    options.secure_transport = true;
    Server conversation(std::move(options));
    Buffer out;
    Sequence sequence(2);
    conversation.start(plugin, answer, Client::usual_capabilities, out, sequence);
    return conversation;
  };
  CHECK(start(native_password, "short", Plugin::native).error().code == 1045);
  CHECK(start(caching_sha2_password, "short", Plugin::caching_sha2).error().code == 1043);
  Server asked = start(caching_sha2_password, std::string(32, 'x'), Plugin::caching_sha2);
  REQUIRE(asked.state() == Server::State::reading);
  Buffer out;
  Buffer answer;
  Sequence client(3);
  {
    PacketWriter(answer, client).bytes("secret");
  }  // its zero byte is missing
  Sequence sequence(3);
  CHECK(asked.resume(*cut_frame(answer.view())->frame, out, sequence) == Server::State::failed);
  Server misnumbered = start(caching_sha2_password, std::string(32, 'x'), Plugin::caching_sha2);
  Sequence other(9);
  misnumbered.resume(*cut_frame(answer.view())->frame, out, other);
  CHECK(misnumbered.error().code == error_code::out_of_order);
  CHECK(misnumbered.error().sqlstate == "08S01");
}
