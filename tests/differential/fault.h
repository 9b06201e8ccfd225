#pragma once

#include <functional>
#include <string>
#include <vector>

#include "answer.h"
#include "case_file.h"

namespace anabranch::differential {

/// A statement whose answer is changed on its way; the change must be found, or must not be.
struct Fault {
  std::string name;
  std::string sql;
  Rules rules;
  std::function<void(Answer&)> plant;
  bool must_be_found = true;
  std::string unlimited = {};
  /// What a sharder with this fault would have asked: instead of planting.
  std::vector<std::string> faulty = {};
};

/// Other rows under the same columns.
Fault asked_wrongly(std::string name, std::string sql, std::string faulty, Rules rules = {});

inline Result& only(Answer& answer) { return answer.results.at(0); }
Rules total_order();
Rules ordered_by(std::vector<std::size_t> columns);
Rules floats(std::vector<std::string> columns);
Rules spelling(std::vector<std::string> columns);

}  // namespace anabranch::differential
