#include "backends/context.h"

#include <doctest/doctest.h>

#include "backends/catalog_reader.h"
#include "backends/connection.h"

using namespace anabranch::backends;

namespace {

std::shared_ptr<const Settings> settings(Settings map) {
  return std::make_shared<const Settings>(std::move(map));
}

std::string change(Settings from, Settings to) {
  return context_change(settings(std::move(from)), settings(std::move(to))).sql;
}

}  // namespace

TEST_CASE("a context change is minimal") {
  CHECK(change({}, {}) == "");
  CHECK(change({{"a", "1"}}, {{"a", "1"}}) == "");
  CHECK(change({}, {{"datestyle", "'ISO'"}}) == "SET datestyle TO 'ISO'");
  CHECK(change({{"datestyle", "'ISO'"}}, {}) == "RESET datestyle");
  CHECK(change({{"a", "1"}, {"b", "2"}, {"c", "3"}}, {{"a", "1"}, {"b", "9"}, {"d", "4"}}) ==
        "RESET c; SET b TO 9; SET d TO 4");
  CHECK(change({}, {{"my.own", "'x'"}}) == "SET my.own TO 'x'");
  CHECK(change({}, {{"odd name", "1"}}) == "SET \"odd name\" TO 1");
}

TEST_CASE("a role is left first and taken last") {
  CHECK(change({{"role", "a"}}, {{"role", "b"}, {"x.y", "1"}}) ==
        "RESET role; SET x.y TO 1; SET role TO b");
  CHECK(change({{"role", "a"}, {"x.y", "1"}}, {}) == "RESET role; RESET x.y");
  CHECK(change({{"role", "a"}}, {{"role", "a"}, {"x.y", "1"}}) == "SET x.y TO 1");
  CHECK(change({{"role", "a"}}, {{"role", "a"}, {"session_authorization", "u"}}) ==
        "RESET role; SET session_authorization TO u; SET role TO a");
}

TEST_CASE("a local change ends with its transaction") {
  CHECK_EQ(context_change(settings({{"datestyle", "x"}}), settings({{"timezone", "'UTC'"}}), Reach::local).sql,
           "SET LOCAL datestyle TO DEFAULT; SET LOCAL timezone TO 'UTC'");
}

TEST_CASE("only what always succeeds is pipelined") {
  CHECK(context_change(settings({}), settings({{"timezone", "'UTC'"}})).pipeline);
  CHECK(context_change(settings({{"datestyle", "x"}}), settings({})).pipeline);
  CHECK_FALSE(context_change(settings({}), settings({{"role", "a"}})).pipeline);
  CHECK_FALSE(context_change(settings({}), settings({{"datestyle", "x"}, {"a.b", "1"}})).pipeline);
}

TEST_CASE("settings follow transactions and savepoints") {
  SettingsStack stack(std::make_shared<const Settings>(Settings{{"timezone", "'UTC'"}}));
  stack.set("timezone", "'CET'");
  stack.begin();
  stack.set("timezone", "'PST'");
  stack.savepoint("one");
  stack.set("work_mem", "1");
  stack.savepoint("two");
  stack.reset("timezone");
  CHECK(*stack.find("timezone") == "'UTC'");
  stack.rollback_to("two");
  CHECK(*stack.find("timezone") == "'PST'");
  CHECK(*stack.find("work_mem") == "1");
  stack.rollback_to("one");
  CHECK_FALSE(stack.find("work_mem"));
  stack.rollback_to("two");  // gone with the return to `one`
  CHECK(*stack.find("timezone") == "'PST'");

  SUBCASE("rolled back") {
    stack.rollback();
    CHECK(*stack.find("timezone") == "'CET'");
  }
  SUBCASE("committed") {
    stack.commit();
    CHECK(*stack.find("timezone") == "'PST'");
    stack.reset_all();
    CHECK(*stack.find("timezone") == "'UTC'");
  }
  CHECK_FALSE(stack.in_transaction());
}

TEST_CASE("RESET ALL keeps the role, DISCARD ALL does not") {
  SettingsStack stack(std::make_shared<const Settings>(Settings{{"timezone", "'UTC'"}}));
  stack.set("role", "'a'");
  stack.set("timezone", "'CET'");
  stack.reset_all();
  CHECK(*stack.find("role") == "'a'");
  CHECK(*stack.find("timezone") == "'UTC'");
  stack.discard_all();
  CHECK_FALSE(stack.find("role"));
}

TEST_CASE("a literal's text") {
  CHECK(literal_value("off") == "off");
  CHECK(literal_value("'it''s'") == "it's");
  CHECK(literal_value("\"Mixed \"\" case\"") == "Mixed \" case");
  for (const std::string_view text : {"", "a", "it's", "a\\b'c", "\\"}) CHECK(literal_value(quote_literal(text)) == text);
}

TEST_CASE("the youngest of two savepoints with one name is meant") {
  SettingsStack stack;
  stack.begin();
  stack.savepoint("s");
  stack.set("a.b", "1");
  stack.savepoint("s");
  stack.set("a.b", "2");
  stack.rollback_to("s");
  CHECK(*stack.find("a.b") == "1");
  stack.release("s");
  stack.rollback_to("s");
  CHECK_FALSE(stack.find("a.b"));
}

TEST_CASE("startup parameters become settings") {
  Settings settings;
  add_startup_parameter(settings, "user", "me");
  add_startup_parameter(settings, "database", "shop");
  add_startup_parameter(settings, "DateStyle", "ISO, DMY");
  add_startup_parameter(settings, "application_name", "it's");
  add_startup_parameter(settings, "search_path", "One, \"Two, too\"");
  add_startup_parameter(settings, "options", "-c work_mem=4MB --lock-timeout=5s -cgeqo=off x");
  CHECK(settings == Settings{{"application_name", "'it''s'"},
                             {"datestyle", "'ISO, DMY'"},
                             {"geqo", "'off'"},
                             {"lock_timeout", "'5s'"},
                             {"search_path", "'one', 'Two, too'"},
                             {"work_mem", "'4MB'"}});
}

TEST_CASE("literals and names are quoted") {
  CHECK(quote_literal("a'b") == "'a''b'");
  CHECK(quote_literal("a\\b") == " E'a\\\\b'");
  CHECK(quote_identifier("a\"b") == "\"a\"\"b\"");
}

TEST_CASE("prepared statements are bounded, the oldest goes") {
  PreparedStatements statements;
  for (std::size_t i = 0; i < PreparedStatements::limit; ++i) {
    CHECK_FALSE(statements.add("s" + std::to_string(i)));
  }
  CHECK(statements.touch("s0"));
  const auto evicted = statements.add("new");
  REQUIRE(evicted);
  CHECK(evicted->name == "s1");
  CHECK_FALSE(statements.touch("s1"));
  CHECK(statements.touch("s0"));
  CHECK(statements.size() == PreparedStatements::limit);
  statements.remove("new");
  CHECK_FALSE(statements.touch("new"));
}

TEST_CASE("the volatility of defaults is proved or assumed") {
  using anabranch::router::Function;
  using anabranch::router::Volatility;
  const auto function = [](const char* name, Volatility volatility) {
    Function made;
    made.name = name;
    made.volatility = volatility;
    return made;
  };
  const std::vector<Function> known{function("lower", Volatility::immutable),
                                    function("now", Volatility::stable),
                                    function("nextval", Volatility::volatile_)};
  const auto of = [&](const char* text) { return default_volatility(text, known); };
  CHECK(of("0") == Volatility::immutable);
  CHECK(of("'it''s now()'::text") == Volatility::immutable);
  CHECK(of("'2000-01-01 00:00:00+00'::timestamp with time zone") == Volatility::immutable);
  CHECK(of("ARRAY[1, 2]") == Volatility::immutable);
  CHECK(of("lower('A'::text)") == Volatility::immutable);
  CHECK(of("now()") == Volatility::stable);
  CHECK(of("(now())::date") == Volatility::stable);
  CHECK(of("CURRENT_USER") == Volatility::stable);
  CHECK(of("nextval('public.s'::regclass)") == Volatility::volatile_);
  CHECK(of("public.mine(1)") == Volatility::volatile_);
  CHECK(of("public.\"Mine\"()") == Volatility::volatile_);
}
