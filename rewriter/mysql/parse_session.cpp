#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/names.h"
#include "rewriter/mysql/parser.h"
#include "values/ascii.h"

/// Transactions, SET, USE, prepared statements.
namespace anabranch::rewriter::mysql {

using namespace tree;

bool Parser::transaction(Utility& out) {
  using Kind = Transaction::Kind;
  Transaction detail{};
  if (at("begin") && !at("not", 1)) {
    ++at_;
    accept("work");
    detail.kind = Kind::begin;
  } else if (at_words({"start", "transaction"})) {
    start_transaction(out);
    return true;
  } else if (at("commit") || at("rollback")) {
    detail.kind = at("commit") ? Kind::commit : Kind::rollback;
    ++at_;
    accept("work");
    if (detail.kind == Kind::rollback && accept("to")) {
      accept("savepoint");
      detail.kind = Kind::rollback_to;
      detail.name = name();
    } else {
      if (accept("and")) detail.chain = !accept("no"), expect("chain");
      if (accept("release"))
        detail.options = "RELEASE";
      else if (accept("no"))
        expect("release"), detail.options = "NO RELEASE";
    }
  } else if (accept("savepoint")) {
    detail.kind = Kind::savepoint;
    detail.name = name();
  } else if (accept_words({"release", "savepoint"})) {
    detail.kind = Kind::release;
    detail.name = name();
  } else if (at("xa")) {
    xa(out);
    return true;
  } else {
    return false;
  }
  static constexpr std::string_view tags[] = {"BEGIN",
                                              "START TRANSACTION",
                                              "COMMIT",
                                              "ROLLBACK",
                                              "SAVEPOINT",
                                              "RELEASE SAVEPOINT",
                                              "ROLLBACK TO SAVEPOINT"};
  tagged(out, "TransactionStmt", tags[static_cast<std::size_t>(detail.kind)]);
  out.detail = std::move(detail);
  return true;
}

void Parser::start_transaction(Utility& out) {
  at_ += 2;
  Transaction detail{};
  detail.kind = Transaction::Kind::start;
  while (!at_end()) {
    std::string mode;
    if (accept_words({"with", "consistent", "snapshot"}))
      mode = "WITH CONSISTENT SNAPSHOT";
    else if (accept_words({"read", "only"}))
      mode = "READ ONLY";
    else if (accept_words({"read", "write"}))
      mode = "READ WRITE";
    else
      fail();
    detail.options += (detail.options.empty() ? "" : ", ") + mode;
    if (!accept(",") && !at_end()) fail();
  }
  tagged(out, "TransactionStmt", "START TRANSACTION");
  out.detail = std::move(detail);
}

// XA START 'gid' …: the name is all three parts as written.
void Parser::xa(Utility& out) {
  using Kind = Transaction::Kind;
  ++at_;
  Transaction detail{};
  if (accept("recover")) {
    tagged(out, "XaStmt", "XA RECOVER");
    at_ = end_;
    return;
  }
  if (at("start") || at("begin"))
    detail.kind = Kind::start;
  else if (at("end"))
    detail.kind = Kind::start;  // XA END has no detail
  else if (at("prepare"))
    detail.kind = Kind::prepare;
  else if (at("commit"))
    detail.kind = Kind::commit_prepared;
  else if (at("rollback"))
    detail.kind = Kind::rollback_prepared;
  else
    fail();
  const bool only_ends = at("end");
  const std::string verb = values::upper_case(words_[at_++].word);
  const std::size_t first = at_;
  do {
    const auto kind = here().kind;
    if (at_end() || (kind != Token::Kind::string && kind != Token::Kind::bit_string &&
                     kind != Token::Kind::integer))
      fail();
    ++at_;
  } while (accept(","));
  detail.name = source(first, at_);
  if (accept_words({"one", "phase"})) detail.options = "ONE PHASE";
  if (accept("join")) detail.options = "JOIN";
  if (accept("resume")) detail.options = "RESUME";
  if (accept("suspend"))
    detail.options = accept_words({"for", "migrate"}) ? "SUSPEND FOR MIGRATE" : "SUSPEND";
  tagged(out, "XaStmt", "XA " + verb);
  if (!only_ends) out.detail = std::move(detail);
}

bool Parser::session(Utility& out) {
  if (at("set")) {
    set(out);
    return true;
  }
  if (!accept("use")) return false;
  tagged(out, "UseStmt", "USE");
  out.detail = Use{name()};
  return true;
}

void Parser::set(Utility& out) {
  const std::size_t first = at_;
  expect("set");
  tagged(out, "VariableSetStmt", "SET");
  if (accept("statement")) return set_statement(first, out);
  if (at("role") || (at("default") && at("role", 1))) return rest(out);
  SetVariables detail;
  do detail.items.push_back(set_item());
  while (accept(","));
  // A value may hold subqueries.
  for (const SetVariables::Item& item : detail.items)
    if (item.value)
      walk(*item.value, [&](const Expr& node) {
        for_each_subquery(node, [&](const Select&) { all_relations(first, at_, out); });
        return true;
      });
  out.detail = std::move(detail);
}

void Parser::set_statement(std::size_t first, Utility& out) {
  tagged(out, "SetStatementStmt", "SET STATEMENT");
  SetStatement detail;
  do detail.items.push_back(set_item());
  while (accept(","));
  expect("for");
  detail.prefix = source(first, at_) + " ";
  const std::size_t inner = at_;
  if (!starts_query() && !at_any({"insert", "replace", "update", "delete"})) throw Unmodelled{};
  detail.statement = inner_statement();
  all_relations(inner, at_, out);
  out.detail = std::move(detail);
}

SetVariables::Item Parser::set_item() {
  using Kind = SetVariables::Item::Kind;
  SetVariables::Item out;
  if (here().kind == Token::Kind::variable) {
    out.kind = Kind::user_variable;
    out.name = variable_name(words_[at_++]);
    if (!accept(":=")) expect("=");
    out.value = expr();
    return out;
  }
  if (accept("names") || at_words({"character", "set"}) || at_words({"char", "set"}) ||
      at("charset")) {
    out.kind = words_[at_ - 1].word == "names" ? Kind::names : Kind::character_set;
    if (out.kind == Kind::character_set) at_ += at("charset") ? 1 : 2;
    if (!accept("default")) out.value = make::string(at("binary") ? any_name() : name_or_string());
    if (accept("collate") && !accept("default")) out.collation = name_or_string();
    return out;
  }
  if (accept("password")) {
    if (!at("=") && !at("for")) {
      --at_;
    } else {
      out.kind = Kind::password;
      at_ = end_;
      return out;
    }
  }
  bool scoped = true;
  const bool system = accept("@@");
  if (accept("global"))
    out.kind = Kind::global;
  else if (accept("session") || accept("local"))
    out.kind = Kind::session;
  else if (accept("persist"))
    out.kind = Kind::persist;
  else if (accept("persist_only"))
    out.kind = Kind::persist_only;
  else
    scoped = false;
  if (system && scoped) expect(".");
  if (system && !scoped) out.kind = Kind::session;
  if (!system && accept("transaction")) {
    out.kind = out.kind == Kind::global    ? Kind::global_transaction
               : out.kind == Kind::session ? Kind::session_transaction
                                           : Kind::transaction;
    out.name = transaction_modes();
    return out;
  }
  for (const std::string& part : qualified_name(3))
    out.name += (out.name.empty() ? "" : ".") + part;
  out.name = values::lower_case(out.name);
  if (!accept(":=")) expect("=");
  out.value = set_value();
  return out;
}

// Words as values: ON, ALL, BINARY, ROW, SYSTEM and plain names.
ExprPtr Parser::set_value() {
  if (accept("default")) return nullptr;
  const bool ends = at_ + 1 >= end_ || at(",", 1) || at("for", 1);
  const bool word = here().kind == Token::Kind::identifier && !at("null") && !at("true") &&
                    !at("false") && !is_value_function(here().word);
  if (!word || !ends) return expr();
  const Word& setting = words_[at_++];
  return make::expr(Keyword{std::string(setting.text)}, static_cast<int>(setting.offset));
}

std::string Parser::transaction_modes() {
  std::string out;
  do {
    std::string mode;
    if (accept_words({"isolation", "level"})) {
      if (accept_words({"read", "uncommitted"}))
        mode = "READ UNCOMMITTED";
      else if (accept_words({"read", "committed"}))
        mode = "READ COMMITTED";
      else if (accept_words({"repeatable", "read"}))
        mode = "REPEATABLE READ";
      else if (accept("serializable"))
        mode = "SERIALIZABLE";
      else
        fail();
      mode = "ISOLATION LEVEL " + mode;
    } else {
      expect("read");
      mode = accept("only") ? "READ ONLY" : "READ WRITE";
      if (mode == "READ WRITE") expect("write");
    }
    out += (out.empty() ? "" : ", ") + mode;
  } while (accept(","));
  return out;
}

bool Parser::prepared(Utility& out) {
  if (accept("prepare")) {
    tagged(out, "PrepareStmt", "PREPARE");
    Prepare detail;
    detail.name = name();
    expect("from");
    detail.source = expr();
    out.detail = std::move(detail);
    return true;
  }
  if (accept_words({"execute", "immediate"})) {
    tagged(out, "ExecuteImmediateStmt", "EXECUTE IMMEDIATE");
    Execute detail;
    detail.source = expr();
    if (accept("using")) detail.args = expr_list();
    out.detail = std::move(detail);
    return true;
  }
  if (accept("execute")) {
    tagged(out, "ExecuteStmt", "EXECUTE");
    Execute detail;
    detail.name = name();
    if (accept("using")) detail.args = expr_list();
    out.detail = std::move(detail);
    return true;
  }
  const bool dropped = at_words({"drop", "prepare"});
  if (!dropped && !at_words({"deallocate", "prepare"})) return false;
  at_ += 2;
  tagged(out, "DeallocateStmt", dropped ? "DROP PREPARE" : "DEALLOCATE PREPARE");
  out.detail = Deallocate{name()};
  return true;
}

}  // namespace anabranch::rewriter::mysql
