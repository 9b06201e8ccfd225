#include "values/collation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "recorded.h"
#include "values/errors.h"

namespace anabranch::values {
namespace {

TEST_CASE("collation: C, POSIX and C.UTF-8 are bytes") {
  for (const char* name : {"C", "POSIX", "C.UTF-8", "C.utf8"}) {
    const Collation collation = Collation::from_server('c', name, "", true);
    CHECK(collation.is_bytes());
    CHECK(collation.can_order());
    CHECK(collation.compare("B", "a") < 0);
  }
  CHECK(Collation::from_server('b', "PG_UNICODE_FAST", "1", true).is_bytes());
  CHECK_FALSE(Collation::from_server('c', "en_US.utf8", "2.36", true).can_order());
  CHECK_FALSE(Collation::from_server('x', "C", "", true).can_order());
}

TEST_CASE("collation: ICU orders only at the server's collator version") {
  const std::string version = icu_collator_version("en-US");
  REQUIRE_FALSE(version.empty());
  const Collation good = Collation::icu("en-US", version);
  CHECK(good.can_order());
  CHECK(good.reason().empty());
  CHECK(good.compare("a", "B") < 0);
  CHECK(good.compare("a", "A") < 0);
  CHECK(good.compare("co-op", "co-op") == 0);
  const Collation other = Collation::icu("en-US", "1.2");
  CHECK_FALSE(other.can_order());
  CHECK(other.reason().find("1.2") != std::string::npos);
  CHECK_FALSE(Collation::icu("en-US", "").can_order());
}

TEST_CASE("collation: versions print as PostgreSQL prints them") {
  for (const test::Fields& row : test::recorded("server.tsv")) {
    if (row.size() < 4 || row[1] != "i") continue;
    const std::string ours = icu_collator_version(row[2]);
    CHECK(std::count(ours.begin(), ours.end(), '.') ==
          std::count(row[3].begin(), row[3].end(), '.'));
  }
}

TEST_CASE("collation: a nondeterministic one has no tie-break") {
  const std::string locale = "und-u-ks-level2";
  const std::string version = icu_collator_version(locale);
  CHECK(Collation::icu(locale, version, false).compare("abc", "ABC") == 0);
  CHECK(Collation::icu(locale, version, true).compare("abc", "ABC") != 0);
}

TEST_CASE("collation: malformed UTF-8 is an error, not a guess") {
  const Collation collation = Collation::icu("en-US", icu_collator_version("en-US"));
  std::string out;
  CHECK_THROWS_AS(collation.append_sort_key("a\xff", out), SqlError);
  CHECK_THROWS_AS(collation.append_sort_key("\xe2\x82", out), SqlError);
}

TEST_CASE("collation: one may be used by many threads") {
  const Collation collation = Collation::icu("de", icu_collator_version("de"));
  std::string expected;
  collation.append_sort_key("Straße und Öl", expected);
  std::atomic<int> different = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, copy = collation] {
      for (int i = 0; i < 500; ++i) {
        std::string key;
        copy.append_sort_key("Straße und Öl", key);
        if (key != expected) ++different;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(different == 0);
}

}  // namespace
}  // namespace anabranch::values
