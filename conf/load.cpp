#include "conf/load.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "conf/document.h"
#include "conf/reader.h"
#include "conf/reference.h"
#include "conf/sections.h"

namespace anabranch::conf {
namespace {

constexpr std::streamsize largest_file = std::streamsize{1} << 21U;

std::optional<std::string> read_whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(largest_file), '\0');
  file.read(text.data(), largest_file);
  if (file.bad() || (file.fail() && !file.eof())) return std::nullopt;
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

Surroundings real_surroundings() {
  return {
      [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
      },
      read_whole_file,
  };
}

Loaded load_file(const std::string& path) {
  const auto text = read_whole_file(path);
  if (!text) return {nullptr, {{Severity::error, path, {}, "the file cannot be read"}}};
  return load_text(*text, path);
}

Loaded load_text(std::string_view text, const std::string& file, const Surroundings& surroundings) {
  Reader reader(file, surroundings);
  const auto root = parse_document(text, file, reader.diagnostics);
  auto config = std::make_shared<Config>();
  config->file = file;
  if (root) read_process(reader, *root, *config);
  sort_by_place(reader.diagnostics);
  Loaded loaded{nullptr, std::move(reader.diagnostics)};
  if (root && !has_errors(loaded.diagnostics)) loaded.config = std::move(config);
  return loaded;
}

std::vector<SettingDoc> settings() {
  std::vector<SettingDoc> docs;
  process_docs(docs);
  user_docs(docs);
  authentication_docs(docs);
  database_docs(docs);
  server_docs(docs);
  scheme_docs(docs);
  table_docs(docs);
  rule_docs(docs);
  return docs;
}

}  // namespace anabranch::conf
