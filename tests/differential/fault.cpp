#include "fault.h"

namespace anabranch::differential {

Rules total_order() {
  Rules rules;
  rules.total_order = true;
  return rules;
}

Rules ordered_by(std::vector<std::size_t> columns) {
  Rules rules;
  rules.order_columns = std::move(columns);
  return rules;
}

Rules floats(std::vector<std::string> columns) {
  Rules rules;
  rules.float_columns = std::move(columns);
  return rules;
}

Rules spelling(std::vector<std::string> columns) {
  Rules rules;
  rules.spelling_columns = std::move(columns);
  return rules;
}

Fault asked_wrongly(std::string name, std::string sql, std::string faulty, Rules rules) {
  return {.name = std::move(name), .sql = std::move(sql), .rules = std::move(rules), .plant = {}, .faulty = {std::move(faulty)}};
}

}  // namespace anabranch::differential
