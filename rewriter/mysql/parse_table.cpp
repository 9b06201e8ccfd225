#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/names.h"
#include "rewriter/mysql/parser.h"
#include "values/ascii.h"

/// CREATE TABLE and ALTER TABLE: columns, keys, what they refer to. Options are left as they are; a
/// definition that is not understood leaves the statement without detail.
namespace anabranch::rewriter::mysql {

using namespace tree;

namespace {

}  // namespace

void Parser::create_table(Utility& out, bool temporary) {
  out.kind = "CreateStmt";
  out.tag = "CREATE TABLE";
  CreateTable detail;
  detail.if_not_exists = accept_words({"if", "not", "exists"});
  detail.table = table_name();
  if (temporary) detail.persistence = CreateTable::Persistence::temporary;
  add_relation(detail.table, RelationName::Kind::table, out);
  const std::size_t first = at_;
  if (accept("like") || accept_words({"(", "like"})) {
    detail.likes.push_back(table_name());
    add_relation(detail.likes[0], RelationName::Kind::table, out);
    accept(")");
    out.detail = std::move(detail);
    return;
  }
  if (at("(") && !at_query(at_)) {
    const auto closing = static_cast<std::size_t>(here().closing < 0 ? 0 : here().closing);
    if (closing == 0) fail();
    ++at_;
    bool understood = true;
    do {
      const std::size_t before = at_;
      understood = table_element(detail);
      if (!understood && at_ == before && at_end()) fail();
    } while (understood && accept(","));
    if (!understood || at_ != closing) {
      all_relations(first, end_, out);
      at_ = end_;
      return;
    }
    at_ = closing + 1;
  }
  for (const CreateTable::TableConstraint& constraint : detail.constraints)
    if (constraint.references) add_relation(*constraint.references, RelationName::Kind::table, out);
  for (const ColumnDefinition& column : detail.columns)
    if (column.references) add_relation(*column.references, RelationName::Kind::table, out);
  // Options and partitions, up to a query.
  while (!at_end() && !at("as") && !(at("(") ? at_query(at_) : starts_query())) {
    if (at("partition")) detail.partitioned = true;
    if (at("("))
      skip_parenthesis();
    else
      ++at_;
  }
  if (at_words({"with", "system"})) throw Unmodelled{};
  if (at_end()) {
    out.detail = std::move(detail);
    return;
  }
  accept("as");
  const std::size_t query_start = at_;
  CreateTableAs as;
  as.table = std::move(detail.table);
  as.persistence = detail.persistence;
  as.if_not_exists = detail.if_not_exists;
  as.query = inner_statement();
  all_relations(query_start, at_, out);
  out.kind = "CreateTableAsStmt";
  out.detail = std::move(as);
}

bool Parser::at_constraint() const {
  if (here().kind != Token::Kind::identifier) return false;
  if (at("primary") || at("unique") || at("foreign") || at("constraint") || at("check") ||
      at("index") || at("key") || at("fulltext") || at("spatial"))
    return true;
  return at("period") && at("for", 1);
}

// False: something this does not know.
bool Parser::table_element(CreateTable& out) {
  if (at_constraint()) {
    if (at("period")) return false;
    out.constraints.push_back(table_constraint());
  } else {
    if (!at_name()) fail();
    out.columns.push_back(column_definition(name()));
  }
  return at(",") || at(")");
}

std::vector<std::string> Parser::key_parts() {
  std::vector<std::string> out;
  expect("(");
  do {
    if (at("(")) {  // an expression
      skip_parenthesis();
      out.emplace_back();
    } else {
      out.push_back(values::lower_case(name()));
      if (at("(")) {  // a part of it is no column
        skip_parenthesis();
        out.back().clear();
      }
    }
    if (!accept("asc")) accept("desc");
  } while (accept(","));
  if (accept_words({"without", "overlaps"})) throw Unmodelled{};
  expect(")");
  return out;
}

CreateTable::TableConstraint Parser::table_constraint() {
  CreateTable::TableConstraint out;
  if (accept("constraint")) {
    accept_words({"if", "not", "exists"});
    if (at_name() && !at_any({"primary", "unique", "foreign", "check"})) name();
  }
  if (accept_words({"primary", "key"})) {
    out.kind = "PRIMARY KEY";
  } else if (accept("unique")) {
    out.kind = "UNIQUE";
    if (!accept("index")) accept("key");
  } else if (accept_words({"foreign", "key"})) {
    out.kind = "FOREIGN KEY";
  } else if (accept("check")) {
    out.kind = "CHECK";
    skip_parenthesis();
    if (accept("not")) expect("enforced");
    accept("enforced");
    return out;
  } else {
    out.kind = "OTHER";
    if (accept("fulltext") || accept("spatial")) out.kind = "OTHER";
    if (!accept("index")) accept("key");
  }
  accept_words({"if", "not", "exists"});
  if (at_name() && !at("(") && !at("using")) name();
  if (accept("using") || accept("type")) ++at_;
  out.columns = key_parts();
  if (out.kind == "FOREIGN KEY") out.referenced = references(out.references);
  // Options of the index.
  while (!at_end() && !at(",") && !at(")")) {
    if (at("("))
      skip_parenthesis();
    else
      ++at_;
  }
  return out;
}

std::vector<std::string> Parser::references(std::optional<TableRef>& out) {
  expect("references");
  out = table_name();
  std::vector<std::string> columns;
  if (at("(")) columns = name_list();
  for (std::string& column : columns) column = values::lower_case(column);
  while (at_any({"match", "on"})) {
    const bool match = accept("match");
    if (!match) {
      ++at_;
      if (!accept("delete")) expect("update");
    }
    if (accept("set")) {
      if (!accept("null")) expect("default");
    } else if (accept("no")) {
      expect("action");
    } else {
      ++at_;
    }
  }
  return columns;
}

TypeName Parser::column_type() {
  TypeName out;
  if (at_end() || here().kind != Token::Kind::identifier) fail();
  std::string word(words_[at_++].word);
  const bool doubled = (word == "double" && at("precision")) ||
                       (word == "long" && at_any({"varchar", "varbinary"})) ||
                       (word == "national" && at_any({"char", "varchar", "character"})) ||
                       ((word == "char" || word == "character") && at("varying"));
  if (doubled) word += " " + std::string(words_[at_++].word);
  out.names = {word};
  out.text = values::upper_case(word) + type_modifiers();
  while (at_any({"unsigned", "signed", "zerofill"}))
    out.text += " " + values::upper_case(words_[at_++].word);
  return out;
}

ColumnDefinition Parser::column_definition(std::string name) {
  ColumnDefinition out;
  name = values::lower_case(name);
  out.name = std::move(name);
  out.type = column_type();
  if (out.type.names[0] == "serial") out.not_null = out.identity = out.unique = true;
  while (!at_end() && !at(",") && !at(")") && column_attribute(out)) {
  }
  return out;
}

bool Parser::column_attribute(ColumnDefinition& out) {
  if (accept_words({"not", "null"})) return out.not_null = true;
  if (accept("null") || accept("visible") || accept("invisible") || accept("stored") ||
      accept("virtual") || accept("persistent") || accept("ascii") || accept("unicode") ||
      accept("binary") || accept("compressed") || accept("enforced"))
    return true;
  if (accept("auto_increment")) return out.identity = true;
  if (accept("primary")) {
    expect("key");
    return out.primary_key = true;
  }
  if (accept("unique")) {
    accept("key");
    return out.unique = true;
  }
  if (accept("key")) return out.primary_key = true;
  if (accept("comment")) {
    ++at_;
    return true;
  }
  if (accept("collate")) {
    out.collation = name_or_string();
    return true;
  }
  if (accept_words({"character", "set"}) || accept_words({"char", "set"}) || accept("charset")) {
    out.type.text += " CHARACTER SET " + (at("binary") ? any_name() : name_or_string());
    return true;
  }
  if (accept("default") || at_words({"on", "update"})) {
    const bool update = accept_words({"on", "update"});
    const Baking baking(*this);
    const std::size_t first = at_;
    if (at("(")) {
      skip_parenthesis();
    } else if (at_any({"-", "+"})) {
      ++at_;
      literal();
    } else {
      primary();
    }
    if (!update) out.default_text = source(first, at_), out.has_default = true;
    return true;
  }
  if (accept_words({"generated", "always"}) || at("as")) {
    expect("as");
    if (accept("row")) throw Unmodelled{};
    skip_parenthesis();
    return out.generated = true;
  }
  if (accept("check") || accept_words({"constraint"})) {
    if (!at("(")) {
      name();
      expect("check");
    }
    skip_parenthesis();
    return true;
  }
  if (at("references")) {
    out.referenced = references(out.references);
    return true;
  }
  if (accept("ref_system_id") || accept("srid")) {
    accept("=");
    ++at_;
    return true;
  }
  return false;
}

void Parser::alter_table(Utility& out) {
  ++at_;
  if (!accept("online")) accept("ignore");
  expect("table");
  out.kind = "AlterTableStmt";
  out.tag = "ALTER TABLE";
  AlterTable detail;
  detail.if_exists = accept_words({"if", "exists"});
  detail.table = table_name();
  add_relation(detail.table, RelationName::Kind::table, out);
  const std::size_t first = at_;
  if (accept("wait")) ++at_;
  accept("nowait");
  while (!at_end()) {
    alter_action(detail);
    if (!accept(",") && !at_end()) fail();
  }
  all_relations(first, end_, out);
  out.detail = std::move(detail);
}

namespace {

/// Named as libpg_query names PostgreSQL's actions; what only MySQL has is "AT_Other".
struct Action {
  std::initializer_list<std::string_view> words;
  std::string_view action;
  bool named;
};

}  // namespace

void Parser::alter_action(AlterTable& out) {
  static const Action actions[] = {
      {{"drop", "primary", "key"}, "AT_DropConstraint", false},
      {{"drop", "foreign", "key"}, "AT_DropConstraint", true},
      {{"drop", "constraint"}, "AT_DropConstraint", true},
      {{"drop", "check"}, "AT_DropConstraint", true},
      {{"drop", "index"}, "AT_DropIndex", true},
      {{"drop", "key"}, "AT_DropIndex", true},
      {{"drop", "partition"}, "AT_Other", false},
      {{"drop", "column"}, "AT_DropColumn", true},
      {{"drop"}, "AT_DropColumn", true},
      {{"modify", "column"}, "AT_AlterColumnType", true},
      {{"modify"}, "AT_AlterColumnType", true},
      {{"change", "column"}, "AT_ChangeColumn", true},
      {{"change"}, "AT_ChangeColumn", true},
      {{"alter", "column"}, "AT_ColumnDefault", true},
      {{"rename", "column"}, "AT_RenameColumn", true},
      {{"rename", "index"}, "AT_Other", false},
      {{"rename", "key"}, "AT_Other", false},
      {{"rename"}, "AT_RenameTable", false},
  };
  std::string action = "AT_Other", named;
  const bool adds = accept("add");
  if (adds && at_constraint()) {
    action = "AT_AddConstraint";
    if (at("period")) throw Unmodelled{};
    out.constraints.push_back(table_constraint());
  } else if (adds && at("partition")) {
    action = "AT_Other";
  } else if (adds) {
    action = "AT_AddColumn";
    accept("column");
    accept_words({"if", "not", "exists"});
    const bool several = accept("(");
    do {
      named = name();
      out.columns.push_back(column_definition(named));
    } while (several && accept(","));
    if (several) expect(")");
  } else {
    for (const Action& entry : actions) {
      if (!accept_words(entry.words)) continue;
      action = entry.action;
      if (entry.named) {
        accept_words({"if", "exists"});
        named = name();
      }
      break;
    }
  }
  // FIRST, AFTER c, and all of what is not looked into.
  while (!at_end() && !at(",")) {
    if (at("("))
      skip_parenthesis();
    else
      ++at_;
  }
  out.actions.push_back(std::move(action));
  out.names.push_back(std::move(named));
}

}  // namespace anabranch::rewriter::mysql
