#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "values/arith.h"
#include "values/collation.h"
#include "values/type.h"

/// How partials become the answer: plain data, made by rewriter/, carried out by Merger. A recipe
/// is part of an immutable plan and shared by every execution; what differs between executions
/// (result formats, values of literals and parameters) comes in a Binding.
namespace anabranch::merge {

/// A column of every partial. `output >= 0`: requested in the client's format of that output
/// column (passed on undecoded). `output < 0`: requested in `format`.
struct InputColumn {
  values::ColumnType type{};
  int output = -1;
  values::Format format = values::Format::binary;
};

/// After-merge expression over the columns of the current row. Types were resolved by the planner
/// by the server's own rules; the evaluator does exactly what the server's operator would do, with
/// the server's own errors.
struct Expression {
  enum class Op {
    column,    ///< `index`: column of the current row
    constant,  ///< `value`
    slot,      ///< `index`: a value of the Binding (parameter or literal), of type `type`
    add,
    subtract,
    multiply,
    divide,
    modulo,
    quotient,  ///< MySQL's `/`: by zero NULL; of numerics to `index` digits more than the operands have
    negate,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,  ///< args of one comparison type
    is_distinct,
    is_not_distinct,
    logical_and,
    logical_or,
    logical_not,
    is_null,
    is_not_null,
    is_true,
    is_not_true,
    is_false,
    is_not_false,
    case_when,  ///< args: condition, result, condition, result, …, [else]
    coalesce,
    null_if,
    greatest,
    least,
    cast,  ///< one argument to `type`; only the casts the evaluator lists as exact
    round,
    trunc,
    abs,
    ceil,
    floor,
    sign,        ///< round/trunc: numeric, optional int4 scale
    concat_text  ///< text || text
  };
  Op op = Op::constant;
  values::ColumnType type{};      ///< of the result
  values::Collation collation{};  ///< of comparisons of text
  int index = -1;
  values::Datum value{};
  std::vector<Expression> args{};
};

struct SortKey {
  int column = 0;
  bool descending = false;
  bool nulls_first = false;
  values::Collation collation{};
};

/// One aggregate of HashAggregate. The inputs each kind takes, as the subqueries deliver them:
///   count                 [count int8]                      → int8
///   sum                   [partial sum], NULL when empty    → the input's type, server's overflow
///   min max               [itself] or [itself in binary, what is passed on]
///   bool_and bool_or bit_and bit_or bit_xor          [itself]
///   avg                   [sum, count int8]                 → numeric | float8 | interval
///   var_* stddev_*        numeric: [n int8, Σx numeric, Σx² numeric];
///                         float8: [n, Σx, Sxx] with Sxx centred, as regr_sxx gives it
///   covar_* corr regr_*   [n, Σx, Σy, Sxx, Syy, Sxy] float8, Y is the first argument
///   count_distinct sum_distinct avg_distinct bit_xor_distinct  [x]: the set of x over all partials
///   any                   [value]: of any row (a value that is the same in the whole group)
/// Results are binary, save those of min, max and any, which pass on a value as it came.
enum class AggregateKind {
  count,
  sum,
  min,
  max,
  bool_and,
  bool_or,
  bit_and,
  bit_or,
  bit_xor,
  avg,
  var_pop,
  var_samp,
  stddev_pop,
  stddev_samp,
  covar_pop,
  covar_samp,
  corr,
  regr_avgx,
  regr_avgy,
  regr_count,
  regr_intercept,
  regr_r2,
  regr_slope,
  regr_sxx,
  regr_sxy,
  regr_syy,
  count_distinct,
  sum_distinct,
  avg_distinct,
  bit_xor_distinct,
  any
};

struct Aggregate {
  AggregateKind kind = AggregateKind::count;
  std::vector<int> inputs{};      ///< columns of the row that enters the step
  values::ColumnType type{};      ///< of the result
  values::Collation collation{};  ///< min, max
  /// With a discriminator: only rows whose discriminator equals this feed it.
  int grouping = 0;
};

/// Where rows of the partials meet: in any order, or merged by keys (each partial comes sorted).
struct Concat {};
struct OrderedMerge {
  std::vector<SortKey> keys;
};

/// Re-aggregates groups. Output row: the group columns in order (the wire value of any row of the
/// group), then one column per aggregate (binary; min, max and any: as it came). Without group
/// columns there is exactly one row, also for no input. Equality is the type's own (canonical
/// keys).
struct HashAggregate {
  /// `key` is compared; `carry` (mostly the same column) is what is passed on: a column whose text
  /// depends on settings is compared through a hidden binary twin.
  struct GroupColumn {
    int key = 0;
    int carry = 0;
  };
  std::vector<GroupColumn> groups{};
  std::vector<Aggregate> aggregates{};
  /// An int4 column that says which grouping a row belongs to (several DISTINCT aggregates arrive
  /// as grouping sets); -1: none. Group columns are the same in all groupings.
  int discriminator = -1;
};
/// Keeps rows whose condition is true (HAVING).
struct Filter {
  Expression condition;
};
/// Appends computed columns (binary) to each row.
struct Compute {
  std::vector<Expression> expressions;
};
/// Sorts everything that comes (after an aggregation); memory is budgeted.
struct Sort {
  std::vector<SortKey> keys{};
  /// A slot of the Binding with an upper bound of the rows needed (LIMIT + OFFSET); -1: none.
  int bound_slot = -1;
  bool with_ties = false;
};
/// Keeps one row of each set equal in `columns`.
struct Distinct {
  std::vector<int> columns;
};
/// Slots hold int8 values; NULL or -1: absent. with_ties compares `tie_keys` of the sorted input.
struct Limit {
  int count_slot = -1;
  int offset_slot = -1;
  bool with_ties = false;
  std::vector<SortKey> tie_keys{};
};

using Step = std::variant<HashAggregate, Filter, Compute, Sort, Distinct, Limit>;

/// One column of the answer: a column of the last step's row, encoded in the client's format.
struct OutputColumn {
  int column = 0;
  values::ColumnType type{};
};

struct Recipe {
  std::vector<InputColumn> inputs{};
  std::variant<Concat, OrderedMerge> source;
  std::vector<Step> steps;
  std::vector<OutputColumn> outputs;

  /// The rows of the partials are the rows of the answer, in any order, columns as they are: a
  /// session may send them on without a Merger.
  bool passes_through() const;
  /// One line a step, for EXPLAIN and the golden plans. Columns count from c1. `streams`: how many
  /// partials there are, if that is known.
  std::vector<std::string> describe(std::size_t streams = 0) const;
};

/// As it would be written in SQL, with columns c1, c2, … and the binding's values $1, $2, ….
std::string describe(const Expression& expression);

struct Binding {
  std::vector<values::Format> output_formats{};  ///< one per output column
  std::vector<values::Datum> slots{};
  int extra_float_digits = 1;  ///< of the session: how floats are printed as text
  bool interval_style_postgres = true;  ///< of the session: else computed intervals are refused
};

}  // namespace anabranch::merge
