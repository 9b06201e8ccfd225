#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/copy_rows.h"
#include "values/sql_error.h"

using anabranch::proxy::CopyReader;
using anabranch::rewriter::CopySplit;

namespace {

constexpr CopySplit::Format formats[] = {CopySplit::Format::text, CopySplit::Format::csv, CopySplit::Format::binary};

/// Everything that comes out of the stream, with keys; a row's bytes must be the stream's own.
std::string split(const CopySplit& copy, std::string_view data, std::size_t piece) {
  const auto reader = anabranch::proxy::make_copy_reader(copy, "t");
  std::string found;
  std::vector<std::optional<std::string_view>> keys;
  std::uint64_t line = 0;
  bool ended = false;
  const auto drain = [&] {
    while (!ended) {
      const auto row = reader->next();
      if (!row) return;
      if (row->line < line) std::abort();
      line = row->line;
      ended = row->last;
      found += row->bytes;
      if (!row->header && reader->read_keys(*row, keys)) {
        for (const auto& key : keys) found += key ? "|" + std::string(*key) : "~";
      }
      (void)reader->clock_word(*row);
      (void)reader->filled(*row);
    }
  };
  try {
    for (std::size_t at = 0; at < data.size(); at += piece) {
      reader->feed(data.substr(at, piece));
      drain();
    }
    reader->finish();
    drain();
  } catch (const anabranch::values::SqlError& error) {
    found += "!" + error.message;
  }
  return found;
}

}  // namespace

/// The first bytes choose format, options and how the stream is cut: the rows must not depend on that.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 4) return 0;
  CopySplit copy;
  copy.format = formats[bytes[0] % 3];
  copy.field_count = 1 + bytes[1] % 4;
  copy.key.push_back({bytes[1] % 4, 25, std::nullopt, false, false});
  copy.header = (bytes[2] & 1) != 0;
  if (copy.format == CopySplit::Format::csv) {
    copy.delimiter = ',';
    copy.null_text = "";
    copy.escape = (bytes[2] & 2) != 0 ? '\\' : '"';
  }
  const std::string_view data(reinterpret_cast<const char*>(bytes) + 4, size - 4);
  const std::string whole = split(copy, data, data.size() + 1);
  if (split(copy, data, 1 + bytes[3] % 17) != whole) std::abort();
  return 0;
}
