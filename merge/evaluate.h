#pragma once

#include <cstddef>
#include <vector>

#include "merge/recipe.h"
#include "merge/row_block.h"

namespace anabranch::merge {

/// Whether the evaluator gives exactly what the server would, for the types of all its operands.
/// The planner asks before it puts an expression into a recipe; what is refused needs a database.
bool can_evaluate(const Expression& expression);

/// The cast of a value as the server does it, type modifier of numeric included. For the casts that
/// can_evaluate() allows; throws the server's errors (22003 …).
values::Datum cast_datum(const values::Datum& value, const values::ColumnType& to);
bool can_cast_datum(values::Oid from, const values::ColumnType& to);

/// Computes an expression over rows. AND, OR, CASE and COALESCE leave alone what they need not
/// know, so that a division by zero in a branch not taken does not fail. The expression and the
/// slots must outlive the evaluator.
class Evaluator {
 public:
  /// Throws SqlError `internal` for what can_evaluate() refuses, and for columns or slots that are
  /// not there.
  Evaluator(const Expression& expression, const Shape& shape,
            const std::vector<values::Datum>& slots);

  /// Of the type that the expression says. Throws the server's errors.
  values::Datum evaluate(const RowBlock& block, std::size_t row) const;

 private:
  const Expression* expression_;
  Shape shape_;
  const std::vector<values::Datum>* slots_;
};

}  // namespace anabranch::merge
