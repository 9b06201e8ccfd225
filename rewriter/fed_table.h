#pragma once

#include "rewriter/planning.h"

/// CREATE TABLE AS and SELECT … INTO of rows that are not on the default shard, which makes the table. Internal to
/// rewriter/.
namespace anabranch::rewriter {

struct MadeTable {
  std::string definition;  ///< of the empty table, a statement
  std::string name;        ///< as SQL
  bool temporary = false;
};

Outcome plan_made_table(Planning& planning, const tree::Statement& query, MadeTable made);
/// The name by which rows go there. Refused where it would be that of another table: a temporary one hides it.
std::string made_name(const Planning& planning, const tree::Name& name, bool temporary);

}  // namespace anabranch::rewriter
