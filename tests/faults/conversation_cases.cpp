#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>
#include <stdexcept>

#include "world.h"

/// Wire conversations as text (conversations/*.txt). `F` lines are what the client sends, `B` lines what
/// comes back; `P` lines come from the proxy alone, `S` lines from a plain server alone (each with its reason). What a plain server answers is the truth: it wrote the `B` lines (`--update`), and each
/// file is held against it again before the proxy is. With FAULTS_ACTUAL=FOLDER what the proxy answers is
/// written there, for a look at all differences at once. Files marked `# proxy only` speak of shards.
namespace faults {

namespace {

constexpr int quiet_ms = 700;

std::string unescaped(const std::string& value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\') {
      out += value[i];
      continue;
    }
    switch (value[++i]) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'x':
        out += static_cast<char>(std::stoi(value.substr(i + 1, 2), nullptr, 16));
        i += 2;
        break;
      default: out += value[i];
    }
  }
  return out;
}

struct Word {
  std::string value;
  bool quoted = false;
};

std::vector<Word> words_of(const std::string& line) {
  std::vector<Word> words;
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] == ' ') {
      ++i;
    } else if (line[i] == '"') {
      const std::size_t begin = ++i;
      while (line.at(i) != '"') i += line[i] == '\\' ? 2 : 1;
      words.push_back({unescaped(line.substr(begin, i++ - begin)), true});
    } else {
      const std::size_t end = std::min(line.find(' ', i), line.size());
      words.push_back({line.substr(i, end - i)});
      i = end;
    }
  }
  return words;
}

std::string bind_of(const std::vector<Word>& words) {
  bool binary_parameters = false;
  bool binary_results = false;
  std::vector<std::optional<std::string>> parameters;
  for (std::size_t i = 3; i < words.size(); ++i) {
    const Word& word = words[i];
    if (!word.quoted && word.value == "params=binary") {
      binary_parameters = true;
    } else if (!word.quoted && word.value == "result=binary") {
      binary_results = true;
    } else {
      parameters.push_back(word.quoted ? std::optional(word.value) : std::nullopt);
    }
  }
  std::string plain = bind_portal(words.at(1).value, words.at(2).value, parameters, binary_results ? 1 : 0);
  if (!binary_parameters) return plain;
  // One format for all parameters, in place of "no formats: all text".
  const std::size_t head = 5 + words[1].value.size() + words[2].value.size() + 2;
  return message('B', plain.substr(5, head - 5) + int16(1) + int16(1) + plain.substr(head + 2));
}

std::string frontend(const std::string& line) {
  const std::vector<Word> words = words_of(line);
  const std::string& kind = words.at(0).value;
  const auto value = [&](std::size_t i) { return words.at(i).value; };
  if (kind == "Query") return query(value(1));
  if (kind == "Parse") {
    std::vector<std::uint32_t> types;
    for (std::size_t i = 3; i < words.size(); ++i) types.push_back(static_cast<std::uint32_t>(std::stoul(value(i))));
    return parse(value(1), value(2), types);
  }
  if (kind == "Bind") return bind_of(words);
  if (kind == "Describe") return describe(value(1)[0], value(2));
  if (kind == "Close") return message('C', value(1)[0] + text(value(2)));
  if (kind == "Execute") return execute(value(1), words.size() > 2 ? std::stoi(value(2)) : 0);
  if (kind == "Sync") return sync();
  if (kind == "Flush") return message('H', "");
  if (kind == "CopyData") return message('d', value(1));
  if (kind == "CopyDone") return message('c', "");
  if (kind == "CopyFail") return message('f', text(value(1)));
  throw std::runtime_error("no such message: " + line);
}

std::optional<std::string> next_line(Wire& wire) {
  while (auto next = wire.read()) {
    if (next->type != 'S' && next->type != 'N') return describe(*next);
  }
  return std::nullopt;
}

/// The script as the one side has it: its own lines as `B`, the other's left out.
std::string as_told(const std::string& whole, bool plain) {
  std::istringstream in(whole);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(plain ? "P " : "S ")) continue;
    if (line.starts_with(plain ? "S " : "P ")) line[0] = 'B';
    out += line + "\n";
  }
  return out;
}

/// Plays the file; what came back stands where the `B` lines are. Ends at the first difference.
std::string play(const std::string& whole, Wire& wire, bool update, bool plain) {
  const std::string script = as_told(whole, plain);
  std::istringstream in(script);
  std::string out;
  std::string outgoing;
  bool answering = false;
  const auto send_all = [&] {
    if (outgoing.empty()) return;
    wire.send(outgoing);
    outgoing.clear();
    answering = true;
  };
  const auto drain = [&] {
    send_all();
    if (!answering) return;
    answering = false;
    while (wire.readable(update ? quiet_ms : 0)) {
      const auto line = next_line(wire);
      if (!line) break;
      out += "B " + *line + "\n";
    }
  };
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("F ")) {
      if (answering) drain();
      outgoing += frontend(line.substr(2));
      out += line + "\n";
    } else if (line.starts_with("B ")) {
      if (update) continue;
      send_all();
      const auto got = next_line(wire);
      out += got ? "B " + *got + "\n" : "(the connection ended)\n";
      if (!got || "B " + *got != line) return out;
    } else {
      drain();
      out += line + "\n";
    }
  }
  drain();
  return out;
}

/// Where two texts first differ, as `file:line`, what was expected and what came.
std::string difference(const std::string& path, const std::string& expected, const std::string& got) {
  std::istringstream left(expected);
  std::istringstream right(got);
  std::string wanted;
  std::string came;
  for (int line = 1; std::getline(left, wanted); ++line) {
    if (!std::getline(right, came)) came = "(nothing)";
    if (came != wanted) return fmt::format("{}:{}:\n  expected {}\n  got      {}", path, line, wanted, came);
  }
  return std::getline(right, came) ? fmt::format("{}: at its end came {}", path, came) : std::string();
}

void converse(const std::string& name) {
  const std::string path = FAULTS_DIR "/conversations/" + name + ".txt";
  const std::string script = read_text(path);
  REQUIRE_FALSE(script.empty());
  const bool proxy_only = script.find("# proxy only") != std::string::npos;
  if (const char* folder = std::getenv("FAULTS_ACTUAL")) {
    Wire wire = proxy().wire();
    write_text(fmt::format("{}/{}.txt", folder, name), play(script, wire, true, false));
    return;
  }
  if (std::getenv("FAULTS_UPDATE") != nullptr) {
    if (proxy_only) {
      Wire wire = proxy().wire();
      write_text(path, play(script, wire, true, false));
    } else {
      Wire wire(single_server().port(), "postgres", "", "shop");
      write_text(path, play(script, wire, true, true));
    }
    return;
  }
  INFO(path);
  if (!proxy_only) {
    Wire plain(single_server().port(), "postgres", "", "shop");
    REQUIRE_EQ(difference("(plain server) " + path, as_told(script, true), play(script, plain, false, true)), "");
  }
  Wire wire = proxy().wire();
  CHECK_EQ(difference(path, as_told(script, false), play(script, wire, false, false)), "");
}

std::set<std::string>& told() {
  static std::set<std::string> names;
  return names;
}

}  // namespace

#define CONVERSATION(name)                    \
  TEST_CASE("conversation: " name) {          \
    told().insert(name);                      \
    converse(name);                           \
  }

CONVERSATION("simple")
CONVERSATION("empty")
CONVERSATION("extended")
CONVERSATION("binary")
CONVERSATION("names")
CONVERSATION("pipeline")
CONVERSATION("implicit_transaction")
CONVERSATION("multi_statement")
CONVERSATION("portals")
CONVERSATION("portals_across_shards")
CONVERSATION("flush")
CONVERSATION("transactions")
CONVERSATION("copy_in")
CONVERSATION("copy_failures")
CONVERSATION("describe")
CONVERSATION("sql_prepare")
CONVERSATION("cursors")
CONVERSATION("portals_moved")
CONVERSATION("portals_and_errors")

TEST_CASE("conversations: every file is told") {
  for (const auto& entry : std::filesystem::directory_iterator(FAULTS_DIR "/conversations")) {
    if (told().empty()) break;  // a filtered run
    CHECK_MESSAGE(told().contains(entry.path().stem()), entry.path().string());
  }
}

}  // namespace faults
