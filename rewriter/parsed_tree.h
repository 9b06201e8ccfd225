#pragma once

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include <cstdint>
#include <memory>
#include <string>

// libpg_query's own setting of the lexer, one a thread; the build keeps it visible under this name.
extern "C" __thread bool pg_query_standard_conforming_strings;

/// libpg_query's answer to a text, and a way through its messages. Internal to rewriter/.
namespace anabranch::rewriter {

struct FreeTree {
  void operator()(PgQuery__ParseResult* tree) const {
    pg_query__parse_result__free_unpacked(tree, nullptr);
  }
};

class ParsedBytes {
 public:
  ParsedBytes(const std::string& text, bool standard_strings) {
    pg_query_standard_conforming_strings = standard_strings;
    result_ = pg_query_parse_protobuf(text.c_str());
    pg_query_standard_conforming_strings = true;
  }
  ~ParsedBytes() { pg_query_free_protobuf_parse_result(result_); }
  ParsedBytes(const ParsedBytes&) = delete;
  ParsedBytes& operator=(const ParsedBytes&) = delete;

  const PgQueryError* error() const { return result_.error; }
  std::unique_ptr<PgQuery__ParseResult, FreeTree> unpack() const {
    return std::unique_ptr<PgQuery__ParseResult, FreeTree>(pg_query__parse_result__unpack(
        nullptr, result_.parse_tree.len,
        reinterpret_cast<const std::uint8_t*>(result_.parse_tree.data)));
  }

 private:
  PgQueryProtobufParseResult result_;
};

/// Calls visit for every message that stands directly in this one.
template <class Visit>
void for_each_message(const ProtobufCMessage* message, Visit visit) {
  const ProtobufCMessageDescriptor* descriptor = message->descriptor;
  const char* base = reinterpret_cast<const char*>(message);
  for (unsigned i = 0; i < descriptor->n_fields; ++i) {
    const ProtobufCFieldDescriptor& field = descriptor->fields[i];
    if (field.type != PROTOBUF_C_TYPE_MESSAGE) continue;
    if (field.label == PROTOBUF_C_LABEL_REPEATED) {
      const auto count = *reinterpret_cast<const std::size_t*>(base + field.quantifier_offset);
      const auto* list = *reinterpret_cast<ProtobufCMessage* const* const*>(base + field.offset);
      for (std::size_t k = 0; k < count; ++k) visit(list[k]);
      continue;
    }
    const bool one_of = field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
    if (one_of &&
        *reinterpret_cast<const std::uint32_t*>(base + field.quantifier_offset) != field.id)
      continue;
    if (const auto* child = *reinterpret_cast<const ProtobufCMessage* const*>(base + field.offset))
      visit(child);
  }
}

}  // namespace anabranch::rewriter
