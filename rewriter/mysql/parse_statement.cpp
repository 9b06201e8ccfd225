#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/names.h"
#include "rewriter/mysql/parser.h"
#include "values/ascii.h"

/// A text's statements, and which reader each of them is for.
namespace anabranch::rewriter::mysql {

using namespace tree;

std::vector<StatementPtr> Parser::statements() {
  if (words_.back().kind == Token::Kind::bad) throw Failure{words_.back().offset};
  std::vector<StatementPtr> out;
  const std::size_t last = words_.size() - 1;
  for (std::size_t first = 0; first < last;) {
    at_ = first;
    end_ = last;
    if (at(";")) {
      ++first;
      continue;
    }
    const std::size_t end = statement_end(first);
    out.push_back(one_statement(end));
    first = end;
  }
  return out;
}

// A stored program holds statements of its own.
std::size_t Parser::statement_end(std::size_t first) const {
  const auto is = [&](std::size_t i, std::string_view word) {
    return i + 1 < words_.size() && words_[i].kind == Token::Kind::identifier &&
           words_[i].word == word;
  };
  const std::size_t last = words_.size() - 1;
  bool program = is(first, "begin") && is(first + 1, "not");
  if (is(first, "create") || is(first, "alter")) {
    for (std::size_t i = first + 1; i < last && i < first + 24; ++i) {
      program = program || is(i, "procedure") || is(i, "function") || is(i, "trigger") ||
                is(i, "event") || is(i, "package");
      const bool other = is(i, "table") || is(i, "view") || is(i, "index") || is(i, "database") ||
                         is(i, "user") || is(i, "schema") || is(i, "server") || is(i, "sequence");
      if (program || other || words_[i].text == ";") break;
    }
  }
  if (program) return last;
  for (std::size_t i = first; i < last; ++i)
    if (words_[i].kind == Token::Kind::punctuation && words_[i].text == ";") return i;
  return last;
}

StatementPtr Parser::one_statement(std::size_t end) {
  const std::size_t first = at_;
  end_ = end;
  parameters_ = 0;
  baking_ = 0;
  StatementPtr out;
  try {
    out = statement();
    if (!at_end()) fail();
  } catch (const Unmodelled&) {
    out = verbatim_statement(first, end);
  }
  const bool whole = out->as<Utility>() != nullptr;
  for (std::size_t i = first; i < end; ++i) {
    if (words_[i].literal < 0) continue;
    const auto literal = static_cast<std::size_t>(words_[i].literal);
    if (whole || !printed_[literal] || named_[literal]) out->baked.push_back(words_[i].literal);
  }
  return out;
}

bool Parser::starts_query(std::size_t ahead) const {
  return at("select", ahead) || at("with", ahead) || at("values", ahead) || at("(", ahead) ||
         (at("table", ahead) && at_name(ahead + 1));
}

StatementPtr Parser::statement() {
  if (starts_query() || at_any({"insert", "replace", "update", "delete"})) return query_or_write();
  return std::make_unique<Statement>(utility());
}

StatementPtr Parser::query_or_write() {
  if (at("insert") || at("replace")) return std::make_unique<Statement>(insert(at("replace")));
  const Deeper deeper(*this);
  With clause = with();
  if (at("update")) {
    Update out = update();
    out.with = std::move(clause);
    return std::make_unique<Statement>(std::move(out));
  }
  if (at("delete")) {
    Delete out = delete_();
    out.with = std::move(clause);
    return std::make_unique<Statement>(std::move(out));
  }
  SelectPtr out = query_body(true);
  if (!clause.ctes.empty() && !out->with.ctes.empty()) throw Unmodelled{};
  if (!clause.ctes.empty()) out->with = std::move(clause);
  return std::make_unique<Statement>(std::move(*out));
}

StatementPtr Parser::inner_statement() {
  if (starts_query() || at_any({"insert", "replace", "update", "delete"})) return query_or_write();
  fail();
}

StatementPtr Parser::verbatim_statement(std::size_t first, std::size_t end) {
  Utility out;
  out.kind = "VerbatimStmt";
  out.tag = values::upper_case(words_[first].word);
  out.text = source(first, end);
  all_relations(first, end, out);
  at_ = end;
  return std::make_unique<Statement>(std::move(out));
}

namespace {
void add_name(std::string schema, std::string name, Utility& out) {
  for (const RelationName& known : out.relations)
    if (known.schema == schema && known.name == name) return;
  out.relations.push_back({std::move(schema), std::move(name), false, RelationName::Kind::unknown});
}
}  // namespace

// Of a.b.c the relation may be a, a.b or b.c.
void Parser::all_relations(std::size_t first, std::size_t end, Utility& out) const {
  const auto is_name = [&](std::size_t i, bool after_dot) {
    const Word& word = words_[i];
    if (word.kind == Token::Kind::quoted_identifier) return true;
    return word.kind == Token::Kind::identifier && (after_dot || !is_reserved(word.word));
  };
  for (std::size_t i = first; i < end; ++i) {
    if (!is_name(i, false)) continue;
    std::string name = identifier_value(words_[i].text);
    add_name({}, name, out);
    while (i + 2 < end && words_[i + 1].text == "." && is_name(i + 2, true)) {
      i += 2;
      std::string next = identifier_value(words_[i].text);
      add_name(std::move(name), next, out);
      name = std::move(next);
    }
  }
}

void Parser::add_relation(const TableRef& table, RelationName::Kind kind, Utility& out) {
  for (const RelationName& known : out.relations)
    if (known.schema == table.schema && known.name == table.name) return;
  out.relations.push_back({table.schema, table.name, false, kind});
}

void Parser::rest(Utility& out) {
  all_relations(at_, end_, out);
  at_ = end_;
}

Utility Parser::utility() {
  Utility out;
  const std::size_t first = at_;
  out.text = source(first, end_);
  const bool known = transaction(out) || session(out) || prepared(out) || information(out) ||
                     ddl(out) || administration(out);
  if (!known) {
    at_ = first;
    fail();
  }
  return out;
}

}  // namespace anabranch::rewriter::mysql
