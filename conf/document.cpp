#include "conf/document.h"

#include <fmt/format.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

namespace anabranch::conf {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20U;
constexpr std::size_t most_nodes = 200'000;
constexpr std::size_t deepest = 24;  // the schema itself needs eight
constexpr std::size_t deepest_brackets = 200;
constexpr std::size_t longest_line = 64 * 1024;

Position place(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

/// Ends the parse from inside an event: what is wrong has been said already.
struct GiveUp {};

/// Builds the tree from yaml-cpp's events.
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& file, std::vector<Diagnostic>& diagnostics)
      : file_(file), diagnostics_(diagnostics) {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    Node node;
    node.where = place(mark);
    add(std::move(node), false);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    complain(mark, "aliases (`*name`) are not taken: write the value out");
    Node node;
    node.where = place(mark);
    add(std::move(node), true);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    Node node;
    node.kind = Node::Kind::scalar;
    node.where = place(mark);
    node.text = value;
    node.quoted = tag == "!";
    add(std::move(node), true);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    bool is_key = false;                 // a list or map written as a key, which nothing takes
    std::optional<Node::Entry> pending;  // a key that waits for its value
  };

  void complain(const YAML::Mark& mark, std::string message) {
    diagnostics_.push_back({Severity::error, file_, place(mark), std::move(message)});
  }
  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) complain(mark, "anchors (`&name`) are not taken");
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      complain(mark, fmt::format("tags are not taken: expected a plain value, not `{}`", tag));
    }
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::map && !open_.back().pending;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (open_.size() >= deepest) {
      complain(mark, fmt::format("nested too deeply: at most {} levels", deepest));
      throw GiveUp{};
    }
    Open opened;
    opened.node.kind = kind;
    opened.node.where = place(mark);
    opened.is_key = expects_key();
    if (opened.is_key) complain(mark, "expected a name as key, not a list or map");
    open_.push_back(std::move(opened));
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    if (closed.is_key) closed.node = scalar_stand_in(closed.node.where);
    add(std::move(closed.node), true);
  }

  static Node scalar_stand_in(Position where) {
    Node node;
    node.kind = Node::Kind::scalar;
    node.where = where;
    return node;
  }

  void add(Node node, bool has_text) {
    if (++nodes_ > most_nodes) {
      diagnostics_.push_back({Severity::error, file_, node.where,
                              fmt::format("too large: at most {} values", most_nodes)});
      throw GiveUp{};
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.pending) {
      add_key(parent, std::move(node), has_text);
    } else {
      Node::Entry entry = std::move(*parent.pending);
      parent.pending.reset();
      entry.value = std::move(node);
      if (!is_duplicate(parent.node, entry)) parent.node.entries.push_back(std::move(entry));
    }
  }

  void add_key(Open& parent, Node node, bool has_text) {
    if (!has_text) {
      diagnostics_.push_back({Severity::error, file_, node.where, "expected a name as key"});
    }
    Node::Entry entry;
    entry.key = std::move(node.text);
    entry.where = node.where;
    parent.pending = std::move(entry);
  }

  // Linear in the keys of one map: maps of the schema are small, and most_nodes bounds hostile ones
  // only together with this limit.
  bool is_duplicate(const Node& map, const Node::Entry& entry) {
    constexpr std::size_t most_keys = 10'000;
    if (map.entries.size() >= most_keys) {
      diagnostics_.push_back({Severity::error, file_, entry.where,
                              fmt::format("too large: at most {} keys in one map", most_keys)});
      throw GiveUp{};
    }
    const Node::Entry* earlier = map.find(entry.key);
    if (earlier == nullptr) return false;
    diagnostics_.push_back({Severity::error, file_, entry.where,
                            fmt::format("key `{}` is written twice: first in line {}", entry.key,
                                        earlier->where.line)});
    return true;
  }

  const std::string& file_;
  std::vector<Diagnostic>& diagnostics_;
  Node root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
};

/// The length of the UTF-8 character at the front, 0 if it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return 0;
  if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return 0;
  return length;
}

bool is_control(std::string_view character) {
  const auto byte = static_cast<unsigned char>(character.front());
  return character.size() == 1 && (byte < 0x20 || byte == 0x7F) && byte != '\n' && byte != '\r' &&
         byte != '\t';
}

/// What must not reach the YAML parser: other encodings, control characters, lines and nestings of
/// a size that no configuration has and that the parser takes quadratic time or deep recursion for.
std::optional<Diagnostic> unfit(std::string_view text, const std::string& file) {
  if (text.size() > largest_file) {
    return Diagnostic{
        Severity::error, file, {}, fmt::format("too large: at most {} bytes", largest_file)};
  }
  Position at{1, 1};
  std::size_t line_start = 0;
  std::size_t brackets = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return Diagnostic{Severity::error, file, at, "expected UTF-8 text"};
    if (is_control(text.substr(i, length))) {
      return Diagnostic{Severity::error, file, at, "control characters are not taken"};
    }
    if (text[i] == '[' || text[i] == '{') ++brackets;
    if ((text[i] == ']' || text[i] == '}') && brackets > 0) --brackets;
    if (brackets > deepest_brackets || i - line_start > longest_line) {
      return Diagnostic{Severity::error, file, at,
                        brackets > deepest_brackets ? "nested too deeply" : "the line is too long"};
    }
    const bool line_end = text[i] == '\n';
    i += length;
    ++at.column;
    if (line_end) {
      at = {at.line + 1, 1};
      line_start = i;
    }
  }
  return std::nullopt;
}

bool line_has_tab_indent(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  const std::size_t first = text.find_first_not_of(' ');
  return first != std::string_view::npos && text[first] == '\t';
}

}  // namespace

const Node::Entry* Node::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &*found;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return fmt::format("`{}`", node.text);
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return "nothing";
}

std::optional<Node> parse_document(std::string_view text, const std::string& file,
                                   std::vector<Diagnostic>& diagnostics) {
  if (auto reason = unfit(text, file)) {
    diagnostics.push_back(std::move(*reason));
    return std::nullopt;
  }
  Builder builder(file, diagnostics);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      diagnostics.push_back({Severity::error, file, {1, 1}, "the file is empty"});
      return std::nullopt;
    }
    Node root = builder.take_root();
    Builder rest(file, diagnostics);
    if (parser.HandleNextDocument(rest)) {
      diagnostics.push_back({Severity::error, file, rest.take_root().where,
                             "expected one YAML document, found a second"});
    }
    if (root.kind != Node::Kind::map) {
      diagnostics.push_back(
          {Severity::error, file, root.where,
           fmt::format("expected a map of sections (listen, databases, …), not {}",
                       describe(root))});
      return std::nullopt;
    }
    return root;
  } catch (const YAML::Exception& error) {
    const Position where = place(error.mark);
    const bool tab = line_has_tab_indent(text, where.line);
    diagnostics.push_back(
        {Severity::error, file, where,
         "not YAML: " + error.msg + (tab ? " (indent with spaces: YAML takes no tabs)" : "")});
  } catch (const GiveUp&) {
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace anabranch::conf
