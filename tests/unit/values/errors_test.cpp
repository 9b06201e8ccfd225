#include "values/errors.h"

#include <doctest/doctest.h>

#include <set>

#include "values/type.h"

namespace anabranch::values {
namespace {

TEST_CASE("errors: every row is complete, unique, and its templates format") {
  std::set<std::string_view> names;
  for (const ErrorRow& row : error_table()) {
    INFO(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(row.sqlstate.size() == 5);
    CHECK(row.mysql_code != 0);
    // These are the clients' own: one that hears them from a server takes the packet for malformed.
    CHECK_FALSE((row.mysql_code >= 2000 && row.mysql_code < 3000));
    const auto args = fmt::make_format_args("A", "B", "C", "D", "E");
    const SqlError error = make_error_from(row.id, args);
    CHECK(error.sqlstate == row.sqlstate);
    CHECK_FALSE(error.message.empty());
    CHECK(error.message.find('{') == std::string::npos);
    CHECK(error.hint.find('{') == std::string::npos);
    CHECK(error_arity(row.id) <= 5);
  }
}

TEST_CASE("errors: templates are filled") {
  const SqlError error =
      make_error(ErrorId::unsupported_clause, "FOR UPDATE", "it locks rows", "Try again.");
  CHECK(error.sqlstate == "0A000");
  CHECK(std::string(error.what()) == "FOR UPDATE across shards is not supported: it locks rows");
  CHECK(error.hint == "Try again.");
  CHECK(error.position == 0);
  CHECK(make_error(ErrorId::memory_budget, 1024).message.find("1024") != std::string::npos);
}

TEST_CASE("types: the table is consistent") {
  std::set<Oid> oids;
  for (const TypeInfo& type : all_types()) {
    INFO(type.name);
    CHECK(oids.insert(type.oid).second);
    CHECK(find_type(type.oid) == &type);
    if (type.array_oid != 0) {
      REQUIRE(find_type(type.array_oid) != nullptr);
      CHECK(find_type(type.array_oid)->element_oid == type.oid);
    }
    if (type.has_order) CHECK(type.has_equality);
  }
  CHECK(find_type(1007)->name == "integer[]");
  CHECK(find_type(0) == nullptr);
  CHECK(find_type(4'000'000'000) == nullptr);
  CHECK(find_type_by_name("int")->oid == oid::int4);
  CHECK(find_type_by_name("timestamp with time zone")->oid == oid::timestamptz);
  CHECK(find_type_by_name("_text")->oid == 1009);
  CHECK(find_type_by_name("no such") == nullptr);
}

}  // namespace
}  // namespace anabranch::values
