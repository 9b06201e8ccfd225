#include <utility>

#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/names.h"
#include "rewriter/mysql/parser.h"
#include "values/ascii.h"

/// Calls: those with words of their own among the arguments, and the others.
namespace anabranch::rewriter::mysql {

using namespace tree;

namespace {

ExprPtr worded_call(std::string name, std::vector<ExprPtr> args, int location) {
  ExprPtr out = make::call({std::move(name)}, std::move(args));
  out->as<FunctionCall>()->sql_syntax = true;
  out->location = location;
  return out;
}

ExprPtr keyword(std::string_view word) {
  return make::expr(Keyword{std::string(word)});
}

}  // namespace

ExprPtr Parser::call() {
  const Word& word = here();
  const int location = static_cast<int>(word.offset);
  if (at(".", 1)) {
    Name function = qualified_name(2);
    function.back() = values::lower_case(function.back());
    ExprPtr out = plain_call(std::move(function));
    out->location = location;
    return out;
  }
  const bool quoted = word.kind == Token::Kind::quoted_identifier;
  const std::string function = values::lower_case(identifier_value(word.text));
  const bool own_syntax = is_reserved_function(function) || is_adjacent_function(function);
  if (is_reserved(function) && !quoted && !is_reserved_function(function)) fail();
  // Quoted or set off by a space, these names are stored functions': what they do is not known.
  const bool set_off =
      !mode_.ignore_space && here(1).space_before && is_adjacent_function(function);
  if ((quoted && own_syntax) || set_off) {
    ++at_;
    fail();
  }
  if (!quoted) {
    const std::size_t start = at_;
    if (ExprPtr out = special_call(function, location)) return out;
    at_ = start;
  }
  ++at_;
  ExprPtr out = plain_call({function});
  out->location = location;
  return out;
}

// Null: an ordinary call; nothing that matters has been read then.
ExprPtr Parser::special_call(const std::string& function, int location) {
  ++at_;
  const auto located = [&](ExprPtr out) {
    out->location = location;
    return out;
  };
  if (function == "cast") return located(cast(false));
  if (function == "convert") return located(cast(true));
  if (function == "extract") return located(extract());
  if (function == "trim") return located(trim());
  if (function == "position") return located(position());
  if (function == "char") return located(char_call());
  if (function == "timestampadd" || function == "timestampdiff" || function == "get_format")
    return located(unit_call(function));
  if (function == "match") return located(match());
  if (function == "group_concat" || function == "json_arrayagg")
    return located(group_concat(function));
  if (function == "json_table" || function == "column_create" || function == "column_add" ||
      function == "column_get")
    throw Unmodelled{};
  const bool listed = function == "coalesce" || function == "greatest" || function == "least" ||
                      function == "nullif" || function == "grouping";
  if (!listed) return nullptr;
  expect("(");
  std::vector<ExprPtr> args = expr_list();
  expect(")");
  if (function == "coalesce") return located(make::expr(Coalesce{std::move(args)}));
  if (function == "grouping") return located(make::expr(Grouping{std::move(args)}));
  if (function != "nullif")
    return located(make::expr(MinMax{function == "greatest", std::move(args)}));
  if (args.size() != 2) {
    --at_;
    fail();
  }
  return located(make::expr(NullIf{std::move(args[0]), std::move(args[1])}));
}

// CAST(x AS type), CONVERT(x, type), CONVERT(x USING charset).
ExprPtr Parser::cast(bool convert) {
  expect("(");
  ExprPtr arg = expr();
  if (convert && accept("using")) {
    std::vector<ExprPtr> args;
    args.push_back(std::move(arg));
    args.push_back(keyword(values::lower_case(name_or_string())));
    expect(")");
    return worded_call("convert", std::move(args), -1);
  }
  expect(convert ? "," : "as");
  TypeName type = cast_type();
  expect(")");
  return make::expr(TypeCast{std::move(arg), std::move(type)});
}

std::string Parser::type_modifiers() {
  if (!at("(")) return {};
  const std::size_t first = at_;
  skip_parenthesis();
  std::string out;
  for (std::size_t i = first; i < at_; ++i) out += words_[i].text;
  return out;
}

TypeName Parser::cast_type() {
  static constexpr std::string_view known[] = {
      "binary", "char",     "character", "nchar",   "national", "signed",  "unsigned", "date",
      "time",   "datetime", "json",      "decimal", "dec",      "numeric", "double",   "float",
      "real",   "year",     "int",       "integer", "varchar",  "inet6",   "uuid",     "inet4"};
  bool fits = false;
  for (const std::string_view word : known) fits = fits || at(word);
  if (!fits) fail();
  TypeName out;
  std::string word(words_[at_++].word);
  if (word == "character") word = "char";
  if (word == "dec" || word == "numeric") word = "decimal";
  if (word == "national") expect("char"), word = "nchar";
  if (word == "double") accept("precision");
  if (word == "signed" || word == "unsigned")
    if (!accept("integer")) accept("int");
  out.names = {word};
  out.text = values::upper_case(word) + type_modifiers();
  if (word == "double" || word == "float" || word == "char" || word == "varchar") {
    if (accept_words({"character", "set"}) || accept_words({"char", "set"}) || accept("charset"))
      out.text += " CHARACTER SET " + values::lower_case(at("binary") ? any_name() : name_or_string());
    else if (at_any({"ascii", "unicode", "binary"}))
      out.text += " " + values::upper_case(any_name());
  }
  if (at_any({"array", "collate"})) throw Unmodelled{};
  return out;
}

ExprPtr Parser::extract() {
  expect("(");
  const std::string_view unit = here().word;
  if (at_end() || !is_interval_unit(unit)) fail();
  ++at_;
  expect("from");
  std::vector<ExprPtr> args;
  args.push_back(keyword(unit));
  args.push_back(expr());
  expect(")");
  return worded_call("extract", std::move(args), -1);
}

// TRIM(x) is an ordinary call; else the side comes first, then what is removed, if it is given.
ExprPtr Parser::trim() {
  expect("(");
  std::vector<ExprPtr> args;
  const bool sided = at_any({"leading", "trailing", "both"});
  const std::string side = sided ? std::string(words_[at_++].word) : "both";
  if (!sided || !at("from")) args.push_back(expr());
  const bool two = accept("from");
  if (two) args.push_back(expr());
  if (sided && !two) fail();
  expect(")");
  if (!two) return make::call({"trim"}, std::move(args));
  args.insert(args.begin(), keyword(side));
  return worded_call("trim", std::move(args), -1);
}

// As PostgreSQL's: the text first, then what is looked for.
ExprPtr Parser::position() {
  expect("(");
  ExprPtr sought = bit_expr();
  expect("in");
  std::vector<ExprPtr> args;
  args.push_back(expr());
  args.push_back(std::move(sought));
  expect(")");
  return worded_call("position", std::move(args), -1);
}

ExprPtr Parser::char_call() {
  expect("(");
  std::vector<ExprPtr> args = expr_list();
  const bool charset = accept("using");
  if (charset) args.push_back(keyword(values::lower_case(at("binary") ? any_name() : name_or_string())));
  expect(")");
  return charset ? worded_call("char", std::move(args), -1) : make::call({"char"}, std::move(args));
}

// The first argument is a word.
ExprPtr Parser::unit_call(const std::string& function) {
  expect("(");
  std::string_view unit = here().word;
  if (at_end() || here().kind != Token::Kind::identifier) fail();
  if (unit.starts_with("sql_tsi_")) unit.remove_prefix(8);
  const bool format = function == "get_format";
  const bool fits = format ? at_any({"date", "time", "datetime", "timestamp"})
                           : is_interval_unit(unit) && unit.find('_') == std::string_view::npos;
  if (!fits) fail();
  ++at_;
  expect(",");
  std::vector<ExprPtr> args = expr_list();
  if (args.size() != (format ? 1 : 2)) fail();
  args.insert(args.begin(), keyword(unit));
  expect(")");
  return make::call({function}, std::move(args));
}

// MATCH (a, b) AGAINST (x mode): the columns, x, the mode.
ExprPtr Parser::match() {
  const bool parens = accept("(");
  std::vector<ExprPtr> args;
  do args.push_back(column());
  while (accept(","));
  if (parens) expect(")");
  expect("against");
  expect("(");
  args.push_back(bit_expr());
  const std::size_t first = at_;
  if (!accept_words({"in", "boolean", "mode"})) {
    accept_words({"in", "natural", "language", "mode"});
    accept_words({"with", "query", "expansion"});
  }
  std::string mode;
  for (std::size_t i = first; i < at_; ++i)
    mode += (mode.empty() ? "" : " ") + std::string(words_[i].word);
  args.push_back(keyword(mode));
  expect(")");
  return worded_call("match", std::move(args), -1);
}

ExprPtr Parser::group_concat(const std::string& function) {
  FunctionCall out;
  out.name = {function};
  expect("(");
  out.distinct = accept("distinct");
  out.args = expr_list();
  if (accept_words({"order", "by"})) out.order_by = sort_keys();
  if (accept("separator")) {
    if (here().kind != Token::Kind::string && here().kind != Token::Kind::bit_string) fail();
    out.separator = literal();
  }
  if (accept("limit")) {
    out.limit = limit_value();
    if (accept(",")) {
      out.offset = std::exchange(out.limit, limit_value());
    } else if (accept("offset")) {
      out.offset = limit_value();
    }
  }
  expect(")");
  call_tail(out);
  return make::expr(std::move(out));
}

ExprPtr Parser::plain_call(Name function) {
  const std::string last = function.back();
  const bool bare = function.size() == 1;
  FunctionCall out;
  out.name = std::move(function);
  expect("(");
  if (bare && last == "count" && accept("*")) {
    out.star = true;
  } else if (bare && (last == "substring" || last == "substr" || last == "mid")) {
    out.args.push_back(expr());
    if (accept("from")) {
      out.args.push_back(expr());
      if (accept("for")) out.args.push_back(expr());
    } else {
      while (accept(",")) out.args.push_back(expr());
    }
  } else if (!at(")")) {
    if (accept("distinct"))
      out.distinct = true;
    else
      accept("all");
    do {
      const bool dates = bare && (last == "date_add" || last == "date_sub" || last == "adddate" ||
                                  last == "subdate");
      out.args.push_back(dates && !out.args.empty() && at_interval() ? interval() : expr());
    } while (accept(","));
    // WEIGHT_STRING(a AS CHAR(4)), JSON_VALUE(a, '$' RETURNING …)
    if (at_any({"as", "returning", "level"})) throw Unmodelled{};
  }
  expect(")");
  call_tail(out);
  return make::expr(std::move(out));
}

void Parser::call_tail(FunctionCall& out) {
  if (at("within") && at("group", 1)) {
    at_ += 2;
    expect("(");
    expect("order");
    expect("by");
    out.within_group = true;
    out.order_by = sort_keys();
    expect(")");
  }
  if ((at("respect") || at("ignore")) && at("nulls", 1)) throw Unmodelled{};
  if (at("from") && (at("first", 1) || at("last", 1)) && at("over", 2)) throw Unmodelled{};
  if (!accept("over")) return;
  if (at("("))
    out.over = std::make_unique<WindowDef>(window());
  else
    out.over_name = name();
}

WindowDef Parser::window() {
  WindowDef out;
  expect("(");
  if (at_name() && !at("(", 1)) out.ref_name = name();
  if (accept_words({"partition", "by"})) out.partition_by = expr_list();
  if (accept_words({"order", "by"})) out.order_by = sort_keys();
  if (at_any({"rows", "range"})) frame(out);
  expect(")");
  return out;
}

void Parser::frame(WindowDef& out) {
  out.frame_mode = at("rows") ? "ROWS" : "RANGE";
  ++at_;
  out.frame_between = accept("between");
  out.frame_start = frame_bound(out.start_offset);
  if (out.frame_between) {
    expect("and");
    out.frame_end = frame_bound(out.end_offset);
  }
  if (!accept("exclude")) return;
  using Exclude = WindowDef::Exclude;
  if (accept_words({"current", "row"})) {
    out.exclude = Exclude::current_row;
  } else if (accept("group")) {
    out.exclude = Exclude::group;
  } else if (accept("ties")) {
    out.exclude = Exclude::ties;
  } else {
    expect("no");
    expect("others");
  }
}

WindowDef::Bound Parser::frame_bound(ExprPtr& offset) {
  using Bound = WindowDef::Bound;
  if (accept_words({"current", "row"})) return Bound::current_row;
  const bool unbounded = accept("unbounded");
  if (!unbounded) offset = at("interval") ? interval() : bit_expr();
  if (accept("preceding")) return unbounded ? Bound::unbounded_preceding : Bound::offset_preceding;
  expect("following");
  return unbounded ? Bound::unbounded_following : Bound::offset_following;
}

std::vector<SortKey> Parser::sort_keys() {
  std::vector<SortKey> out;
  do {
    SortKey key;
    key.expr = expr();
    if (accept("asc"))
      key.direction = SortKey::Direction::ascending;
    else if (accept("desc"))
      key.direction = SortKey::Direction::descending;
    out.push_back(std::move(key));
  } while (accept(","));
  return out;
}

}  // namespace anabranch::rewriter::mysql
