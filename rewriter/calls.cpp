#include "rewriter/calls.h"

#include "rewriter/lower.h"
#include "rewriter/parsed_tree.h"

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

}  // namespace

std::vector<Called> called_functions(std::string_view text, bool standard_conforming_strings) {
  std::vector<Called> called;
  const ParsedBytes bytes(std::string(text), standard_conforming_strings);
  if (bytes.error()) return called;
  const auto tree = bytes.unpack();
  if (tree) collect(&tree->base, called);
  return called;
}

}  // namespace anabranch::rewriter
