#include <doctest/doctest.h>

#include "world.h"

/// `anabranch check --data` finds what lies on the wrong shard, and copies that differ.
namespace faults {

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The map without the table that only some cases have.
std::string yaml(const Blanks& blanks = {}) {
  std::string text = proxy().map(blanks);
  const std::size_t at = text.find("      spare:");
  return text.erase(at, text.find('\n', at) + 1 - at);
}

}  // namespace

TEST_CASE("check --data: all is well") {
  const std::string said = check_data(yaml());
  CAPTURE(said);
  CHECK(contains(said, "public.items: 20 rows checked, 0 on a wrong shard\n"));
  CHECK(contains(said, "public.countries: 12 rows checked, copies agree\n"));
  CHECK(contains(said, "database other\n"));
  CHECK(said.ends_with("exit 0\n"));
  // Slowly: five rows on the fullest shard take at least half a second.
  const auto begun = std::chrono::steady_clock::now();
  CHECK(check_data(yaml(), "-d shop --rate 10").ends_with("exit 0\n"));
  CHECK_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(500));
  CHECK(check_data(yaml(), "-d nowhere").ends_with("exit 1\n"));
  CHECK(check_data(yaml(), "--rate 0").ends_with("exit 2\n"));
}

TEST_CASE("check --data: rows on a wrong shard are counted and named") {
  on_shard(1, "insert into parts select 4 * g + 1, 100 from generate_series(1, 2500) g");
  std::string said = check_data(yaml());
  on_shard(1, "delete from parts where part = 100");
  CAPTURE(said);
  CHECK(contains(said, "public.parts: 2506 rows checked, 2500 on a wrong shard\n"
                       "  s1: 2500 rows on a wrong shard\n    item = '5' belongs on s2\n"));
  CHECK(contains(said, "    ...\n"));
  CHECK(contains(said, "public.items: 20 rows checked, 0 on a wrong shard\n"));
  CHECK(said.ends_with("exit 1\n"));

  // Whole tables have no keys; keys of several columns and NULL have their places too.
  for (int i = 1; i <= 4; ++i) {
    on_shard(i, "create table pairs (a bigint, b text)");
    on_shard(i, "create table alone (a bigint)");
    on_shard(i, "grant select on pairs, alone to app");
  }
  const Blanks blanks{{"TABLES", "      alone: {shard: s2}\n      pairs: {scheme: by_pair, key: [a, b]}"}};
  std::string config = yaml(blanks);
  const std::string mark = "    schemes:\n";
  const std::size_t at = config.find(mark) + mark.size();
  config.insert(at, "      by_pair: {type: [bigint, text], hash: xxh64, strategy: modulo}\n");
  for (int i = 1; i <= 4; ++i) on_shard(i, "insert into pairs values (1, 'x')");
  on_shard(3, "insert into alone values (7), (8)");
  said = check_data(config, "-d shop");
  for (int i = 1; i <= 4; ++i) on_shard(i, "drop table pairs, alone");
  CAPTURE(said);
  CHECK(contains(said, "public.pairs: 4 rows checked, 3 on a wrong shard\n"));
  CHECK(contains(said, "    a = '1', b = 'x' belongs on s"));
  CHECK(contains(said, "public.alone: 2 rows checked, 2 on a wrong shard\n"
                       "  s3: 2 rows on a wrong shard\n    none belongs there, but on s2\n"));
}

TEST_CASE("check --data: tables that have one for each bucket") {
  std::string config = yaml({{"TABLES", "      papers: {scheme: by_paper, key: id, physical: 'papers{}'}"}});
  const std::string mark = "    schemes:\n";
  config.insert(config.find(mark) + mark.size(), "      by_paper: {type: bigint, hash: none, strategy: buckets, buckets: 8}\n");
  for (int bucket = 0; bucket < 8; ++bucket) {
    const std::string table = "papers" + std::to_string(bucket);
    on_shard(1 + bucket % 4, "create table " + table + " (id bigint)");
    on_shard(1 + bucket % 4, "grant select on " + table + " to app");
    on_shard(1 + bucket % 4, "insert into " + table + " values (" + std::to_string(bucket) + "), (" + std::to_string(bucket + 8) + ")");
  }
  std::string said = check_data(config, "-d shop");
  CAPTURE(said);
  CHECK(contains(said, "public.papers: 16 rows checked, 0 on a wrong shard\n"));
  CHECK(said.ends_with("exit 0\n"));
  // On its shard, but in another bucket's table; and in one that is another shard's.
  on_shard(2, "insert into papers5 values (1)");
  on_shard(3, "create table papers7 (id bigint)");
  on_shard(3, "grant select on papers7 to app");
  on_shard(3, "insert into papers7 values (15)");
  said = check_data(config, "-d shop");
  CHECK(contains(said, "public.papers: 18 rows checked, 2 on a wrong shard\n"));
  CHECK(contains(said, "    papers5: id = '1' belongs on s2, into papers1\n"));
  CHECK(contains(said, "    papers7: id = '15' belongs on s4, into papers7\n"));
  on_shard(4, "drop table papers3");
  said = check_data(config, "-d shop");
  CHECK(contains(said, "  s4: not checked: the table papers3 is not there\n"));
  on_shard(3, "drop table papers7");
  for (const int bucket : {0, 1, 2, 4, 5, 6, 7}) on_shard(1 + bucket % 4, "drop table papers" + std::to_string(bucket));
}

TEST_CASE("check --data: copies that differ") {
  on_shard(3, "update countries set name = 'Francia' where code = 'FR'");
  const std::string said = check_data(yaml());
  on_shard(3, "update countries set name = 'France' where code = 'FR'");
  CAPTURE(said);
  CHECK(contains(said, "public.countries: 12 rows checked, copies differ\n"));
  CHECK(contains(said, "  s1, s2, s4: 3 rows, checksum "));
  CHECK(contains(said, "  s3: 3 rows, checksum "));
  CHECK(said.ends_with("exit 1\n"));
  CHECK(check_data(yaml()).ends_with("exit 0\n"));
}

TEST_CASE("check --data: a table that is missing, and a shard that is down") {
  on_shard(2, "alter table doomed rename to elsewhere");
  std::string said = check_data(yaml());
  on_shard(2, "alter table elsewhere rename to doomed");
  CAPTURE(said);
  CHECK(contains(said, "public.doomed: 0 rows checked, 0 on a wrong shard; 1 of 4 shards not checked\n"
                       "  s2: not checked: the table is not there\n"));
  CHECK(said.ends_with("exit 1\n"));

  shard(4).stop();
  said = check_data(yaml());
  shard(4).start();
  CAPTURE(said);
  CHECK(contains(said, "public.items: 15 rows checked, 0 on a wrong shard; 1 of 4 shards not checked\n  s4: not checked: "));
  CHECK(contains(said, "public.countries: 9 rows checked, copies agree; 1 of 4 shards not checked\n"));
  CHECK(said.ends_with("exit 1\n"));
}

}  // namespace faults
