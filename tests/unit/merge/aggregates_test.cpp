#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

#include "merge_test.h"

using namespace anabranch;
using namespace anabranch::merge;
using namespace anabranch::merge::test;

namespace {

struct Recorded {
  std::string kind;
  std::string result;
  std::vector<std::string> inputs;
  std::string collation;
  std::vector<std::vector<std::string>> rows;
  std::string final;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::vector<Recorded> read_recorded() {
  std::ifstream file(ANABRANCH_SOURCE_DIR "/tests/unit/merge/aggregates.txt");
  std::vector<Recorded> cases;
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t space = line.find(' ');
    const std::string word = line.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
    if (word == "case") {
      const auto fields = split(rest, ' ');
      cases.push_back({fields.at(0), fields.at(1), split(fields.at(2), ','), fields.at(3), {}, {}});
    } else if (word == "row") {
      cases.back().rows.push_back(split(rest, '|'));
    } else {
      cases.back().final = rest;
    }
  }
  return cases;
}

AggregateKind kind_named(const std::string& name) {
  using enum AggregateKind;
  static const std::map<std::string, AggregateKind> kinds = {{"count", count},
                                                             {"sum", sum},
                                                             {"min", min},
                                                             {"max", max},
                                                             {"bool_and", bool_and},
                                                             {"bool_or", bool_or},
                                                             {"bit_and", bit_and},
                                                             {"bit_or", bit_or},
                                                             {"bit_xor", bit_xor},
                                                             {"avg", avg},
                                                             {"var_pop", var_pop},
                                                             {"var_samp", var_samp},
                                                             {"stddev_pop", stddev_pop},
                                                             {"stddev_samp", stddev_samp},
                                                             {"covar_pop", covar_pop},
                                                             {"covar_samp", covar_samp},
                                                             {"corr", corr},
                                                             {"regr_avgx", regr_avgx},
                                                             {"regr_avgy", regr_avgy},
                                                             {"regr_count", regr_count},
                                                             {"regr_intercept", regr_intercept},
                                                             {"regr_r2", regr_r2},
                                                             {"regr_slope", regr_slope},
                                                             {"regr_sxx", regr_sxx},
                                                             {"regr_sxy", regr_sxy},
                                                             {"regr_syy", regr_syy},
                                                             {"count_distinct", count_distinct},
                                                             {"sum_distinct", sum_distinct},
                                                             {"avg_distinct", avg_distinct}};
  return kinds.at(name);
}

values::ColumnType type_named(const std::string& name) {
  const values::TypeInfo* info = values::find_type_by_name(name);
  REQUIRE(info != nullptr);
  return type(info->oid);
}

std::string unhex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 2; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

std::optional<std::string> wire(const std::string& text, const InputColumn& column) {
  if (text == "\\N") return std::nullopt;
  if (text.starts_with("\\x")) return unhex(text);
  return to_wire(text, column);
}

Recipe recipe_of(const Recorded& recorded) {
  Recipe recipe;
  HashAggregate step;
  Aggregate aggregate{.kind = kind_named(recorded.kind), .type = type_named(recorded.result)};
  if (recorded.collation == "en")
    aggregate.collation = values::Collation::icu("en", values::icu_collator_version("en"));
  for (const std::string& name : recorded.inputs) {
    aggregate.inputs.push_back(static_cast<int>(recipe.inputs.size()));
    recipe.inputs.push_back(binary_column(type_named(name).oid));
  }
  step.aggregates.push_back(aggregate);
  recipe.steps.emplace_back(step);
  recipe.outputs = {{0, aggregate.type}};
  return recipe;
}

/// Each recorded row is a shard's partial (of DISTINCT aggregates: one of its values).
std::optional<std::string> merge_recorded(const Recorded& recorded, const Recipe& recipe) {
  MemoryBudget budget(1 << 20);
  Binding binding = text_binding(recipe);
  if (recorded.result == "date") binding.output_formats[0] = values::Format::binary;
  Merger merger(recipe, binding, 1, budget);
  for (const auto& row : recorded.rows) {
    Batch batch;
    RowWriter writer(batch, static_cast<int>(recipe.inputs.size()));
    for (std::size_t i = 0; i < recipe.inputs.size(); ++i) {
      const auto field = wire(row.at(i), recipe.inputs[i]);
      writer.add(field ? std::optional<std::string_view>(*field) : std::nullopt);
    }
    writer.finish();
    merger.consume(0, std::move(batch));
  }
  merger.finish(0);
  Batch out;
  TextRows answer;
  while (merger.next(out).kind == Merger::Status::Kind::rows) append_rows(out, answer);
  REQUIRE(answer.size() == 1);
  return answer[0][0];
}

/// Sums of floats may differ by what another order of the rows makes of them.
bool is_close(const std::string& left, const std::string& right, double relative) {
  if (left == right) return true;
  const double a = std::strtod(left.c_str(), nullptr);
  const double b = std::strtod(right.c_str(), nullptr);
  if (!std::isfinite(a) || !std::isfinite(b)) return false;
  return std::abs(a - b) <= relative * std::max(std::abs(a), std::abs(b));
}

bool is_spread(const std::string& kind) {
  return kind.starts_with("var_") || kind.starts_with("stddev_");
}

/// How much larger the values of the partials are than their spread, at most. A variance loses that
/// many times the rounding of one sum when parts are put together (Chan, Golub, LeVeque 1983), here
/// as in the server's own parallel query.
double condition(const Recorded& recorded) {
  double worst = 1;
  for (const auto& row : recorded.rows) {
    const double count = std::strtod(row.at(0).c_str(), nullptr);
    const double sum = std::strtod(row.at(1).c_str(), nullptr);
    const double sxx = std::strtod(row.at(2).c_str(), nullptr);
    if (sxx > 0 && std::isfinite(sum))
      worst = std::max(worst, std::abs(sum) / std::sqrt(count * sxx));
  }
  return worst;
}

double tolerance(const Recorded& recorded) {
  if (recorded.result == "float4") return 1e-5;
  if (recorded.result != "float8") return 0;
  if (!is_spread(recorded.kind)) return 1e-12;
  return std::max(1e-12, 4 * std::numeric_limits<double>::epsilon() * condition(recorded));
}

}  // namespace

TEST_CASE("every aggregate over partials is what one server says of all rows") {
  const auto cases = read_recorded();
  REQUIRE(cases.size() > 900);
  for (const Recorded& recorded : cases) {
    CAPTURE(recorded.kind);
    CAPTURE(recorded.result);
    CAPTURE(recorded.final);
    CAPTURE(recorded.rows);
    const Recipe recipe = recipe_of(recorded);
    const auto merged = merge_recorded(recorded, recipe);
    std::string expected = recorded.final;
    if (expected.starts_with("\\x")) expected = unhex(expected);
    CHECK(merged.has_value() == (recorded.final != "\\N"));
    if (!merged || recorded.final == "\\N") continue;
    CAPTURE(*merged);
    CHECK(is_close(*merged, expected, tolerance(recorded)));
  }
}
