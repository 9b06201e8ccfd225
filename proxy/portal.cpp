#include "proxy/portal.h"

namespace anabranch::proxy {

void fill_execution(Portal& portal, Execution& execution) {
  Statement& statement = *portal.statement;
  const rewriter::Description& description = *statement.plan->description;
  execution.statement = &statement;
  execution.plan = statement.plan;
  execution.simple = false;
  execution.bound = true;
  execution.portal = &portal.state;
  execution.parameter_formats = portal.bind.parameter_formats;
  execution.parameters = portal.bind.parameters;
  execution.result_formats = portal.bind.result_formats;
  type_values(portal.bind.parameters, portal.bind.parameter_formats, description.parameters, portal.values);
  execution.values = portal.values;
}

}  // namespace anabranch::proxy
