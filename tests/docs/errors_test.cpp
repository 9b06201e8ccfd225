#include "values/errors.h"

#include <doctest/doctest.h>

#include <string>

#include "page.h"

namespace anabranch::docs {
namespace {

std::string registry() {
  std::string text =
      table_row({"name", "SQLSTATE", "MySQL", "message", "hint"}) + "|---|---|---|---|---|\n";
  for (const values::ErrorRow& error : values::error_table()) {
    text += table_row({"`" + std::string(error.name) + "`", error.sqlstate,
                       std::to_string(error.mysql_code), error.message, error.hint});
  }
  return text;
}

TEST_CASE("the errors page lists the registry") {
  check_generated("docs/errors.md", "errors", registry());
}

}  // namespace
}  // namespace anabranch::docs
