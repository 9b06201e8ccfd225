#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/names.h"
#include "rewriter/mysql/parser.h"
#include "values/ascii.h"

/// CREATE, ALTER, DROP, RENAME, TRUNCATE: which objects they are about.
namespace anabranch::rewriter::mysql {

using namespace tree;

namespace {

RelationName::Kind relation_kind(std::string_view object) {
  if (object == "TABLE") return RelationName::Kind::table;
  if (object == "VIEW") return RelationName::Kind::view;
  if (object == "INDEX") return RelationName::Kind::index;
  return object == "SEQUENCE" ? RelationName::Kind::sequence : RelationName::Kind::unknown;
}

/// What is created and dropped without being looked into.
struct Object {
  std::string_view word;
  std::string_view kind;
};
constexpr Object objects[] = {
    {"procedure", "CreateFunctionStmt"},
    {"function", "CreateFunctionStmt"},
    {"trigger", "CreateTrigStmt"},
    {"event", "CreateEventStmt"},
    {"package", "CreateFunctionStmt"},
    {"database", "CreatedbStmt"},
    {"schema", "CreatedbStmt"},
    {"user", "CreateRoleStmt"},
    {"role", "CreateRoleStmt"},
    {"server", "CreateServerStmt"},
    {"tablespace", "CreateTableSpaceStmt"},
    {"logfile", "CreateTableSpaceStmt"},
};

}  // namespace

bool Parser::ddl(Utility& out) {
  if (at("create")) {
    create(out);
  } else if (at("alter")) {
    const bool table = at("table", 1) || ((at("online", 1) || at("ignore", 1)) && at("table", 2));
    if (table) {
      alter_table(out);
      return true;
    }
    ++at_;
    const std::string object = values::upper_case(here().word);
    tagged(out, "Alter" + object + "Stmt", "ALTER " + object);
    rest(out);
  } else if (at("drop")) {
    drop(out);
  } else if (at_words({"rename", "table"}) || at_words({"rename", "tables"})) {
    rename_table(out);
  } else if (at_words({"rename", "user"})) {
    tagged(out, "RenameStmt", "RENAME USER");
    rest(out);
  } else if (accept("truncate")) {
    accept("table");
    tagged(out, "TruncateStmt", "TRUNCATE TABLE");
    add_relation(table_name(), RelationName::Kind::table, out);
    if (accept("wait")) ++at_;
    accept("nowait");
    out.detail = Truncate{};
  } else {
    return false;
  }
  return true;
}

void Parser::create(Utility& out) {
  expect("create");
  const bool replace = accept_words({"or", "replace"});
  const bool temporary = accept("temporary");
  if (accept("table")) return create_table(out, temporary);
  if (at("index") || at_words({"unique", "index"}) || at("fulltext") || at("spatial"))
    return create_index(out);
  if (accept("sequence")) {
    tagged(out, "CreateSeqStmt", "CREATE SEQUENCE");
    accept_words({"if", "not", "exists"});
    add_relation(table_name(), RelationName::Kind::sequence, out);
    at_ = end_;
    return;
  }
  // ALGORITHM = …, DEFINER = …, SQL SECURITY …, AGGREGATE: up to what is created.
  for (std::size_t i = at_; i < end_ && i < at_ + 16; ++i) {
    const std::string_view word = words_[i].kind == Token::Kind::identifier ? words_[i].word : "";
    if (word == "view") {
      at_ = i + 1;
      return create_view(out, replace);
    }
    for (const Object& object : objects) {
      if (word != object.word) continue;
      at_ = i + 1;
      tagged(out, object.kind, "CREATE " + values::upper_case(object.word));
      return rest(out);
    }
  }
  fail();
}

void Parser::create_view(Utility& out, bool replace) {
  tagged(out, "ViewStmt", "CREATE VIEW");
  accept_words({"if", "not", "exists"});
  CreateView detail;
  detail.replace = replace;
  detail.view = table_name();
  add_relation(detail.view, RelationName::Kind::view, out);
  if (at("(")) detail.view.alias.columns = name_list();
  expect("as");
  const std::size_t first = at_;
  detail.query = query(true);
  all_relations(first, at_, out);
  if (accept("with")) {
    if (!accept("cascaded")) accept("local");
    expect("check");
    expect("option");
  }
  out.detail = std::move(detail);
}

void Parser::create_index(Utility& out) {
  tagged(out, "IndexStmt", "CREATE INDEX");
  CreateIndex detail;
  detail.unique = accept("unique");
  if (!detail.unique && !accept("fulltext")) accept("spatial");
  expect("index");
  detail.if_not_exists = accept_words({"if", "not", "exists"});
  detail.name = name();
  if (accept("using") || accept("type")) ++at_;
  expect("on");
  detail.table = table_name();
  add_relation(detail.table, RelationName::Kind::table, out);
  detail.columns = key_parts();
  at_ = end_;  // options
  out.detail = std::move(detail);
}

void Parser::drop(Utility& out) {
  expect("drop");
  Drop detail;
  detail.temporary = accept("temporary");
  detail.object = values::upper_case(here().word);
  if (detail.object == "TABLES") detail.object = "TABLE";
  if (detail.object == "SCHEMA") detail.object = "DATABASE";
  static constexpr std::string_view known[] = {
      "TABLE",   "VIEW",  "INDEX",   "SEQUENCE", "DATABASE", "PROCEDURE", "FUNCTION",
      "TRIGGER", "EVENT", "PACKAGE", "USER",     "ROLE",     "SERVER",    "TABLESPACE"};
  bool fits = false;
  for (const std::string_view word : known) fits = fits || detail.object == word;
  if (!fits) fail();
  ++at_;
  tagged(out, detail.object == "DATABASE" ? "DropdbStmt" : "DropStmt", "DROP " + detail.object);
  detail.if_exists = accept_words({"if", "exists"});
  if (detail.object == "USER" || detail.object == "ROLE" || detail.object == "SERVER" ||
      detail.object == "PACKAGE" || detail.object == "TABLESPACE")
    return rest(out);
  const auto kind = relation_kind(detail.object);
  do {
    const TableRef dropped = table_name();
    Name name;
    if (!dropped.schema.empty()) name.push_back(dropped.schema);
    name.push_back(dropped.name);
    detail.names.push_back(std::move(name));
    if (kind != RelationName::Kind::unknown && kind != RelationName::Kind::index)
      add_relation(dropped, kind, out);
  } while (accept(","));
  if (detail.object == "INDEX") {
    expect("on");
    add_relation(table_name(), RelationName::Kind::table, out);
    at_ = end_;  // ALGORITHM, LOCK
  }
  if (accept("wait")) ++at_;
  accept("nowait");
  detail.cascade = accept("cascade");
  if (!detail.cascade) accept("restrict");
  out.detail = std::move(detail);
}

// Several renames at once have no detail but their relations.
void Parser::rename_table(Utility& out) {
  at_ += 2;
  tagged(out, "RenameStmt", "RENAME TABLE");
  accept_words({"if", "exists"});
  Rename detail;
  detail.object = "TABLE";
  int count = 0;
  do {
    const TableRef from = table_name();
    if (accept("wait")) ++at_;
    accept("nowait");
    expect("to");
    const TableRef to = table_name();
    add_relation(from, RelationName::Kind::table, out);
    add_relation(to, RelationName::Kind::table, out);
    detail.new_name = to.name;
    ++count;
  } while (accept(","));
  if (count == 1) out.detail = std::move(detail);
}

}  // namespace anabranch::rewriter::mysql
