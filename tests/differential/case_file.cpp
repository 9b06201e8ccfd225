#include "case_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>

namespace anabranch::differential {

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

namespace {

std::vector<std::string> read_lines(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error(fmt::format("{}: cannot be read", path.string()));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto end = text.find(separator);
    if (auto part = trimmed(text.substr(0, end)); !part.empty()) parts.push_back(part);
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// `bigint 7`, `text NULL`, `text` (an empty string).
Parameter parse_parameter(std::string_view text) {
  const auto space = text.find(' ');
  Parameter parameter{std::string(text.substr(0, space)), ""};
  if (space != std::string_view::npos) parameter.value = std::string(text.substr(space + 1));
  if (parameter.value == "NULL") parameter.value.reset();
  return parameter;
}

/// `\n`, `\t`, `\r`, `\\` and `\x41`; all else stands for itself.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char letter = text[++i];
    if (letter == 'x' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += letter == 'n' ? '\n' : letter == 't' ? '\t' : letter == 'r' ? '\r' : letter;
    }
  }
  return out;
}

/// One file being read, a line at a time.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path)
      : file_(path.filename().string()), lines_(read_lines(path)) {}

  std::vector<Case> read() {
    for (at_ = 0; at_ < lines_.size(); ++at_) take_line(lines_[at_]);
    finish_case();
    return std::move(cases_);
  }

 private:
  enum class Section { head, parameters, sql, single, data, bytes, unlimited, execute };

  [[noreturn]] void fail(std::string_view what) const {
    throw std::runtime_error(fmt::format("{}:{}: {}", file_, at_ + 1, what));
  }

  void take_line(const std::string& line) {
    if (line.starts_with("=== ")) return begin_case(line.substr(4));
    if (cases_.empty()) {
      if (!trimmed(line).empty() && !line.starts_with('#')) fail("text before the first case");
      return;
    }
    if (line.starts_with("--- ")) return begin_section(line.substr(4));
    if (section_ == Section::head && take_header(line)) return;
    take_text(line);
  }

  void begin_case(const std::string& name) {
    finish_case();
    cases_.emplace_back();
    current().name = trimmed(name);
    current().file = file_;
    current().steps.emplace_back();
    section_ = Section::head;
    in_verify_ = false;
  }

  Case& current() { return cases_.back(); }
  std::vector<Step>& steps() { return in_verify_ ? current().verify : current().steps; }

  void finish_case() {
    if (cases_.empty()) return;
    if (current().state_line == 0) fail(fmt::format("case '{}' has no state", current().name));
    if (trimmed(current().steps.front().sql).empty())
      current().steps.erase(current().steps.begin());
    if (current().steps.empty()) fail(fmt::format("case '{}' has no statement", current().name));
    current().unlimited = trimmed(current().unlimited);
    for (auto* list : {&current().steps, &current().verify}) {
      for (Step& step : *list) {
        step.sql = trimmed(step.sql);
        step.single_sql = trimmed(step.single_sql);
      }
    }
  }

  void begin_section(const std::string& title) {
    const auto words = split(title, ' ');
    const std::string kind = words.empty() ? "" : words[0];
    section_ = Section::sql;
    if (kind == "step" || kind == "verify") {
      if (kind == "verify") in_verify_ = true;
      steps().emplace_back();
      section_ = Section::parameters;
    } else if (kind == "prepare" && words.size() >= 2) {
      steps().push_back({.kind = Step::Kind::prepare, .statement = words[1]});
      for (std::size_t i = 2; i < words.size(); ++i) {
        steps().back().parameters.push_back({words[i], std::nullopt});
      }
    } else if (kind == "execute" && words.size() == 2) {
      steps().push_back({.kind = Step::Kind::execute, .statement = words[1]});
      section_ = Section::execute;
    } else if (kind == "single") {
      section_ = Section::single;
    } else if (kind == "data") {
      steps().back().copy_data = "";
      section_ = words.size() == 2 && words[1] == "bytes" ? Section::bytes : Section::data;
    } else if (kind == "unlimited") {
      section_ = Section::unlimited;
    } else {
      fail(fmt::format("unknown section '{}'", title));
    }
  }

  void take_text(const std::string& line) {
    switch (section_) {
      case Section::head:
        if (trimmed(line).empty()) return;
        section_ = Section::sql;
        [[fallthrough]];
      case Section::parameters:
        if (line.starts_with("param:")) return take_parameter(trimmed(line.substr(6)));
        section_ = Section::sql;
        [[fallthrough]];
      case Section::sql:
        steps().back().sql += line + "\n";
        return;
      case Section::single:
        steps().back().single_sql += line + "\n";
        return;
      case Section::data:
        *steps().back().copy_data += line + "\n";
        return;
      case Section::bytes:
        *steps().back().copy_data += unescaped(line);
        return;
      case Section::unlimited:
        current().unlimited += line + "\n";
        return;
      case Section::execute:
        if (!line.empty()) steps().back().parameters.push_back(parse_parameter(line));
        return;
    }
  }

  /// True when the line was a header, `key: value`.
  bool take_header(const std::string& line) {
    if (line.starts_with('#')) return true;
    const auto colon = line.find(':');
    if (colon == std::string::npos) return false;
    const std::string key = line.substr(0, colon);
    const std::string value = trimmed(std::string_view(line).substr(colon + 1));
    static const std::map<std::string, void (Reader::*)(const std::string&)> headers = {
        {"state", &Reader::take_state},       {"plan", &Reader::take_plan},
        {"param", &Reader::take_parameter},   {"float", &Reader::take_floats},
        {"spelling", &Reader::take_spelling}, {"order", &Reader::take_order},
        {"writes", &Reader::take_writes},     {"error", &Reader::take_errors},
        {"forms", &Reader::take_forms},       {"warnings", &Reader::take_warnings}};
    const auto found = headers.find(key);
    if (found == headers.end()) return false;
    (this->*found->second)(value);
    return true;
  }

  void take_state(const std::string& value) {
    Case& c = current();
    c.state_line = at_;
    if (value == "same") return;
    // MySQL: what the proxy does not call 0A000 has a number, as servers' errors have.
    const std::size_t quote = value.find(" \"");
    if (!value.starts_with("refused ") || (quote != 12 && quote != 13) || value.back() != '"' || value.size() < quote + 3) {
      fail("state is `same`, or `refused SQLSTATE \"clause\"`");
    }
    c.state = State::refused;
    c.refused_sqlstate = value.substr(8, quote - 8);
    c.refused_clause = value.substr(quote + 2, value.size() - quote - 3);
  }

  void take_warnings(const std::string& value) {
    if (value != "repeated") fail("warnings are `repeated`");
    current().rules.repeated_warnings = true;
  }

  void take_plan(const std::string& value) {
    static const std::set<std::string> kinds = {"relay", "scatter", "gather", "split", "broadcast", "local"};
    if (!kinds.contains(value)) fail(fmt::format("unknown plan '{}'", value));
    current().plan = value;
  }

  void take_parameter(const std::string& value) {
    steps().back().parameters.push_back(parse_parameter(value));
  }
  void take_floats(const std::string& value) { current().rules.float_columns = split(value, ','); }
  void take_spelling(const std::string& value) {
    current().rules.spelling_columns = split(value, ',');
  }
  void take_writes(const std::string& value) { current().writes = split(value, ','); }

  void take_errors(const std::string& value) { current().errors = split(value, ','); }

  void take_forms(const std::string& value) {
    static const std::map<std::string, Form> forms = {
        {"simple", Form::simple}, {"binary", Form::extended_binary}, {"cursor", Form::cursor}};
    const auto found = forms.find(value);
    current().pipeline = value == "pipeline";
    if (found != forms.end()) {
      current().only = found->second;
    } else if (!current().pipeline) {
      fail("forms is `simple`, `binary`, `cursor` or `pipeline`");
    }
  }

  void take_order(const std::string& value) {
    if (value == "total") {
      current().rules.total_order = true;
      return;
    }
    for (const std::string& column : split(value, ',')) {
      const int number = std::atoi(column.c_str());
      if (number < 1) fail("order is `total`, or numbers of output columns");
      current().rules.order_columns.push_back(static_cast<std::size_t>(number - 1));
    }
  }

  std::string file_;
  std::vector<std::string> lines_;
  std::size_t at_ = 0;
  std::vector<Case> cases_;
  Section section_ = Section::head;
  bool in_verify_ = false;
};

/// A text begins with a word that EXPLAIN goes before.
bool begins_explainable(std::string_view sql) {
  std::string word;
  for (const char c : sql) {
    if (!std::isalpha(static_cast<unsigned char>(c)) && c != '(') break;
    word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (c == '(') break;
  }
  static const std::set<std::string> words = {"select", "insert", "update", "delete",
                                              "with",   "values", "table",  "(",      "replace"};
  return words.contains(word);
}

bool is_explainable(const Step& step) {
  if (step.kind == Step::Kind::execute || !begins_explainable(step.sql)) return false;
  // Of several statements all but the first would be carried out.
  const std::string_view sql = step.sql;
  for (std::size_t at = sql.find("; "); at != std::string_view::npos; at = sql.find("; ", at + 1)) {
    if (begins_explainable(sql.substr(at + 2))) return false;
  }
  return true;
}

}  // namespace

std::vector<Case> read_cases(const std::filesystem::path& folder) {
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".case") files.insert(entry.path());
  }
  std::vector<Case> cases;
  std::map<std::string, std::string> names;
  const std::set<std::string> pending = read_pending(folder);
  for (const auto& file : files) {
    for (Case& c : Reader(file).read()) {
      if (const auto [at, fresh] = names.emplace(c.name, c.file); !fresh) {
        throw std::runtime_error(
            fmt::format("{}: case '{}' has the name of one in {}", c.file, c.name, at->second));
      }
      const auto step = std::ranges::find_if(c.steps, is_explainable);
      c.plan_step = static_cast<std::size_t>(step - c.steps.begin());
      if (!c.plan.empty() && step == c.steps.end()) {
        throw std::runtime_error(
            fmt::format("{}: case '{}' has nothing to EXPLAIN", c.file, c.name));
      }
      c.pending = pending.contains(c.name);
      cases.push_back(std::move(c));
    }
  }
  for (const std::string& name : pending) {
    if (!names.contains(name)) throw std::runtime_error(fmt::format("pending: there is no case '{}'", name));
  }
  return cases;
}

std::set<std::string> read_pending(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "pending";
  std::set<std::string> names;
  if (!std::filesystem::exists(file)) return names;
  for (const std::string& line : read_lines(file)) {
    if (!line.empty() && !line.starts_with('#')) names.insert(line);
  }
  return names;
}

void write_pending(const std::filesystem::path& folder, const std::set<std::string>& names) {
  const std::filesystem::path file = folder / "pending";
  std::string text;
  for (const std::string& line : read_lines(file)) {
    if (!line.starts_with('#')) break;
    text += line + "\n";
  }
  for (const std::string& name : names) text += name + "\n";
  std::ofstream(file, std::ios::trunc) << text;
}

void rewrite_line(const std::filesystem::path& file, std::size_t line, std::string_view text) {
  std::vector<std::string> lines = read_lines(file);
  lines.at(line) = text;
  std::ofstream out(file, std::ios::trunc);
  for (const std::string& each : lines) out << each << '\n';
  if (!out) throw std::runtime_error(fmt::format("{}: cannot be written", file.string()));
}

}  // namespace anabranch::differential
