#include "proxy/copy_encoder.h"

#include <doctest/doctest.h>

using anabranch::merge::Batch;
using anabranch::merge::RowWriter;
using anabranch::proxy::CopyEncoder;
using anabranch::rewriter::CopyFormat;
using anabranch::rewriter::CopyOut;

namespace {

using Fields = std::vector<std::optional<std::string_view>>;

std::string encoded(CopyOut copy, const Fields& fields) {
  copy.columns.resize(fields.size());
  copy.force_quote.resize(fields.size());
  Batch batch;
  RowWriter row(batch, static_cast<int>(fields.size()));
  for (const auto& field : fields) row.add(field);
  row.finish();
  anabranch::net::Buffer out;
  CopyEncoder(copy).encode(batch.row(0), out);
  return std::string(out.view());
}

CopyOut csv() {
  CopyOut copy;
  copy.format = CopyFormat::Format::csv;
  copy.delimiter = ',';
  copy.null_text = "";
  return copy;
}

}  // namespace

// Each expectation is what PostgreSQL 15 wrote.
TEST_CASE("text: escapes and NULL") {
  CHECK(encoded({}, {"1", std::nullopt, "", "\\N", "a\tb\nc\rd\be\ff\vg\\h\x01"}) ==
        "1\t\\N\t\t\\\\N\ta\\tb\\nc\\rd\\be\\ff\\vg\\\\h\x01\n");
  CopyOut bars;
  bars.delimiter = '|';
  bars.null_text = "";
  CHECK(encoded(bars, {"a|b", std::nullopt, "c\td", "\\."}) == "a\\|b||c\\td|\\\\.\n");
}

TEST_CASE("csv: quotes only where they are needed") {
  CHECK(encoded(csv(), {"1", std::nullopt, "", "a,b", "say \"x\"", "two\nlines", "\r", "a b", "\\.", "\\"}) ==
        "1,,\"\",\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",\"\r\",a b,\\.,\\\n");
  CHECK(encoded(csv(), {"\\."}) == "\"\\.\"\n");
  CopyOut own = csv();
  own.quote = '\'';
  own.escape = '\\';
  own.null_text = "plain";
  CHECK(encoded(own, {"plain", std::nullopt, "it's", "back\\slash", "'\\"}) ==
        "'plain',plain,'it\\'s',back\\slash,'\\'\\\\'\n");
  own.force_quote = {true, true, false};
  own.columns.resize(3);
  Batch batch;
  RowWriter row(batch, 3);
  for (const auto& field : Fields{"1", std::nullopt, "2"}) row.add(field);
  row.finish();
  anabranch::net::Buffer out;
  CopyEncoder(own).encode(batch.row(0), out);
  CHECK(out.view() == "'1',plain,2\n");
}

TEST_CASE("binary: counts and lengths") {
  CopyOut copy;
  copy.format = CopyFormat::Format::binary;
  CHECK(encoded(copy, {"ab", std::nullopt, ""}) ==
        std::string("\0\3\0\0\0\2ab\xff\xff\xff\xff\0\0\0\0", 16));
}
