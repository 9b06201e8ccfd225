#include "rewriter/lower.h"
#include "rewriter/print.h"

namespace anabranch::rewriter {

using namespace tree;

Utility Lowering::utility(const Node* node) {
  Utility out;
  out.kind = node_kind(node);
  out.tag = command_tag(node);
  out.text = std::string(statement_text_);
  const std::size_t start = out.text.find_first_not_of(" \t\r\n\f");
  if (start != std::string::npos) out.text.erase(0, start);
  relations(reinterpret_cast<const ProtobufCMessage*>(node), out.relations);
  utility_detail(node, out);
  return out;
}

void Lowering::utility_detail(const Node* node, Utility& out) {
  if (session_detail(node, out) || prepared_detail(node, out) || ddl_detail(node, out)) return;
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_COPY_STMT:
      out.detail = copy(*node->copy_stmt);
      return;
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT: {
      Explain detail;
      detail.options = options(node->explain_stmt->n_options, node->explain_stmt->options);
      for (const Option& option : detail.options) {
        const bool on = !option.has_value || option.value == "true" || option.value == "on" ||
                        option.value == "1";
        if (option.name == "analyze") detail.analyze = on;
        if (option.name == "verbose") detail.verbose = on;
      }
      detail.statement = statement(node->explain_stmt->query);
      out.detail = std::move(detail);
      return;
    }
    case PG_QUERY__NODE__NODE_VACUUM_STMT:
      out.detail = Vacuum{!node->vacuum_stmt->is_vacuumcmd,
                          options(node->vacuum_stmt->n_options, node->vacuum_stmt->options)};
      return;
    case PG_QUERY__NODE__NODE_LOCK_STMT: {
      static constexpr const char* modes[] = {
          "",      "ACCESS SHARE",        "ROW SHARE", "ROW EXCLUSIVE",   "SHARE UPDATE EXCLUSIVE",
          "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"};
      const auto mode = static_cast<std::size_t>(node->lock_stmt->mode);
      out.detail =
          LockTable{mode < std::size(modes) ? modes[mode] : "", node->lock_stmt->nowait != 0, {}, {}};
      return;
    }
    case PG_QUERY__NODE__NODE_CALL_STMT:
      out.detail = Call{call(*node->call_stmt->funccall)};
      return;
    case PG_QUERY__NODE__NODE_DO_STMT:
      out.detail = Do{};
      return;
    default:
      return;
  }
}

std::string Lowering::option_value(const Node* node, bool& present) {
  present = node != nullptr && node->node_case != PG_QUERY__NODE__NODE__NOT_SET;
  if (!present) return {};
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_STRING:
      return string_of(node);
    case PG_QUERY__NODE__NODE_INTEGER:
      return std::to_string(node->integer->ival);
    case PG_QUERY__NODE__NODE_FLOAT:
      return text_or_empty(node->float_->fval);
    case PG_QUERY__NODE__NODE_BOOLEAN:
      return node->boolean->boolval ? "true" : "false";
    case PG_QUERY__NODE__NODE_A_STAR:
      return "*";
    case PG_QUERY__NODE__NODE_TYPE_NAME:
      return type_name(*node->type_name).text;
    case PG_QUERY__NODE__NODE_A_CONST:
      if (node->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL)
        return text_or_empty(node->a_const->sval->sval);
      return baked_text(node);
    case PG_QUERY__NODE__NODE_LIST: {
      std::string out;
      for (const Node* item : items_of(node)) {
        bool item_present = false;
        out += (out.empty() ? "" : ", ") + option_value(item, item_present);
      }
      return out;
    }
    default:
      return baked_text(node);
  }
}

std::vector<Option> Lowering::options(std::size_t count, Node** nodes) {
  std::vector<Option> out;
  for (std::size_t i = 0; i < count; ++i) {
    if (nodes[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM) continue;
    const auto& element = *nodes[i]->def_elem;
    Option option{text_or_empty(element.defname), {}, false};
    option.value = option_value(element.arg, option.has_value);
    if (option.has_value && element.arg->node_case == PG_QUERY__NODE__NODE_LIST) {
      for (const Node* item : items_of(element.arg)) {
        bool present = false;
        option.items.push_back(option_value(item, present));
      }
    }
    out.push_back(std::move(option));
  }
  return out;
}

std::string Lowering::transaction_modes(std::size_t count, Node** nodes) {
  std::string out;
  for (const Option& option : options(count, nodes)) {
    out += out.empty() ? "" : ", ";
    if (option.name == "transaction_isolation") {
      std::string level = option.value;
      for (char& c : level) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
      out += "ISOLATION LEVEL " + level;
    } else if (option.name == "transaction_read_only") {
      out += option.value == "1" ? "READ ONLY" : "READ WRITE";
    } else {
      out += option.value == "1" ? "DEFERRABLE" : "NOT DEFERRABLE";
    }
  }
  return out;
}

bool Lowering::session_detail(const Node* node, Utility& out) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_TRANSACTION_STMT: {
      const auto& statement = *node->transaction_stmt;
      Transaction detail{};
      detail.kind = static_cast<Transaction::Kind>(static_cast<int>(statement.kind) - 1);
      detail.options = transaction_modes(statement.n_options, statement.options);
      detail.name = text_or_empty(statement.savepoint_name);
      if (detail.name.empty()) detail.name = text_or_empty(statement.gid);
      detail.chain = statement.chain;
      out.detail = std::move(detail);
      return true;
    }
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
      set_variable(*node->variable_set_stmt, out);
      return true;
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
      out.detail = Show{text_or_empty(node->variable_show_stmt->name)};
      return true;
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT: {
      SetConstraints detail;
      const auto& statement = *node->constraints_set_stmt;
      detail.all = statement.n_constraints == 0;
      detail.deferred = statement.deferred;
      for (std::size_t i = 0; i < statement.n_constraints; ++i) {
        const auto& range = *statement.constraints[i]->range_var;
        Name name;
        if (!text_or_empty(range.schemaname).empty()) name.push_back(range.schemaname);
        name.push_back(text_or_empty(range.relname));
        detail.names.push_back(std::move(name));
      }
      out.relations.clear();  // these are constraints
      out.detail = std::move(detail);
      return true;
    }
    case PG_QUERY__NODE__NODE_DISCARD_STMT:
      out.detail = Discard{out.tag.substr(sizeof "DISCARD")};
      return true;
    case PG_QUERY__NODE__NODE_NOTIFY_STMT: {
      const std::string payload = text_or_empty(node->notify_stmt->payload);
      out.detail =
          Notify{text_or_empty(node->notify_stmt->conditionname), payload, !payload.empty()};
      return true;
    }
    case PG_QUERY__NODE__NODE_LISTEN_STMT:
      out.detail = Listen{text_or_empty(node->listen_stmt->conditionname)};
      return true;
    case PG_QUERY__NODE__NODE_UNLISTEN_STMT:
      out.detail = Unlisten{text_or_empty(node->unlisten_stmt->conditionname)};
      return true;
    default:
      return false;
  }
}

void Lowering::set_variable(const PgQuery__VariableSetStmt& node, Utility& out) {
  SetVariable detail{};
  detail.name = text_or_empty(node.name);
  detail.local = node.is_local;
  switch (node.kind) {
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_DEFAULT:
      detail.kind = SetVariable::Kind::to_default;
      break;
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_CURRENT:
      detail.kind = SetVariable::Kind::from_current;
      break;
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET:
      detail.kind = SetVariable::Kind::reset;
      break;
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL:
      detail.kind = SetVariable::Kind::reset_all;
      break;
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI:
      if (detail.name == "TRANSACTION SNAPSHOT") {
        detail.kind = SetVariable::Kind::transaction_snapshot;
        break;
      }
      detail.kind = detail.name == "SESSION CHARACTERISTICS"
                        ? SetVariable::Kind::session_characteristics
                        : SetVariable::Kind::transaction;
      detail.value = transaction_modes(node.n_args, node.args);
      out.detail = std::move(detail);
      return;
    default:
      detail.kind = SetVariable::Kind::value;
      break;
  }
  for (std::size_t i = 0; i < node.n_args; ++i) {
    bool present = false;
    detail.value += (i == 0 ? "" : ", ") + baked_text(node.args[i]);
    detail.items.push_back(option_value(node.args[i], present));
  }
  out.detail = std::move(detail);
}

bool Lowering::prepared_detail(const Node* node, Utility& out) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_PREPARE_STMT: {
      const auto& prepare = *node->prepare_stmt;
      Prepare detail;
      detail.name = text_or_empty(prepare.name);
      for (std::size_t i = 0; i < prepare.n_argtypes; ++i)
        detail.types.push_back(type_name(*prepare.argtypes[i]->type_name));
      detail.statement = statement(prepare.query);
      out.detail = std::move(detail);
      return true;
    }
    case PG_QUERY__NODE__NODE_EXECUTE_STMT:
      out.detail = Execute{text_or_empty(node->execute_stmt->name),
                           exprs(node->execute_stmt->n_params, node->execute_stmt->params), nullptr};
      return true;
    case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
      out.detail = Deallocate{text_or_empty(node->deallocate_stmt->name)};
      return true;
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT: {
      // The server's CURSOR_OPT_ bits.
      const int bits = node->declare_cursor_stmt->options;
      DeclareCursor detail;
      detail.name = text_or_empty(node->declare_cursor_stmt->portalname);
      detail.binary = bits & 0x1;
      detail.scroll = bits & 0x2;
      detail.no_scroll = bits & 0x4;
      detail.insensitive = bits & 0x8;
      detail.hold = bits & 0x20;
      detail.query = statement(node->declare_cursor_stmt->query);
      out.detail = std::move(detail);
      return true;
    }
    case PG_QUERY__NODE__NODE_FETCH_STMT: {
      const auto& fetch = *node->fetch_stmt;
      const auto to = static_cast<FetchRange::To>(static_cast<int>(fetch.direction) - 1);
      out.detail = Fetch{text_or_empty(fetch.portalname), {to, fetch.how_many, fetch.ismove != 0}};
      return true;
    }
    case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
      out.detail = CloseCursor{text_or_empty(node->close_portal_stmt->portalname)};
      return true;
    default:
      return false;
  }
}

Copy Lowering::copy(const PgQuery__CopyStmt& node) {
  Copy out;
  if (node.relation) out.table = table(*node.relation);
  out.columns = strings_of(node.n_attlist, node.attlist);
  if (node.query) out.query = statement(node.query);
  out.from = node.is_from;
  out.program = node.is_program;
  out.file = text_or_empty(node.filename);
  out.options = options(node.n_options, node.options);
  out.where = expr(node.where_clause);
  return out;
}

}  // namespace anabranch::rewriter
