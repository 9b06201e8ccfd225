#include "rewriter/calls.h"

#include "rewriter/lower.h"
#include "rewriter/parsed_tree.h"
#include "values/ascii.h"

namespace anabranch::rewriter {
namespace {

void collect(const ProtobufCMessage* message, std::vector<Called>& out) {
  if (message->descriptor == &pg_query__func_call__descriptor) {
    const auto* call = reinterpret_cast<const PgQuery__FuncCall*>(message);
    const auto name = strings_of(call->n_funcname, call->funcname);
    if (!name.empty()) out.push_back({name.size() > 1 ? name[name.size() - 2] : "", name.back()});
  }
  for_each_message(message, [&](const ProtobufCMessage* child) { collect(child, out); });
}

const PgQuery__AConst* constant(const PgQuery__Node* node) {
  while (node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) node = node->type_cast->arg;
  return node->node_case == PG_QUERY__NODE__NODE_A_CONST ? node->a_const : nullptr;
}

void note_setting(const PgQuery__FuncCall& call, NamedSettings& out) {
  if (call.n_args < 2) return;
  const PgQuery__AConst* local = call.n_args > 2 ? constant(call.args[2]) : nullptr;
  if (local && local->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL && local->boolval->boolval) return;
  const PgQuery__AConst* name = constant(call.args[0]);
  if (!name || name->val_case != PG_QUERY__A__CONST__VAL_SVAL) {
    out.complete = false;
    return;
  }
  out.names.push_back(values::lower_case(text_or_empty(name->sval->sval)));
}

void collect_settings(const ProtobufCMessage* message, NamedSettings& out) {
  if (message->descriptor == &pg_query__func_call__descriptor) {
    const auto* call = reinterpret_cast<const PgQuery__FuncCall*>(message);
    const auto name = strings_of(call->n_funcname, call->funcname);
    if (!name.empty() && name.back() == "set_config") note_setting(*call, out);
  }
  for_each_message(message, [&](const ProtobufCMessage* child) { collect_settings(child, out); });
}

}  // namespace

NamedSettings settings_set_by_calls(std::string_view text, bool standard_conforming_strings) {
  NamedSettings named;
  const ParsedBytes bytes(std::string(text), standard_conforming_strings);
  const auto tree = bytes.error() ? nullptr : bytes.unpack();
  if (tree) collect_settings(&tree->base, named);
  return named;
}

std::vector<Called> called_functions(std::string_view text, bool standard_conforming_strings) {
  std::vector<Called> called;
  const ParsedBytes bytes(std::string(text), standard_conforming_strings);
  if (bytes.error()) return called;
  const auto tree = bytes.unpack();
  if (tree) collect(&tree->base, called);
  return called;
}

}  // namespace anabranch::rewriter
