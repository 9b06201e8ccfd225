#include <doctest/doctest.h>
#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "world.h"

/// Merges that memory does not hold: rows go to disk, and nothing of them stays, whatever ends the statement.
namespace faults {

namespace {

constexpr const char* small = "query_memory: 2MiB, spill_directory: {}";
/// 40,000 groups, of which each shard has all.
constexpr const char* groups =
    "select p.g, count(*), sum(i.id) from items i cross join generate_series(1, 40000) p(g) group by p.g";

/// A folder for the proxy's files.
class Folder {
 public:
  Folder() : path_("/tmp/anabranch-spill-XXXXXX") { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string limits(const std::string& more = "") const { return fmt::format(small, path_) + more; }
  bool is_empty() const { return std::filesystem::is_empty(path_); }
  /// How many files without a name the process has open there.
  int open_files(const Proxy& own) const {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", own.pid()))) {
      std::error_code gone;
      const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
      if (target.starts_with(path_)) ++count;
    }
    return count;
  }

 private:
  std::string path_;
};

double spilled(const Proxy& own) { return own.metric("anabranch_spilled_bytes_total"); }

}  // namespace

TEST_CASE("spill: groups, their order, distinct values and rows are those of one server") {
  const Folder folder;
  Proxy own({{"LIMITS", folder.limits()}});
  Client client(own.conninfo());
  Client direct(single_server().conninfo("app"));
  double before = spilled(own);
  for (const std::string& sql : {
           fmt::format("select count(*), min(g), max(g), sum(n), sum(s) from ({}) q(g, n, s)", groups),
           std::string(groups) + " order by 2, 1 desc limit 3 offset 39990",
           std::string("select count(distinct p.g * 3), sum(distinct p.g) from items i cross join generate_series(1, 80000) p(g)"),
           std::string("select distinct 'row ' || p.g from items i cross join generate_series(1, 40000) p(g) order by 1 offset 39995"),
       }) {
    CAPTURE(sql);
    const Answer answer = client.run(sql);
    REQUIRE_MESSAGE(answer.ok(), answer.value());
    CHECK(answer.rows == direct.run(sql).rows);
  }
  const Answer answer = client.run(groups);
  REQUIRE_MESSAGE(answer.ok(), answer.value());
  CHECK_EQ(answer.rows.size(), 40'000);
  CHECK_GT(spilled(own), before);
  before = spilled(own);
  // A cursor fetches from them as well.
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run(fmt::format("declare c cursor for {} order by 1 desc", groups)).ok());
  CHECK_EQ(client.run("fetch 1 from c").value(), "40000");
  REQUIRE(client.run("move 39998 from c").ok());
  CHECK_EQ(client.run("fetch 1 from c").value(), "1");
  CHECK_GT(spilled(own), before);
  CHECK_EQ(folder.open_files(own), 1);
  REQUIRE(client.run("rollback").ok());
  CHECK_EQ(folder.open_files(own), 0);
  CHECK(folder.is_empty());
}

TEST_CASE("spill: a cancel, and a client that goes away, in the middle of it") {
  const Folder folder;
  Proxy own({{"LIMITS", folder.limits()}});
  const std::string many =
      "select p.g, count(*) from items i cross join generate_series(1, 400000) p(g) where i.id <= 4 group by p.g order by 2, 1";
  Client client(own.conninfo());
  for (int round = 0; round < 3; ++round) {
    const double before = spilled(own);
    Answer answer;
    std::thread asking([&] { answer = client.run(many); });
    CHECK(eventually([&] { return spilled(own) > before; }));
    client.cancel();
    asking.join();
    CHECK_MESSAGE(answer.sqlstate == "57014", answer.value());
    CHECK_EQ(folder.open_files(own), 0);
    CHECK_EQ(client.run("select count(*) from items").value(), "20");
  }
  {
    const double before = spilled(own);
    Client leaving(own.conninfo());
    REQUIRE(PQsendQuery(leaving.get(), many.c_str()) == 1);
    CHECK(eventually([&] { return spilled(own) > before; }));
  }
  CHECK(eventually([&] { return folder.open_files(own) == 0; }));
  CHECK(folder.is_empty());
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
}

TEST_CASE("spill: limits.spill and limits.spill_directory end the statement, not the session") {
  const Folder folder;
  const auto answer_with = [](const std::string& limits) {
    Proxy own({{"LIMITS", limits}});
    Client client(own.conninfo());
    Answer answer = client.run(groups);
    CHECK_EQ(client.run("select count(*) from items").value(), "20");
    return answer;
  };
  const Answer over = answer_with(folder.limits(", spill: 1MiB"));
  CHECK_EQ(over.sqlstate, "53200");
  CHECK_MESSAGE(over.message.find("limits.spill (1048576 bytes)") != std::string::npos, over.message);
  const Answer none = answer_with(folder.limits(", spill: 0"));
  CHECK_EQ(none.sqlstate, "53200");
  CHECK_MESSAGE(none.message.find("limits.query_memory") != std::string::npos, none.message);
  const Answer absent = answer_with("query_memory: 2MiB, spill_directory: /nonexistent/anabranch");
  CHECK_EQ(absent.sqlstate, "58030");
  CHECK_MESSAGE(absent.message.find("/nonexistent/anabranch") != std::string::npos, absent.message);
  CHECK(folder.is_empty());
}

}  // namespace faults
