#pragma once

#include <vector>

#include "merge/operator.h"
#include "merge/recipe.h"
#include "merge/row_block.h"

namespace anabranch::merge {

/// The last step: the columns of the answer, in the client's formats. What is there already in that
/// format is passed on; the rest is printed anew.
class ProjectOperator final : public StreamingOperator {
 public:
  /// Throws SqlError 0A000 for a type that we cannot print in the format asked for.
  ProjectOperator(const Recipe& recipe, const Shape& shape, const Binding& binding);

 private:
  void transform(Batch& in, Batch& out) override;

  struct Part {
    std::size_t column;
    values::Oid type;
    values::Format from;
    values::Format to;
  };
  std::vector<Part> parts_;
  values::PrintSettings settings_;
  bool unchanged_ = true;
  RowBlock block_;
};

}  // namespace anabranch::merge
