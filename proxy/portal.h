#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/pg/messages.h"
#include "proxy/prepared.h"
#include "proxy/statement.h"

namespace anabranch::proxy {

/// A portal: a statement with values, made by Bind, run by Execute.
struct Portal {
  std::shared_ptr<Statement> statement;
  std::string payload;  ///< of Bind: what `bind` views
  net::pg::Bind bind;
  std::vector<rewriter::BoundValue> values;  ///< the parameters, typed: views into `payload`
  PortalState state;
  std::unique_ptr<PreparedCall> call;  ///< of EXECUTE, from its first Execute on
  bool executed = false;               ///< to its end
};

}  // namespace anabranch::proxy
