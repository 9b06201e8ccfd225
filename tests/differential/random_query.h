#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "case_file.h"
#include "random_choices.h"

namespace anabranch::differential {

/// A generated SELECT and how its answer is to be compared.
struct RandomQuery {
  std::string sql;
  std::string unlimited;  // without its LIMIT, when it has one
  std::vector<Parameter> parameters = {};
  Rules rules;
};

/// A select list of these, which get names: c1, c2 …
template <class Output>
std::string select_list(std::vector<Output>& outputs) {
  std::string list;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    outputs[i].name = fmt::format("c{}", i + 1);
    list += fmt::format("{}{} AS {}", i == 0 ? "" : ", ", outputs[i].sql, outputs[i].name);
  }
  return list;
}

/// Makes SELECTs over a dialect's schema.sql whose answers are determined. The same choices give the same query.
class QueryGenerator {
 public:
  QueryGenerator() = default;
  QueryGenerator(const QueryGenerator&) = delete;
  QueryGenerator& operator=(const QueryGenerator&) = delete;
  virtual ~QueryGenerator() = default;

  RandomQuery next(Choices& choices) {
    choices_ = &choices;
    return make();
  }

 protected:
  int below(int bound) { return choices_->below(bound); }
  bool chance(int percent) { return below(100) >= 100 - percent; }
  template <typename T>
  const T& one_of(const std::vector<T>& from) {
    return from[static_cast<std::size_t>(below(static_cast<int>(from.size())))];
  }

 private:
  virtual RandomQuery make() = 0;

  Choices* choices_ = nullptr;
};

}  // namespace anabranch::differential
