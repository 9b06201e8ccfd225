#include "backends/commit_conversation.h"

#include <doctest/doctest.h>

using namespace anabranch::backends;
using anabranch::net::pg::ErrorFields;

namespace {

using Kind = CommandAnswer::Kind;

CommandAnswer done() {
  return {};
}
CommandAnswer refused() {
  return {Kind::refused, ErrorFields::make("ERROR", "23503", "no"), {}};
}
CommandAnswer lost() {
  return {Kind::lost, {}, "gone"};
}

std::vector<CommitConversation::Member> members(std::vector<bool> wrote) {
  std::vector<CommitConversation::Member> list;
  for (std::size_t i = 0; i < wrote.size(); ++i) {
    list.push_back({static_cast<std::uint32_t>(i), "s" + std::to_string(i + 1), wrote[i]});
  }
  return list;
}

// What is sent now: "0 COMMIT, 1 COMMIT".
std::string step(const CommitConversation& conversation) {
  std::string text;
  for (const auto& action : conversation.actions()) {
    if (!text.empty()) text += ", ";
    text += std::to_string(action.member) + " " + std::string(action.sql);
  }
  return text;
}

}  // namespace

TEST_CASE("nobody to ask: over at once") {
  CHECK(CommitConversation({}).done());
}

TEST_CASE("readers alone just commit") {
  CommitConversation conversation(members({false, false}));
  CHECK(step(conversation) == "0 COMMIT, 1 COMMIT");

  SUBCASE("all is well") {
    conversation.answer(0, done());
    conversation.answer(1, done());
    CHECK(conversation.done());
    CHECK_FALSE(conversation.failure());
  }
  SUBCASE("one refuses: what was read is not to be relied on") {
    conversation.answer(0, done());
    conversation.answer(1, refused());
    CHECK(conversation.done());
    REQUIRE(conversation.failure());
    CHECK(conversation.failure()->refused_by == 1);
    CHECK(conversation.failure()->error.sqlstate() == "23503");
  }
  SUBCASE("one is lost") {
    conversation.answer(0, lost());
    conversation.answer(1, done());
    CHECK(conversation.done());
    REQUIRE(conversation.failure());
    CHECK(conversation.failure()->refused_by == 0);
    CHECK(conversation.failure()->reason == "gone");
  }
}

TEST_CASE("a reader whose COMMIT runs a cursor to its end comes before all writers") {
  std::vector<CommitConversation::Member> list = members({false, false, true, true});
  list[1].holds = true;
  CommitConversation conversation(std::move(list));
  CHECK(step(conversation) == "2 SET CONSTRAINTS ALL IMMEDIATE, 3 SET CONSTRAINTS ALL IMMEDIATE");
  conversation.answer(2, done());

  SUBCASE("after the constraints") {
    conversation.answer(3, refused());
    CHECK(step(conversation) == "0 ROLLBACK, 1 ROLLBACK, 2 ROLLBACK, 3 ROLLBACK");
  }
  SUBCASE("all is well") {
    conversation.answer(3, done());
    CHECK(step(conversation) == "1 COMMIT");
    conversation.answer(1, done());
    CHECK(step(conversation) == "2 COMMIT, 3 COMMIT");
    conversation.answer(2, done());
    conversation.answer(3, done());
    CHECK(step(conversation) == "0 COMMIT");
    conversation.answer(0, done());
    CHECK(conversation.done());
    CHECK_FALSE(conversation.failure());
  }
  SUBCASE("the query fails: nothing was written anywhere") {
    conversation.answer(3, done());
    conversation.answer(1, refused());
    CHECK(step(conversation) == "0 ROLLBACK, 2 ROLLBACK, 3 ROLLBACK");
    for (const std::size_t member : {0, 2, 3}) conversation.answer(member, done());
    CHECK(conversation.done());
    REQUIRE(conversation.failure());
    CHECK(conversation.failure()->refused_by == 1);
  }
}

TEST_CASE("one writer commits before the readers") {
  CommitConversation conversation(members({false, true, false}));
  CHECK(step(conversation) == "1 COMMIT");

  SUBCASE("and they follow, whatever becomes of them") {
    conversation.answer(1, done());
    CHECK(step(conversation) == "0 COMMIT, 2 COMMIT");
    conversation.answer(0, lost());
    conversation.answer(2, refused());
    CHECK(conversation.done());
    CHECK_FALSE(conversation.failure());
  }
  SUBCASE("refused: nothing was committed") {
    conversation.answer(1, refused());
    CHECK(step(conversation) == "0 ROLLBACK, 2 ROLLBACK");
    conversation.answer(0, done());
    conversation.answer(2, done());
    CHECK(conversation.done());
    REQUIRE(conversation.failure());
    CHECK(conversation.failure()->refused_by == 1);
    CHECK(conversation.failure()->error.sqlstate() == "23503");
  }
  SUBCASE("lost: nobody knows") {
    conversation.answer(1, lost());
    CHECK(step(conversation) == "0 ROLLBACK, 2 ROLLBACK");
    conversation.answer(0, done());
    conversation.answer(2, done());
    REQUIRE(conversation.failure());
    CHECK_FALSE(conversation.failure()->refused_by);
    CHECK(conversation.failure()->committed.empty());
    CHECK(conversation.failure()->uncertain == std::vector<std::string>{"s2"});
  }
}

TEST_CASE("several writers check first, then commit together") {
  const auto make = [] { return CommitConversation(members({true, true, true, false})); };
  const std::string check =
      "0 SET CONSTRAINTS ALL IMMEDIATE, 1 SET CONSTRAINTS ALL IMMEDIATE, "
      "2 SET CONSTRAINTS ALL IMMEDIATE";

  SUBCASE("all is well") {
    CommitConversation conversation = make();
    CHECK(step(conversation) == check);
    for (std::size_t i = 0; i < 3; ++i) conversation.answer(i, done());
    CHECK(step(conversation) == "0 COMMIT, 1 COMMIT, 2 COMMIT");
    for (std::size_t i = 0; i < 3; ++i) conversation.answer(i, done());
    CHECK(step(conversation) == "3 COMMIT");
    conversation.answer(3, done());
    CHECK(conversation.done());
    CHECK_FALSE(conversation.failure());
  }

  // Each of the three fails at each of the two steps, in each of the two ways.
  for (std::size_t failing = 0; failing < 3; ++failing) {
    for (const Kind how : {Kind::refused, Kind::lost}) {
      const CommandAnswer failure = how == Kind::refused ? refused() : lost();
      CAPTURE(failing);
      CAPTURE(static_cast<int>(how));

      CommitConversation early = make();
      for (std::size_t i = 0; i < 3; ++i) early.answer(i, i == failing ? failure : done());
      REQUIRE(early.failure());
      CHECK(early.failure()->refused_by == failing);
      std::size_t rolled_back = 0;
      for (const auto& action : early.actions()) rolled_back += action.sql == "ROLLBACK";
      CHECK(rolled_back == (how == Kind::lost ? 3 : 4));
      for (const auto action : std::vector(early.actions())) early.answer(action.member, done());
      CHECK(early.done());
      CHECK(early.failure()->committed.empty());

      CommitConversation late = make();
      for (std::size_t i = 0; i < 3; ++i) late.answer(i, done());
      for (std::size_t i = 0; i < 3; ++i) late.answer(i, i == failing ? failure : done());
      REQUIRE(late.failure());
      CHECK_FALSE(late.failure()->refused_by);
      CHECK(late.failure()->committed.size() == 2);
      CHECK(late.failure()->uncertain ==
            std::vector<std::string>{"s" + std::to_string(failing + 1)});
      CHECK(step(late) == "3 ROLLBACK");
      late.answer(3, done());
      CHECK(late.done());
    }
  }
}

TEST_CASE("all writers refuse to commit: a clean failure") {
  CommitConversation conversation(members({true, true}));
  for (std::size_t i = 0; i < 2; ++i) conversation.answer(i, done());
  for (std::size_t i = 0; i < 2; ++i) conversation.answer(i, refused());
  CHECK(conversation.done());
  REQUIRE(conversation.failure());
  CHECK(conversation.failure()->refused_by == 0);
}
