#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rewriter/query.h"

/// What names mean at one place of a statement: PostgreSQL's rules of visibility.
namespace anabranch::rewriter {

struct NamedColumn {
  std::string name;
  Ident ident;
};

/// What a FROM item shows to its surroundings: relations by name, and columns by bare name in the
/// order of `*`.
struct Names {
  struct Relation {
    std::string name;
    std::string schema;  ///< of a table without an alias: `s.t.c` may name it
    int instance = -1;   ///< -1: a join's alias
    std::vector<NamedColumn> columns;
  };
  std::vector<Relation> relations;
  std::vector<NamedColumn> columns;

  void append(const Names& other);
  /// A join's side, but for the columns that both sides have in common.
  void append_rest(const Names& side, const std::vector<std::string>& common);
  /// A join with an alias shows that name only.
  void hide_behind(const tree::Alias& alias);
};

/// The columns that NATURAL JOIN pairs.
std::vector<std::string> natural_columns(const Names& left, const Names& right);

struct Scope {
  const Names* names = nullptr;
  const Scope* outer = nullptr;
  Block* block = nullptr;
};

struct Lookup {
  enum class Answer { found, missing, ambiguous } answer = Answer::missing;
  Ident ident;
  int levels_up = 0;
};

/// A bare or qualified name (without a star). `local`: this scope only.
Lookup look_up(const Query& query, const Scope& scope, const tree::Name& name, bool local = false);
/// The relation that `t.*` or `s.t.*` names; null if there is none.
const Names::Relation* look_up_relation(const Scope& scope, const tree::Name& name);

}  // namespace anabranch::rewriter
