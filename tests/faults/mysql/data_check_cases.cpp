#include <doctest/doctest.h>

#include "servers.h"

/// `anabranch check --data` over MySQL's shards.
namespace faults::mysql {

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string check() { return check_data(proxy().map(over_mysql())); }

}  // namespace

TEST_CASE("mysql: check --data: all is well") {
  const std::string said = check();
  CAPTURE(said);
  CHECK(contains(said, "shop.items: 20 rows checked, 0 on a wrong shard\n"));
  CHECK(contains(said, "shop.big: 6000 rows checked, 0 on a wrong shard\n"));
  CHECK(contains(said, "shop.countries: 8 rows checked, copies agree\n"));
  CHECK(said.ends_with("exit 0\n"));
}

TEST_CASE("mysql: check --data: rows on a wrong shard, and copies that differ") {
  CHECK(shard(1).run("insert into shop.items values (9502, 'astray', 1)").ok());
  CHECK(shard(3).run("update shop.countries set name = null where code = 'FR'").ok());
  const std::string said = check();
  CHECK(shard(1).run("delete from shop.items where id = 9502").ok());
  CHECK(shard(3).run("update shop.countries set name = 'France' where code = 'FR'").ok());
  CAPTURE(said);
  CHECK(contains(said, "shop.items: 21 rows checked, 1 on a wrong shard\n"
                       "  s1: 1 rows on a wrong shard\n    id = '9502' belongs on s3\n"));
  CHECK(contains(said, "shop.countries: 8 rows checked, copies differ\n"));
  CHECK(contains(said, "  s1, s2, s4: 2 rows, checksum "));
  CHECK(contains(said, "  s3: 2 rows, checksum "));
  CHECK(said.ends_with("exit 1\n"));
  CHECK(check().ends_with("exit 0\n"));
}

TEST_CASE("mysql: check --data: a table that is missing, and a shard that is down") {
  CHECK(shard(2).run("rename table shop.items to shop.elsewhere").ok());
  std::string said = check();
  CHECK(shard(2).run("rename table shop.elsewhere to shop.items").ok());
  CAPTURE(said);
  CHECK(contains(said, "; 1 of 4 shards not checked\n  s2: not checked: the table is not there\n"));
  CHECK(said.ends_with("exit 1\n"));
  {
    Trouble down(4, Trouble::Kind::down);
    said = check();
  }
  CAPTURE(said);
  CHECK(contains(said, "shop.items: 15 rows checked, 0 on a wrong shard; 1 of 4 shards not checked\n  s4: not checked: "));
  CHECK(said.ends_with("exit 1\n"));
}

}  // namespace faults::mysql
