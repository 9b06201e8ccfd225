#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/names.h"
#include "rewriter/mysql/parser.h"
#include "rewriter/mysql/quote.h"
#include "values/ascii.h"

/// Queries: WITH, set operations, SELECT, VALUES, and what stands behind them.
namespace anabranch::rewriter::mysql {

using namespace tree;

// naming: the names of its columns can be seen from outside.
SelectPtr Parser::query(bool naming) {
  const Deeper deeper(*this);
  With clause = with();
  SelectPtr out = query_body(naming);
  const bool parenthesised_with = !clause.ctes.empty() && !out->with.ctes.empty();
  if (parenthesised_with) throw Unmodelled{};
  if (!clause.ctes.empty()) out->with = std::move(clause);
  return out;
}

SelectPtr Parser::query_body(bool naming) {
  const bool parens = at("(");
  SelectPtr out = query_term(naming);
  while (at("union") || at("except")) {
    const auto op = at("union") ? SetOperation::union_ : SetOperation::except;
    ++at_;
    const bool all = accept("all");
    if (!all) accept("distinct");
    out = set_operation(op, std::move(out), query_term(false), all);
  }
  const std::size_t start = at_;
  Select outer;
  tail(outer);
  if (at_ == start) return out;
  // A tail behind a parenthesis is another one than that within.
  const bool taken =
      parens && (!out->order_by.empty() || out->limit || out->offset || !out->locking.empty() ||
                 !out->into.empty() || !out->with.ctes.empty());
  if (taken) throw Unmodelled{};
  out->order_by = std::move(outer.order_by);
  out->limit = std::move(outer.limit);
  out->offset = std::move(outer.offset);
  out->with_ties = outer.with_ties;
  out->locking = std::move(outer.locking);
  if (!outer.into.empty() && !out->into.empty()) fail();
  if (outer.into.empty()) return out;
  out->into = std::move(outer.into);
  out->into_behind = true;
  return out;
}

SelectPtr Parser::query_term(bool naming) {
  SelectPtr out = query_primary(naming);
  while (accept("intersect")) {
    const bool all = accept("all");
    if (!all) accept("distinct");
    out = set_operation(SetOperation::intersect, std::move(out), query_primary(false), all);
  }
  return out;
}

SelectPtr Parser::set_operation(SetOperation op, SelectPtr left, SelectPtr right, bool all) {
  auto out = std::make_unique<Select>();
  out->set_op = op;
  out->set_all = all;
  out->left = std::move(left);
  out->right = std::move(right);
  out->location = out->left->location;
  return out;
}

SelectPtr Parser::query_primary(bool naming) {
  const Deeper deeper(*this);
  if (accept("(")) {
    SelectPtr out = query(naming);
    expect(")");
    return out;
  }
  if (at("values")) return values_query();
  if (accept("table")) {
    auto out = std::make_unique<Select>();
    out->targets.push_back(make::target(make::star()));
    out->from.push_back(std::make_unique<FromItem>(table_name()));
    return out;
  }
  return block(naming);
}

SelectPtr Parser::values_query() {
  auto out = std::make_unique<Select>();
  out->location = static_cast<int>(here().offset);
  expect("values");
  out->values = value_rows(out->row_values);
  return out;
}

std::vector<std::vector<ExprPtr>> Parser::value_rows(bool& row_words) {
  std::vector<std::vector<ExprPtr>> out;
  row_words = at("row") && at("(", 1);
  do {
    if (row_words) expect("row");
    expect("(");
    std::vector<ExprPtr> row;
    if (!at(")")) {
      do row.push_back(value_or_default());
      while (accept(","));
    }
    expect(")");
    out.push_back(std::move(row));
  } while (accept(","));
  return out;
}

ExprPtr Parser::value_or_default() {
  if (!at("default") || at("(", 1)) {
    if (at("ignore")) throw Unmodelled{};
    return expr();
  }
  return make::expr(SetToDefault{}, static_cast<int>(words_[at_++].offset));
}

void Parser::modifiers(std::initializer_list<std::string_view> words,
                       std::vector<std::string>& out) {
  if (here().kind == Token::Kind::hint) out.emplace_back(words_[at_++].text);
  for (bool more = true; more;) {
    more = false;
    for (const std::string_view word : words) {
      if (!at(word)) continue;
      out.push_back(values::upper_case(words_[at_++].word));
      more = true;
    }
  }
}

SelectPtr Parser::block(bool naming) {
  auto out = std::make_unique<Select>();
  out->location = static_cast<int>(here().offset);
  expect("select");
  modifiers(
      {"all", "distinct", "distinctrow", "high_priority", "straight_join", "sql_small_result",
       "sql_big_result", "sql_buffer_result", "sql_no_cache", "sql_cache", "sql_calc_found_rows"},
      out->modifiers);
  const std::size_t before = out->modifiers.size();
  std::erase_if(out->modifiers, [](const std::string& word) {
    return word == "DISTINCT" || word == "DISTINCTROW";
  });
  out->distinct = out->modifiers.size() != before;
  const std::size_t plain = out->modifiers.size();
  std::erase(out->modifiers, "ALL");
  if (out->distinct && out->modifiers.size() != plain) fail();
  out->targets = targets(naming);
  if (at("into")) out->into = into();
  if (accept("from") && !accept("dual")) out->from = from_list();
  if (accept("where")) out->where = expr();
  if (accept_words({"group", "by"})) group_by(*out);
  if (accept("having")) out->having = expr();
  if (accept("window")) {
    do {
      const std::string called = name();
      expect("as");
      out->windows.push_back(window());
      out->windows.back().name = called;
    } while (accept(","));
  }
  return out;
}

std::vector<Target> Parser::targets(bool naming) {
  std::vector<Target> out;
  do out.push_back(target(naming));
  while (accept(","));
  return out;
}

Target Parser::target(bool naming) {
  const std::size_t first = at_;
  const int location = static_cast<int>(here().offset);
  const std::size_t star = at("*") ? 0 : at(".", 1) && at("*", 2) ? 2 : 4;
  const bool all = star == 0 || (star == 2 && at_name()) ||
                   (at(".", 1) && at(".", 3) && at("*", 4) && at_name());
  if (all) {
    ColumnRef out;
    out.star = true;
    if (star > 0) out.parts = qualified_name(2);
    if (star > 0) expect(".");
    expect("*");
    return {make::expr(std::move(out), location), {}, location};
  }
  Target out{expr(), {}, location};
  const std::size_t end = at_;
  const bool string = here().kind == Token::Kind::string && !at_end();
  if (accept("as") || at_name() || string) {
    out.alias = name_or_string();
    if (out.alias.empty()) throw Unmodelled{};  // the tree's empty alias is none
  } else if (naming && baking_ == 0 && !out.expr->as<ColumnRef>()) {
    bake(first, end);
    out.alias = implied_name(*out.expr, first, end);
    if (out.alias.find('\0') != std::string::npos) {  // no name can hold it
      if (!out.expr->as<Literal>()) throw Unmodelled{};
      out.alias.clear();
    }
    out.implied = !out.alias.empty();
  }
  return out;
}

void Parser::bake(std::size_t first, std::size_t end) {
  for (std::size_t i = first; i < end; ++i)
    if (words_[i].literal >= 0) named_[static_cast<std::size_t>(words_[i].literal)] = true;
}

namespace {
// Leading blanks go, and the server keeps 255 bytes of whole characters.
std::string as_name(std::string_view text) {
  constexpr std::size_t longest = 255;
  while (!text.empty() && static_cast<unsigned char>(text[0]) <= ' ') text.remove_prefix(1);
  if (text.size() <= longest) return std::string(text);
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}
}  // namespace

// Literals name their column by value (of adjacent strings MySQL takes the first one), everything
// else by its text. A plus sign is no part of what it stands before.
std::string Parser::implied_name(const Expr& expr, std::size_t first, std::size_t end) {
  const Expr* named = &expr;
  while (const auto* sign = named->as<OperatorCall>()) {
    if (sign->left || sign->name != "+") break;
    named = sign->right.get();
  }
  if (const auto* prefixed = named->as<PrefixedLiteral>())
    if (prefixed->prefix == "N" || prefixed->prefix.starts_with('_'))
      named = prefixed->literal.get();
  if (const auto* literal = named->as<Literal>()) {
    if (literal->kind() == Literal::Kind::null) return "NULL";
    if (literal->kind() == Literal::Kind::boolean)
      return literal->unpinned_value() == "true" ? "TRUE" : "FALSE";
    if (literal->kind() == Literal::Kind::string) {
      while (first + 1 < end && words_[first].kind != Token::Kind::string) ++first;
      return as_name(mode_.mariadb ? literal->unpinned_value()
                                   : first_string(words_[first].text, mode_));
    }
    if (literal->kind() != Literal::Kind::bit_string) return literal->unpinned_value();
  }
  if (named->as<Param>()) return "?";
  if (named != &expr)
    if (const auto* column = named->as<ColumnRef>()) return column->parts.back();
  return as_name(named_source(first, end));
}

void Parser::group_by(Select& out) {
  std::vector<GroupItem> items;
  do {
    GroupItem item;
    item.expr = expr();
    if (accept("asc"))
      item.direction = SortKey::Direction::ascending;
    else if (accept("desc"))
      item.direction = SortKey::Direction::descending;
    items.push_back(std::move(item));
  } while (accept(","));
  if (!accept_words({"with", "rollup"})) {
    out.group_by = std::move(items);
    return;
  }
  GroupItem rollup;
  rollup.kind = GroupItem::Kind::rollup;
  rollup.items = std::move(items);
  out.group_by.push_back(std::move(rollup));
}

void Parser::tail(Select& out) {
  if (accept_words({"order", "by"})) out.order_by = sort_keys();
  if (accept("limit"))
    limit(out);
  else
    fetch(out);
  if (at("procedure")) throw Unmodelled{};
  // INTO may stand on either side of the locks.
  if (at("into")) out.into = into();
  while (locking(out)) {
  }
  if (at("into") && out.into.empty()) out.into = into();
}

void Parser::limit(Select& out) {
  if (at("rows") && at("examined", 1)) throw Unmodelled{};
  out.limit = limit_value();
  if (accept(",")) {
    out.offset = std::move(out.limit);
    out.limit = limit_value();
  } else if (accept("offset")) {
    out.offset = limit_value();
  }
  if (at("rows") && at("examined", 1)) throw Unmodelled{};
}

// OFFSET n ROWS FETCH FIRST m ROWS ONLY | WITH TIES
bool Parser::fetch(Select& out) {
  if (!at("offset") && !at("fetch")) return false;
  if (accept("offset")) {
    out.offset = limit_value();
    if (!accept("rows")) expect("row");
  }
  if (!accept("fetch")) throw Unmodelled{};
  if (!accept("first")) expect("next");
  out.limit = at_any({"row", "rows"}) ? make::integer(1) : limit_value();
  if (!accept("rows")) expect("row");
  out.with_ties = accept_words({"with", "ties"});
  if (!out.with_ties) expect("only");
  return true;
}

ExprPtr Parser::limit_value() {
  const auto kind = here().kind;
  if (at_end()) fail();
  if (kind == Token::Kind::integer || kind == Token::Kind::parameter ||
      kind == Token::Kind::bit_string)
    return primary();
  if (!at_name()) fail();
  return column();  // a stored program's variable
}

bool Parser::locking(Select& out) {
  Locking lock;
  if (accept_words({"lock", "in", "share", "mode"})) {
    lock.strength = Locking::Strength::share;
    lock.in_share_mode = true;
  } else if (accept_words({"for", "update"})) {
    lock.strength = Locking::Strength::update;
  } else if (accept_words({"for", "share"})) {
    lock.strength = Locking::Strength::share;
  } else {
    return false;
  }
  if (!lock.in_share_mode && accept("of")) {
    do lock.tables.push_back(name());
    while (accept(","));
  }
  if (accept("nowait")) {
    lock.wait = Locking::Wait::nowait;
  } else if (accept_words({"skip", "locked"})) {
    lock.wait = Locking::Wait::skip_locked;
  } else if (accept("wait")) {
    if (here().kind != Token::Kind::integer) fail();
    lock.wait = Locking::Wait::seconds;
    lock.seconds = std::string(words_[at_++].text);
  }
  out.locking.push_back(std::move(lock));
  return true;
}

// As written: files and variables are not the planner's.
std::string Parser::into() {
  const std::size_t first = at_;
  expect("into");
  const bool formatted = at("outfile");
  if (formatted || at("dumpfile")) {
    ++at_;
    if (at_end() || here().kind != Token::Kind::string) fail();
    ++at_;
    std::vector<Option> options;
    if (formatted) file_format(false, options);
    return source(first, at_);
  }
  do {
    if (here().kind == Token::Kind::variable)
      ++at_;
    else
      name();
  } while (accept(","));
  return source(first, at_);
}

With Parser::with() {
  With out;
  if (!accept("with")) return out;
  out.recursive = accept("recursive");
  do {
    Cte cte;
    cte.name = name();
    if (at("(")) cte.columns = name_list();
    expect("as");
    expect("(");
    cte.statement = std::make_unique<Statement>(std::move(*query(true)));
    expect(")");
    if (accept("cycle")) {
      std::string columns;
      do columns += (columns.empty() ? "" : ", ") + quote_identifier(name());
      while (accept(","));
      expect("restrict");
      cte.tail = " CYCLE " + columns + " RESTRICT";
    }
    out.ctes.push_back(std::move(cte));
  } while (accept(","));
  return out;
}

}  // namespace anabranch::rewriter::mysql
