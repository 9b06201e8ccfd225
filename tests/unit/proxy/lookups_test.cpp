#include "proxy/lookups.h"

#include <doctest/doctest.h>

#include "conf/load.h"
#include "proxy/snapshot.h"
#include "values/sql_error.h"

using namespace anabranch;
using proxy::LookupChanges;
using proxy::LookupReader;
using router::KeyValue;

namespace {

struct World {
  explicit World(const std::string& max_age = "1h") {
    const conf::Loaded loaded = conf::load_text(
        "listen: {postgres: 127.0.0.1:6432}\nusers: [{name: app, password: secret}]\n"
        "databases:\n  shop:\n    backend: {user: app}\n"
        "    shards: {s1: {primary: 10.0.0.1:1}, s2: {primary: 10.0.0.2:1}}\n    default_shard: s2\n"
        "    schemes: {t: {type: text, strategy: lookup, table: placement, max_age: " + max_age + "}}\n",
        "test.yaml");
    REQUIRE(loaded.config != nullptr);
    std::vector<conf::Diagnostic> diagnostics;
    state.map = router::ShardMap::build(loaded.config->databases.front(), "test.yaml", diagnostics);
    state.version = 5;
  }
  const router::MappedScheme& scheme() const { return state.map->schemes().front(); }

  proxy::DatabaseState state;
  router::LookupCache cache;
  LookupChanges changes;
};

KeyValue text(const char* bytes) { return KeyValue::of(std::string(bytes)); }

/// What the session does of a key: asks the table where it must.
std::optional<std::uint32_t> look_up(World& world, LookupReader& reader, const char* key,
                                     std::optional<std::uint32_t> row, bool& asked) {
  asked = false;
  {
    const LookupReader::Pass pass(reader, false);
    const auto place = reader.place(world.scheme(), text(key));
    if (pass.complete()) return place ? std::optional(place->shard) : std::nullopt;
  }
  asked = true;
  const auto generation = reader.generation();
  for (const auto& question : reader.take_questions()) {
    reader.answer(question, row, false);
    if (row && generation && reader.generation() == generation) reader.remember(question, *row, *generation);
  }
  const auto place = reader.place(world.scheme(), text(key));
  return place ? std::optional(place->shard) : std::nullopt;
}

}  // namespace

TEST_CASE("keys that are not known become questions, and what is found is remembered for others") {
  World world;
  LookupReader one(world.cache, world.changes);
  LookupReader other(world.cache, world.changes);
  bool asked = false;
  one.begin(world.state);
  CHECK(look_up(world, one, "ada", 0, asked) == 0);
  CHECK(asked);
  other.begin(world.state);
  CHECK(look_up(world, other, "ada", 1, asked) == 0);
  CHECK_FALSE(asked);
  // That there is no row is known to this execution, and to nobody else.
  CHECK_FALSE(look_up(world, one, "zoe", std::nullopt, asked));
  CHECK(asked);
  CHECK_FALSE(look_up(world, one, "zoe", 1, asked));
  CHECK_FALSE(asked);
  one.begin(world.state);
  CHECK(look_up(world, one, "zoe", 1, asked) == 1);
  CHECK(asked);
}

TEST_CASE("a key without an answer is no key of any shard outside of a pass") {
  World world;
  LookupReader reader(world.cache, world.changes);
  reader.begin(world.state);
  CHECK_THROWS_AS(reader.place(world.scheme(), text("ada")), values::SqlError);
  {
    const LookupReader::Pass pass(reader, true);
    CHECK(reader.place(world.scheme(), text("ada"))->shard == 1);  // some place
    CHECK_FALSE(pass.complete());
  }
  const auto questions = reader.take_questions();
  REQUIRE(questions.size() == 1);
  CHECK(questions.front().key == text("ada"));
  reader.answer(questions.front(), 0, false);
  CHECK(reader.place(world.scheme(), text("ada"))->shard == 0);
}

TEST_CASE("what a pass keeps stays known to the execution when others forget it") {
  World world;
  LookupReader reader(world.cache, world.changes);
  bool asked = false;
  reader.begin(world.state);
  (void)look_up(world, reader, "ada", 0, asked);
  reader.begin(world.state);
  {
    const LookupReader::Pass pass(reader, true);
    (void)reader.place(world.scheme(), text("ada"));
    CHECK(pass.complete());
  }
  world.changes.begin();
  CHECK(reader.place(world.scheme(), text("ada"))->shard == 0);
  world.changes.end();
}

TEST_CASE("while somebody changes the table nothing is remembered, and afterwards all is forgotten") {
  World world;
  LookupReader reader(world.cache, world.changes);
  LookupReader writer(world.cache, world.changes);
  bool asked = false;
  reader.begin(world.state);
  (void)look_up(world, reader, "ada", 0, asked);
  writer.note_change(false);
  writer.note_change(false);
  for (int i = 0; i < 2; ++i) {
    reader.begin(world.state);
    CHECK(look_up(world, reader, "ada", 0, asked) == 0);
    CHECK(asked);
  }
  writer.end_change();
  reader.begin(world.state);
  CHECK(look_up(world, reader, "ada", 1, asked) == 1);
  CHECK(asked);
  reader.begin(world.state);
  CHECK(look_up(world, reader, "ada", 0, asked) == 1);
  CHECK_FALSE(asked);
}

TEST_CASE("who adds rows sees its own, and lets others remember theirs") {
  World world;
  LookupReader reader(world.cache, world.changes);
  LookupReader writer(world.cache, world.changes);
  bool asked = false;
  reader.begin(world.state);
  (void)look_up(world, reader, "ada", 0, asked);
  writer.note_change(true);
  CHECK(writer.changed());
  writer.begin(world.state);
  CHECK(look_up(world, writer, "ada", 0, asked) == 0);
  CHECK(asked);
  CHECK(look_up(world, writer, "new", 1, asked) == 1);
  reader.begin(world.state);
  (void)look_up(world, reader, "ada", 0, asked);
  CHECK_FALSE(asked);
  // What it has seen may yet be rolled back.
  CHECK_FALSE(look_up(world, reader, "new", std::nullopt, asked));
  CHECK(asked);
  writer.end_change();
  CHECK_FALSE(writer.changed());
}

TEST_CASE("a session that ends in the middle of a change ends it") {
  World world;
  {
    LookupReader writer(world.cache, world.changes);
    writer.note_change(false);
    CHECK_FALSE(world.changes.generation());
  }
  CHECK(world.changes.generation() == 2);
}

TEST_CASE("max_age: 0 asks for every execution") {
  World world("0");
  LookupReader reader(world.cache, world.changes);
  bool asked = false;
  for (int i = 0; i < 2; ++i) {
    reader.begin(world.state);
    CHECK(look_up(world, reader, "ada", 0, asked) == 0);
    CHECK(asked);
  }
}

TEST_CASE("answers to rows of a stream take a bounded room, and none from the rest of the execution") {
  World world("0");
  LookupReader reader(world.cache, world.changes);
  reader.begin(world.state);
  reader.answer({&world.scheme(), text("mine")}, 0, false);
  for (int i = 0; i < 25'000; ++i) reader.answer({&world.scheme(), KeyValue::of("row " + std::to_string(i))}, 1, true);
  CHECK(reader.place(world.scheme(), text("mine"))->shard == 0);
  CHECK(reader.place(world.scheme(), text("row 24999"))->shard == 1);
  CHECK_THROWS_AS(reader.place(world.scheme(), text("row 0")), values::SqlError);
}
