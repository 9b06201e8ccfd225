#pragma once

#include <string>
#include <vector>

#include "merge/batch.h"
#include "proxy/mysql/row_output.h"
#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// SELECT … INTO @x of rows that several shards have given: a server is told the row as literals, sets the variables
/// and says what there is to say of no row, or of several.
class IntoVariables {
 public:
  IntoVariables(State& state, const Request& request)
      : state_(state), request_(request), plan_(*request.plan->plan), output_(state, plan_, false) {}

  /// Describe it as one does an answer.
  RowOutput& output() { return output_; }
  void keep(const merge::Batch& rows);
  /// Passes the server's word on.
  net::Task<void> finish();

 private:
  State& state_;
  const Request& request_;
  const rewriter::Plan& plan_;
  RowOutput output_;
  std::size_t count_ = 0;
  std::string first_;  ///< the first row's values, as a select list
};

}  // namespace anabranch::proxy::mysql
