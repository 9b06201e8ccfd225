#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/names.h"
#include "rewriter/mysql/parser.h"

/// SHOW, EXPLAIN, LOCK TABLES, LOAD DATA, CALL, and the statements that are only recognised.
namespace anabranch::rewriter::mysql {

using namespace tree;

bool Parser::information(Utility& out) {
  if (accept("show")) {
    tagged(out, "ShowStmt", "SHOW");
    Show detail;
    // The words up to a name, a pattern or a condition.
    while (here().kind == Token::Kind::identifier && !at_end() &&
           !at_any({"from", "in", "like", "where", "for", "limit"})) {
      const bool object = detail.name.starts_with("create ") && detail.name != "create or";
      if (object) break;
      detail.name += (detail.name.empty() ? "" : " ") + std::string(words_[at_++].word);
    }
    if (detail.name.empty()) fail();
    rest(out);
    out.detail = std::move(detail);
    return true;
  }
  const bool analyzes =
      at("analyze") && !at("table", 1) && !at("local", 1) && !at("no_write_to_binlog", 1);
  if (at_any({"explain", "describe", "desc"}) || analyzes) {
    explain(out);
    return true;
  }
  return false;
}

void Parser::explain(Utility& out) {
  Explain detail;
  tagged(out, "ExplainStmt", "EXPLAIN");
  detail.analyze = accept("analyze");
  if (!detail.analyze) ++at_;
  for (bool more = true; more;) {
    more = true;
    if (accept("extended") || accept("partitions")) {
      detail.options.push_back({std::string(words_[at_ - 1].word), {}, false});
    } else if (at_words({"format", "="})) {
      at_ += 2;
      detail.options.push_back({"format", name_or_string(), true});
    } else if (!detail.analyze && accept("analyze")) {
      detail.analyze = true;
    } else {
      more = false;
    }
  }
  if (at_words({"for", "connection"})) {
    rest(out);
    return;
  }
  if (starts_query() || at_any({"insert", "replace", "update", "delete"})) {
    const std::size_t first = at_;
    detail.statement = inner_statement();
    all_relations(first, at_, out);
    out.detail = std::move(detail);
    return;
  }
  if (!detail.options.empty() || detail.analyze) fail();
  tagged(out, "DescribeStmt", "DESCRIBE");
  add_relation(table_name(), RelationName::Kind::table, out);
  if (!at_end()) name_or_string();
}

void Parser::lock_tables(Utility& out) {
  at_ += 2;
  tagged(out, "LockStmt", "LOCK TABLES");
  LockTable detail;
  detail.mode = "READ";
  do {
    const std::size_t first = at_;
    const TableRef table = table_ref();
    add_relation(table, RelationName::Kind::table, out);
    accept("low_priority");
    if (accept("read")) {
      accept("local");
    } else {
      expect("write");
      detail.mode = "WRITE";
      accept("concurrent");
    }
    detail.parts.push_back({table.schema, table.name, source(first, at_)});
  } while (accept(","));
  const std::size_t wait = at_;
  if (accept("wait")) ++at_;
  detail.nowait = accept("nowait");
  detail.wait = source(wait, at_);
  out.detail = std::move(detail);
}

void Parser::file_option(std::string name, std::vector<Option>& out) {
  const auto kind = here().kind;
  const bool value = kind == Token::Kind::string || kind == Token::Kind::bit_string ||
                     kind == Token::Kind::integer;
  if (at_end() || !value) fail();
  out.push_back({std::move(name), value_of(words_[at_]), true});
  // A number's digits say which characters are meant: only the server reads them.
  if (kind == Token::Kind::bit_string) out.back().items = {std::string(words_[at_].text)};
  ++at_;
}

// How a file is written: of LOAD DATA and of INTO OUTFILE.
void Parser::file_format(bool xml, std::vector<Option>& out) {
  if (accept_words({"character", "set"}))
    out.push_back({"character_set", at("binary") ? any_name() : name_or_string(), true});
  if (xml && accept_words({"rows", "identified", "by"})) file_option("rows_identified", out);
  if (accept("fields") || accept("columns")) {
    while (at_any({"terminated", "optionally", "enclosed", "escaped"})) {
      std::string name = accept("optionally") ? "optionally_" : "fields_";
      name += words_[at_++].word;
      expect("by");
      file_option(std::move(name), out);
    }
  }
  if (!accept("lines")) return;
  while (at_any({"starting", "terminated"})) {
    std::string name = "lines_" + std::string(words_[at_++].word);
    expect("by");
    file_option(std::move(name), out);
  }
}

void Parser::load(Utility& out) {
  Load detail;
  const std::size_t first = at_;
  at_ += 1;
  detail.xml = at("xml");
  ++at_;
  tagged(out, "LoadStmt", detail.xml ? "LOAD XML" : "LOAD DATA");
  if (!accept("low_priority")) accept("concurrent");
  detail.local = accept("local");
  expect("infile");
  if (here().kind != Token::Kind::string) fail();
  detail.file = value_of(words_[at_++]);
  if (accept("replace"))
    detail.replace = true;
  else
    detail.ignore = accept("ignore");
  expect("into");
  expect("table");
  detail.table = table_name();
  detail.table.qualifier = table_qualifier();
  add_relation(detail.table, RelationName::Kind::table, out);
  file_format(detail.xml, detail.options);
  if (at("ignore")) {
    const std::uint32_t start = words_[first].offset;
    detail.skip_begin = words_[at_++].offset - start;
    file_option("ignore_lines", detail.options);
    if (!accept("lines")) expect("rows");
    detail.skip_end = words_[at_ - 1].end - start;
  }
  if (accept("(")) {
    while (!accept(")")) {
      if (!detail.fields.empty()) expect(",");
      const bool variable = here().kind == Token::Kind::variable;
      if (variable)
        detail.fields.emplace_back(words_[at_++].text);
      else
        detail.fields.push_back(name());
    }
  }
  if (accept("set")) {
    const std::size_t set = at_;
    detail.set = assignments();
    all_relations(set, at_, out);
  }
  if (at_ == first) fail();
  out.detail = std::move(detail);
}

namespace {

/// Statements of which only the first words count.
struct Recognised {
  std::initializer_list<std::string_view> words;
  std::string_view kind;
  std::string_view tag;
};

}  // namespace

bool Parser::administration(Utility& out) {
  if (at_words({"lock", "tables"}) || at_words({"lock", "table"})) {
    lock_tables(out);
    return true;
  }
  if (at_words({"load", "data"}) || at_words({"load", "xml"})) {
    load(out);
    return true;
  }
  if (accept("call")) {
    tagged(out, "CallStmt", "CALL");
    const int location = static_cast<int>(here().offset);
    FunctionCall function;
    function.name = qualified_name(2);
    if (accept("(")) {
      if (!at(")")) function.args = expr_list();
      expect(")");
    }
    out.detail = Call{make::expr(std::move(function), location)};
    return true;
  }
  if (accept("do")) {
    tagged(out, "DoExprStmt", "DO");
    const std::size_t first = at_;
    expr_list();
    all_relations(first, at_, out);
    return true;
  }
  static const Recognised recognised[] = {
      {{"unlock", "tables"}, "UnlockStmt", "UNLOCK TABLES"},
      {{"unlock", "table"}, "UnlockStmt", "UNLOCK TABLES"},
      {{"handler"}, "HandlerStmt", "HANDLER"},
      {{"kill"}, "KillStmt", "KILL"},
      {{"flush"}, "FlushStmt", "FLUSH"},
      {{"reset"}, "ResetStmt", "RESET"},
      {{"grant"}, "GrantStmt", "GRANT"},
      {{"revoke"}, "GrantStmt", "REVOKE"},
      {{"analyze"}, "TableMaintenanceStmt", "ANALYZE TABLE"},
      {{"optimize"}, "TableMaintenanceStmt", "OPTIMIZE TABLE"},
      {{"check"}, "TableMaintenanceStmt", "CHECK TABLE"},
      {{"checksum"}, "TableMaintenanceStmt", "CHECKSUM TABLE"},
      {{"repair"}, "TableMaintenanceStmt", "REPAIR TABLE"},
      {{"cache", "index"}, "CacheIndexStmt", "CACHE INDEX"},
      {{"load", "index"}, "CacheIndexStmt", "LOAD INDEX INTO CACHE"},
      {{"install"}, "PluginStmt", "INSTALL"},
      {{"uninstall"}, "PluginStmt", "UNINSTALL"},
      {{"purge"}, "ReplicationStmt", "PURGE"},
      {{"change", "master"}, "ReplicationStmt", "CHANGE MASTER"},
      {{"change", "replication"}, "ReplicationStmt", "CHANGE REPLICATION"},
      {{"start", "slave"}, "ReplicationStmt", "START SLAVE"},
      {{"start", "replica"}, "ReplicationStmt", "START REPLICA"},
      {{"start", "all"}, "ReplicationStmt", "START ALL SLAVES"},
      {{"stop", "slave"}, "ReplicationStmt", "STOP SLAVE"},
      {{"stop", "replica"}, "ReplicationStmt", "STOP REPLICA"},
      {{"stop", "all"}, "ReplicationStmt", "STOP ALL SLAVES"},
      {{"binlog"}, "ReplicationStmt", "BINLOG"},
      {{"backup"}, "BackupStmt", "BACKUP"},
      {{"shutdown"}, "ShutdownStmt", "SHUTDOWN"},
      {{"restart"}, "ShutdownStmt", "RESTART"},
      {{"help"}, "HelpStmt", "HELP"},
      {{"signal"}, "SignalStmt", "SIGNAL"},
      {{"resignal"}, "SignalStmt", "RESIGNAL"},
      {{"get"}, "DiagnosticsStmt", "GET DIAGNOSTICS"},
      {{"begin", "not", "atomic"}, "CompoundStmt", "BEGIN NOT ATOMIC"},
  };
  for (const Recognised& entry : recognised) {
    if (!accept_words(entry.words)) continue;
    tagged(out, entry.kind, entry.tag);
    rest(out);
    return true;
  }
  return false;
}

}  // namespace anabranch::rewriter::mysql
