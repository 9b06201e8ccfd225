#include "rewriter/mysql/names.h"
#include "rewriter/mysql/parser.h"
#include "rewriter/mysql/quote.h"

/// FROM: tables, joins, derived tables.
namespace anabranch::rewriter::mysql {

using namespace tree;

std::vector<FromPtr> Parser::from_list() {
  std::vector<FromPtr> out;
  do out.push_back(joined_table());
  while (accept(","));
  return out;
}

namespace {

/// One operand of a chain of joins, and the join before it that still waits for its condition.
struct Operand {
  Join join;
  FromPtr item;
  FromPtr* leftmost = nullptr;  ///< where a join without condition puts its left side
};

}  // namespace

// A condition belongs to the nearest join before it that has none; a join that never gets one takes
// place before its right side's joins: t1 JOIN t2 JOIN t3 ON c is (t1 JOIN t2) JOIN t3 ON c.
FromPtr Parser::joined_table() {
  const Deeper deeper(*this);
  std::vector<Operand> chain;
  chain.push_back({{}, table_factor(), nullptr});
  const auto close = [&](ExprPtr on, std::vector<std::string> columns) {
    Operand right = std::move(chain.back());
    chain.pop_back();
    Operand& left = chain.back();
    FromPtr* inner = left.leftmost;
    right.join.left = std::move(left.item);
    right.join.right = std::move(right.item);
    right.join.on = std::move(on);
    right.join.using_columns = std::move(columns);
    left.item = std::make_unique<FromItem>(std::move(right.join));
    left.leftmost = inner ? inner : &left.item->as<Join>()->left;
  };
  for (;;) {
    Join join;
    if (accept("natural")) {
      join.natural = true;
      if (accept("left"))
        join.kind = Join::Kind::left;
      else if (accept("right"))
        join.kind = Join::Kind::right;
      else
        accept("inner");
      if (join.kind != Join::Kind::inner) accept("outer");
      expect("join");
      chain.push_back({std::move(join), table_factor(), nullptr});
      close(nullptr, {});
      continue;
    }
    const bool outer = at("left") || at("right");
    if (accept("straight_join")) {
      join.straight = true;
    } else if (outer) {
      join.kind = at("left") ? Join::Kind::left : Join::Kind::right;
      ++at_;
      accept("outer");
      expect("join");
    } else if (accept("inner") || accept("cross")) {
      expect("join");
    } else if (at("on") && chain.size() > 1) {
      ++at_;
      close(expr(), {});
      continue;
    } else if (at("using") && at("(", 1) && chain.size() > 1) {
      ++at_;
      close(nullptr, name_list());
      continue;
    } else if (!accept("join")) {
      break;
    }
    chain.push_back({std::move(join), table_factor(), nullptr});
  }
  while (chain.size() > 1) {
    Operand right = std::move(chain.back());
    chain.pop_back();
    if (right.join.kind != Join::Kind::inner) fail();  // an outer join needs a condition
    Operand& left = chain.back();
    FromPtr* place = right.leftmost ? right.leftmost : &right.item;
    Join cross = std::move(right.join);
    cross.kind = Join::Kind::cross;
    cross.left = std::move(left.item);
    cross.right = std::move(*place);
    FromPtr* inner = left.leftmost;
    *place = std::make_unique<FromItem>(std::move(cross));
    left.leftmost = inner ? inner : &(*place)->as<Join>()->left;
    left.item = std::move(right.item);
  }
  return std::move(chain.front().item);
}

FromPtr Parser::table_factor() {
  const Deeper deeper(*this);
  if (at_words({"json_table", "("})) return json_table();
  if (accept("lateral")) return derived_table(true);
  if (accept("{")) {  // { OJ … }
    any_name();
    FromPtr out = joined_table();
    expect("}");
    return out;
  }
  if (!at("(")) return std::make_unique<FromItem>(table_ref(), static_cast<int>(here().offset));
  if (at_query(at_)) return derived_table(false);
  expect("(");
  FromPtr out = joined_table();
  while (accept(",")) {
    Join join;
    join.kind = Join::Kind::cross;
    join.left = std::move(out);
    join.right = joined_table();
    out = std::make_unique<FromItem>(std::move(join));
  }
  expect(")");
  return out;
}

FromPtr Parser::derived_table(bool lateral) {
  const int location = static_cast<int>(here().offset);
  expect("(");
  SubqueryRef out;
  out.lateral = lateral;
  out.query = query(true);
  expect(")");
  out.alias = alias(true);
  return std::make_unique<FromItem>(std::move(out), location);
}

FromPtr Parser::json_table() {
  const Baking baking(*this);
  const std::size_t first = at_;
  VerbatimFrom out;
  out.node = "JsonTable";
  at_ += 2;
  out.children.push_back(expr());
  at_ = first + 1;
  skip_parenthesis();
  out.text = source(first, at_);
  out.alias = alias(false);
  out.text += " AS " + quote_identifier(out.alias.name);
  return std::make_unique<FromItem>(std::move(out), static_cast<int>(words_[first].offset));
}

TableRef Parser::table_name() {
  TableRef out;
  Name name = qualified_name(2);
  out.name = std::move(name.back());
  if (name.size() > 1) out.schema = std::move(name.front());
  return out;
}

TableRef Parser::table_ref(bool aliases) {
  TableRef out = table_name();
  out.qualifier = table_qualifier();
  if (aliases) out.alias = alias(false);
  out.hints = index_hints();
  return out;
}

// PARTITION (p0, p1). FOR SYSTEM_TIME asks for rows that are not the table's present ones.
std::string Parser::table_qualifier() {
  if (at("for") && (at("system_time", 1) || at("portion", 1))) throw Unmodelled{};
  if (!at("partition") || !at("(", 1)) return {};
  ++at_;
  std::string out;
  const std::size_t first = at_;
  name_list();
  for (std::size_t i = first; i < at_; ++i) {
    out += words_[i].text;
    if (words_[i].text == ",") out += " ";
  }
  return "PARTITION " + out;
}

std::string Parser::index_hints() {
  const std::size_t first = at_;
  while (at_any({"use", "force", "ignore"}) && (at("index", 1) || at("key", 1))) {
    at_ += 2;
    if (accept("for") && !accept("join")) {
      if (!accept("order")) expect("group");
      expect("by");
    }
    if (!at("(")) fail();
    skip_parenthesis();
  }
  std::string out;
  for (std::size_t i = first; i < at_; ++i) {
    const std::string_view text = words_[i].text;
    out += !out.empty() && text != "," && text != ")" && out.back() != '(' ? " " : "";
    out += text;
  }
  return out;
}

Alias Parser::alias(bool columns) {
  Alias out;
  const bool said = accept("as");
  if (said)
    out.name = name_or_string();
  else if (at_name() && !at_any({"lateral", "offset", "portion", "system_time"}))
    out.name = name();
  if (!out.name.empty() && columns && at("(")) out.columns = name_list();
  return out;
}

}  // namespace anabranch::rewriter::mysql
