#include <algorithm>

#include "rewriter/after_merge.h"
#include "rewriter/aggregates.h"
#include "rewriter/scatter.h"

/// Scatter of groups: each shard's states of the aggregates, merged by the group's columns; HAVING,
/// expressions, order and limit come after.
namespace anabranch::rewriter {
namespace {

using merge::AggregateKind;
namespace oid = values::oid;

/// Placeholder columns of merged rows until the number of group columns is known.
constexpr int kAggregateBase = 1'000'000;
constexpr int kComputedBase = 2'000'000;

class GroupScatter {
 public:
  explicit GroupScatter(Scatter& scatter)
      : scatter_(scatter), planning_(scatter.planning), select_(scatter.select) {}

  Outcome plan() {
    if (!planning_.traits.random.empty()) {
      refuse_clause(planning_.traits.random + "() beside aggregates",
                    "its value is drawn before or after grouping",
                    "Compute it in the application.");
    }
    collect();
    const std::size_t probes = row_exprs_.empty() ? 1 : 2;
    if (!probed(planning_, probes)) return ask_with(planning_, make_probes());
    read_types();
    choose_distinct_sets();
    for (int i = 0; i < width(); ++i) add_output(i);
    add_steps();
    tree::SelectPtr subquery = make_subquery();
    return finish_scatter(scatter_, std::move(subquery), make_recipe(), reason());
  }

 private:
  struct Group {
    const tree::Expr* expr = nullptr;
    int row = -1;       ///< index in row_exprs_
    int base = -1;      ///< input column that is compared
    int internal = -1;  ///< entry of groups_ whose value can be compared
    bool base_passed = false;
  };
  struct Aggregate {
    AggregateCall call;
    std::vector<int> rows;  ///< its arguments in row_exprs_
    int distinct_set = -1;
    int internal = -1;  ///< in aggregates_
  };
  /// Constant in a group, computed by the shards: any row's will do.
  struct Constant {
    const tree::Expr* expr = nullptr;
    int row = -1;
    int internal = -1;
  };
  struct Input {
    tree::ExprPtr expr;
    values::ColumnType type;
    int output = -1;
    bool grouped = false;
  };

  int width() const { return static_cast<int>(planning_.plan->result->size()); }
  const ResultColumn& result(int i) const {
    return (*planning_.plan->result)[static_cast<std::size_t>(i)];
  }

  // ------------------------------------------------------------------------ what there is to
  // compute

  void collect() {
    const auto items = group_items(scatter_.block, planning_.pins);
    if (!items) {
      const bool empty = std::ranges::all_of(select_.group_by, [](const tree::GroupItem& item) {
        return item.kind == tree::GroupItem::Kind::empty;
      });
      if (!empty) {
        refuse_clause("GROUPING SETS, ROLLUP and CUBE", "its sets are merged one by one",
                      "Write one query for each set, joined by UNION ALL.");
      }
    } else {
      for (const Meaning& item : *items) add_group(item);
    }
    if (!scatter_.block.outputs_known) {
      refuse_clause("SELECT *", "its columns are not known", "Write the columns out.");
    }
    for (const OutputColumn& output : scatter_.block.outputs) {
      if (output.expr == nullptr) {
        refuse_clause("SELECT * with GROUP BY", "its columns are not all grouped",
                      "Write the columns out.");
      }
      collect(*output.expr);
    }
    if (select_.having) {
      for (const tree::Expr* part : tree::conjuncts(select_.having.get())) collect(*part);
    }
    for (const tree::SortKey& key : select_.order_by) {
      const Meaning meaning = meaning_of(scatter_.block, *key.expr, planning_.pins);
      if (meaning.expr != nullptr) collect(*meaning.expr);
    }
    if (!select_.distinct_on.empty()) {
      refuse_clause("DISTINCT ON with aggregates", "its rows are complete only after merging",
                    "Use GROUP BY.");
    }
  }

  void add_group(const Meaning& item) {
    const tree::Expr* expr = item.expr;
    if (expr == nullptr) {
      refuse_clause("GROUP BY", "it names a column of a star", "Write the columns out.");
    }
    if (find_group(*expr) >= 0) return;
    groups_of_.push_back({expr, add_row(*expr), -1, -1, false});
  }

  int add_row(const tree::Expr& expr) {
    for (std::size_t i = 0; i < row_exprs_.size(); ++i) {
      if (tree::equal(*row_exprs_[i], expr)) return static_cast<int>(i);
    }
    row_exprs_.push_back(&expr);
    return static_cast<int>(row_exprs_.size()) - 1;
  }

  int find_group(const tree::Expr& expr) const {
    for (std::size_t i = 0; i < groups_of_.size(); ++i) {
      const Ident ident = ident_of(expr);
      const bool same_column = ident.known() && ident == ident_of(*groups_of_[i].expr);
      if (same_column || tree::equal(*groups_of_[i].expr, expr)) return static_cast<int>(i);
    }
    return -1;
  }

  int find_aggregate_call(const tree::Expr& expr) const {
    for (std::size_t i = 0; i < aggregate_exprs_.size(); ++i) {
      if (tree::equal(*aggregate_exprs_[i], expr)) return static_cast<int>(i);
    }
    return -1;
  }

  bool is_aggregate(const tree::Expr& expr) const {
    const auto* call = expr.as<tree::FunctionCall>();
    if (call == nullptr || call->windowed()) return false;
    return call->star || call->within_group ||
           classify(*call, planning_.functions).kind == FunctionKind::aggregate;
  }

  void collect(const tree::Expr& expr) {
    if (find_group(expr) >= 0) return;
    if (is_aggregate(expr)) {
      add_aggregate(expr);
      return;
    }
    if (expr.as<tree::Grouping>() != nullptr) {
      refuse_clause("GROUPING()", "its sets are merged one by one", "Leave it out.");
    }
    if (!contains_aggregate(expr, planning_.functions)) {
      add_constant(expr);
      return;
    }
    tree::for_each_subquery(expr, [&](const tree::Select&) {
      refuse_clause("a subquery over aggregates", "the groups are complete only after merging",
                    "Run it as a statement of its own.");
    });
    tree::for_each_child(expr, [&](const tree::Expr& child) { collect(child); });
  }

  void add_aggregate(const tree::Expr& expr) {
    if (find_aggregate_call(expr) >= 0) return;
    const auto& call = *expr.as<tree::FunctionCall>();
    const bool key_inside = call.distinct && call.args.size() == 1 &&
                            Analysis::completes(scatter_.rows, {ident_of(*call.args.front())});
    Aggregate made;
    made.call = read_aggregate(planning_, call, key_inside);
    for (const tree::ExprPtr& arg : call.args) {
      if (contains_aggregate(*arg, planning_.functions)) {
        refuse_clause("nested aggregates", "they are not one aggregate", "Use a subquery.");
      }
      made.rows.push_back(add_row(*arg));
    }
    aggregate_exprs_.push_back(&expr);
    aggregates_of_.push_back(std::move(made));
  }

  /// A literal alone needs no shard, but one that stands in the targets is sent with the rows.
  void add_constant(const tree::Expr& expr) {
    tree::walk(expr, [&](const tree::Expr& at) {
      const auto* call = at.as<tree::FunctionCall>();
      if (call != nullptr && classify(*call, planning_.functions).returns_set) {
        refuse_clause("the set-returning function " + call->name.back() + " beside aggregates",
                      "it makes several rows of each group",
                      "Call it in a statement of its own, or in FROM of a query around this one.");
      }
      return true;
    });
    for (const Constant& known : constants_) {
      if (tree::equal(*known.expr, expr)) return;
    }
    constants_.push_back({&expr, add_row(expr), -1});
  }

  const Constant* find_constant(const tree::Expr& expr) const {
    for (const Constant& known : constants_) {
      if (tree::equal(*known.expr, expr)) return &known;
    }
    return nullptr;
  }

  // --------------------------------------------------------------------------------------- its
  // types

  tree::SelectPtr rows_only() const {
    tree::SelectPtr probe = tree::clone(select_);
    probe->targets.clear();
    probe->group_by.clear();
    probe->having = nullptr;
    probe->order_by.clear();
    probe->windows.clear();
    probe->limit = nullptr;
    probe->offset = nullptr;
    probe->with_ties = false;
    probe->distinct = false;
    return probe;
  }

  std::vector<tree::SelectPtr> make_probes() const {
    std::vector<tree::SelectPtr> probes;
    tree::SelectPtr calls = rows_only();
    for (const tree::Expr* expr : aggregate_exprs_) {
      calls->targets.push_back(tree::make::target(tree::clone(*expr)));
    }
    if (aggregate_exprs_.empty())
      calls->targets.push_back(tree::make::target(tree::make::count_star()));
    probes.push_back(std::move(calls));
    if (row_exprs_.empty()) return probes;
    tree::SelectPtr rows = rows_only();
    for (const tree::Expr* expr : row_exprs_) {
      rows->targets.push_back(tree::make::target(tree::clone(*expr)));
    }
    probes.push_back(std::move(rows));
    return probes;
  }

  void read_types() {
    const auto read = [&](std::size_t probe, std::size_t count) {
      const auto& columns = planning_.request->descriptions[probe].columns;
      if (!columns || columns->size() < count) {
        refuse(values::make_error(values::ErrorId::description_changed, "an aggregate"));
      }
      std::vector<values::ColumnType> types;
      for (const ResultColumn& column : *columns) types.push_back(column_type(planning_, column));
      return types;
    };
    aggregate_types_ = read(1, aggregate_exprs_.size());
    if (!row_exprs_.empty()) row_types_ = read(2, row_exprs_.size());
  }

  const values::ColumnType& row_type(int row) const {
    return row_types_[static_cast<std::size_t>(row)];
  }

  // ---------------------------------------------------------------------------------- DISTINCT
  // sets

  /// `x` with its FILTER: one set of values.
  struct DistinctSet {
    const tree::Expr* arg = nullptr;
    const tree::Expr* filter = nullptr;
    int row = -1;
    int input = -1;
  };

  void choose_distinct_sets() {
    for (Aggregate& aggregate : aggregates_of_) {
      if (!aggregate.call.distinct) continue;
      const tree::FunctionCall& call = *aggregate.call.call;
      aggregate.distinct_set =
          find_set(*call.args.front(), call.filter.get(), aggregate.rows.front());
    }
    derived_ = sets_.size() > 1 || (sets_.size() == 1 && !splits_by_set());
    for (DistinctSet& set : sets_) {
      const values::ColumnType& type = row_type(set.row);
      check_equality(type, collation_of(planning_, *set.arg),
                     "DISTINCT " + planning_.text(*set.arg));
      set.input = add_input(set_expr(set), type, -1, true);
    }
  }

  /// Whether all else may be computed for each group and value of the one set: not what is DISTINCT
  /// of a key, and not constants of a group that is there without any row.
  bool splits_by_set() const {
    if (groups_of_.empty() && !constants_.empty()) return false;
    return std::ranges::none_of(aggregates_of_, [](const Aggregate& aggregate) {
      return aggregate.call.call->distinct && !aggregate.call.distinct &&
             !aggregate.call.rule->ignores_distinct;
    });
  }

  int find_set(const tree::Expr& arg, const tree::Expr* filter, int row) {
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      const bool same_filter = (filter == nullptr) == (sets_[i].filter == nullptr) &&
                               (filter == nullptr || tree::equal(*filter, *sets_[i].filter));
      if (same_filter && tree::equal(arg, *sets_[i].arg)) return static_cast<int>(i);
    }
    sets_.push_back({&arg, filter, row, -1});
    return static_cast<int>(sets_.size()) - 1;
  }

  /// Rows that the filter rejects have no value, which DISTINCT aggregates pass over.
  tree::ExprPtr set_expr(const DistinctSet& set) const {
    tree::ExprPtr value = tree::clone(*set.arg);
    if (set.filter == nullptr) return value;
    tree::Case choice;
    choice.whens.push_back({tree::clone(*set.filter), std::move(value)});
    return tree::make::expr(tree::Expr::Node(std::move(choice)));
  }

  // -------------------------------------------------------------------------- columns of the
  // subquery

  int add_input(tree::ExprPtr expr, values::ColumnType type, int output, bool grouped) {
    inputs_.push_back({std::move(expr), std::move(type), output, grouped});
    return static_cast<int>(inputs_.size()) - 1;
  }

  void ensure_base(Group& group, int output) {
    if (group.base >= 0) return;
    const values::ColumnType& type = row_type(group.row);
    check_equality(type, collation_of(planning_, *group.expr),
                   "GROUP BY " + planning_.text(*group.expr));
    const bool passes = output >= 0 && text_is_canonical(type);
    group.base = add_input(tree::clone(*group.expr), type, passes ? output : -1, true);
    group.base_passed = passes;
    if (!passes) return;
    groups_.push_back({group.base, group.base});
    group.internal = static_cast<int>(groups_.size()) - 1;
  }

  /// The group's column as the client wants it.
  int group_output(int index, int output) {
    Group& group = groups_of_[static_cast<std::size_t>(index)];
    const bool fresh = group.base < 0;
    ensure_base(group, output);
    if (fresh && group.base_passed) return group.internal;
    const int carry = add_input(tree::clone(*group.expr), row_type(group.row), output, true);
    groups_.push_back({group.base, carry});
    return static_cast<int>(groups_.size()) - 1;
  }

  /// The group's column in a form that can be compared and calculated with.
  int group_internal(int index) {
    Group& group = groups_of_[static_cast<std::size_t>(index)];
    ensure_base(group, -1);
    if (group.internal < 0) {
      groups_.push_back({group.base, group.base});
      group.internal = static_cast<int>(groups_.size()) - 1;
    }
    return group.internal;
  }

  std::vector<values::Oid> argument_types(const Aggregate& aggregate) const {
    std::vector<values::Oid> types;
    for (const int row : aggregate.rows) types.push_back(row_type(row).oid);
    return types;
  }

  static bool passes_on(AggregateKind kind) {
    return kind == AggregateKind::min || kind == AggregateKind::max;
  }

  int add_merged(merge::Aggregate merged) {
    if (derived_ && merged.kind != AggregateKind::count_distinct &&
        merged.kind != AggregateKind::sum_distinct && merged.kind != AggregateKind::avg_distinct &&
        merged.kind != AggregateKind::bit_xor_distinct) {
      merged.grouping = (1 << sets_.size()) - 1;
    }
    aggregates_.push_back(std::move(merged));
    return kAggregateBase + static_cast<int>(aggregates_.size()) - 1;
  }

  int aggregate_internal(int index) {
    Aggregate& aggregate = aggregates_of_[static_cast<std::size_t>(index)];
    if (aggregate.internal >= 0) return aggregate.internal;
    aggregate.internal = aggregate.distinct_set >= 0 ? add_distinct(aggregate, index)
                                                     : add_states(aggregate, index, -1);
    return aggregate.internal;
  }

  int aggregate_output(int index, int output) {
    Aggregate& aggregate = aggregates_of_[static_cast<std::size_t>(index)];
    if (!passes_on(aggregate.call.rule->kind)) {
      check_printable(aggregate_types_[static_cast<std::size_t>(index)],
                      aggregate_exprs_[static_cast<std::size_t>(index)]);
      return aggregate_internal(index);
    }
    return add_states(aggregate, index, output);
  }

  void check_printable(const values::ColumnType& type, const tree::Expr* expr) {
    if (values::can_encode(type.oid, values::Format::text, {}) &&
        values::can_encode(type.oid, values::Format::binary, {})) {
      return;
    }
    refuse_clause("the expression " + planning_.text(*expr),
                  "values of type " + values::type_name(type) + " are not printed after merging",
                  "Cast it to another type.");
  }

  int add_distinct(const Aggregate& aggregate, int index) {
    merge::Aggregate merged;
    switch (aggregate.call.rule->kind) {
      case AggregateKind::sum:
        merged.kind = AggregateKind::sum_distinct;
        break;
      case AggregateKind::avg:
        merged.kind = AggregateKind::avg_distinct;
        break;
      case AggregateKind::bit_xor:
        merged.kind = AggregateKind::bit_xor_distinct;
        break;
      default:
        merged.kind = AggregateKind::count_distinct;
    }
    const auto set = static_cast<std::size_t>(aggregate.distinct_set);
    merged.inputs = {sets_[set].input};
    merged.type = aggregate_types_[static_cast<std::size_t>(index)];
    if (derived_) {
      const int all = (1 << sets_.size()) - 1;
      merged.grouping = all & ~(1 << (static_cast<int>(sets_.size()) - 1 - aggregate.distinct_set));
    }
    return add_merged(std::move(merged));
  }

  int add_states(const Aggregate& aggregate, int index, int output) {
    const tree::FunctionCall& call = *aggregate.call.call;
    const values::ColumnType& type = aggregate_types_[static_cast<std::size_t>(index)];
    const auto types = argument_types(aggregate);
    std::vector<tree::ExprPtr> arguments;
    for (const tree::ExprPtr& arg : call.args) arguments.push_back(tree::clone(*arg));
    auto states = states_of(aggregate.call, arguments, call.filter, types);
    const auto state_oids = state_types(aggregate.call, types, type.oid);
    merge::Aggregate merged;
    merged.kind = aggregate.call.rule->kind;
    merged.type = type;
    if (passes_on(merged.kind)) {
      merged.collation = check_order(
          type, collation_of(planning_, *aggregate_exprs_[static_cast<std::size_t>(index)]),
          planning_.text(*aggregate_exprs_[static_cast<std::size_t>(index)]));
      const bool one = output < 0 || text_is_canonical(type);
      merged.inputs = {add_input(tree::clone(states.front()), type, one ? output : -1, false)};
      if (!one) merged.inputs.push_back(add_input(std::move(states.front()), type, output, false));
      return add_merged(std::move(merged));
    }
    for (std::size_t i = 0; i < states.size(); ++i) {
      const values::ColumnType state = states.size() == 1 && merged.kind != AggregateKind::count
                                           ? type
                                           : column_type(planning_, state_oids[i]);
      merged.inputs.push_back(add_input(std::move(states[i]), state, -1, false));
    }
    return add_merged(std::move(merged));
  }

  int add_any(const Constant& constant, int output) {
    merge::Aggregate merged;
    merged.kind = AggregateKind::any;
    merged.type = row_type(constant.row);
    merged.inputs = {add_input(tree::clone(*constant.expr), merged.type, output, false)};
    return add_merged(std::move(merged));
  }

  int constant_internal(const tree::Expr& expr) {
    for (Constant& known : constants_) {
      if (!tree::equal(*known.expr, expr)) continue;
      if (known.internal < 0) known.internal = add_any(known, -1);
      return known.internal;
    }
    return -1;
  }

  // ----------------------------------------------------------------------------------------
  // outputs

  std::optional<merge::Expression> leaf(const tree::Expr& expr) {
    merge::Expression column;
    column.op = merge::Expression::Op::column;
    if (const int group = find_group(expr); group >= 0) {
      column.index = group_internal(group);
      column.type = row_type(groups_of_[static_cast<std::size_t>(group)].row);
      return column;
    }
    if (const int aggregate = find_aggregate_call(expr); aggregate >= 0) {
      column.index = aggregate_internal(aggregate);
      column.type = aggregate_types_[static_cast<std::size_t>(aggregate)];
      return column;
    }
    const bool plain = expr.as<tree::Literal>() != nullptr || expr.as<tree::Param>() != nullptr;
    if (!plain) {
      if (const Constant* constant = find_constant(expr)) {
        column.type = row_type(constant->row);
        column.index = constant_internal(expr);
        return column;
      }
    }
    return std::nullopt;
  }

  merge::Expression evaluate(const tree::Expr& expr) {
    return after_merge(planning_, expr, [this](const tree::Expr& at) { return leaf(at); });
  }

  int computed(const tree::Expr& expr) {
    for (std::size_t i = 0; i < computed_exprs_.size(); ++i) {
      if (tree::equal(*computed_exprs_[i], expr)) return kComputedBase + static_cast<int>(i);
    }
    merge::Expression made = evaluate(expr);
    computed_exprs_.push_back(&expr);
    computed_.push_back(std::move(made));
    return kComputedBase + static_cast<int>(computed_.size()) - 1;
  }

  void check_type(const tree::Expr& expr, const values::ColumnType& type, int output) {
    if (type.oid == result(output).type) return;
    refuse_clause("the expression " + planning_.text(expr),
                  "its type after merging would not be the server's",
                  "Cast the expression to the type it is to have.");
  }

  void add_output(int output) {
    const tree::Expr& expr = *scatter_.block.outputs[static_cast<std::size_t>(output)].expr;
    int column = 0;
    values::ColumnType type;
    if (const int group = find_group(expr); group >= 0) {
      column = group_output(group, output);
      type = row_type(groups_of_[static_cast<std::size_t>(group)].row);
    } else if (const int aggregate = find_aggregate_call(expr); aggregate >= 0) {
      column = aggregate_output(aggregate, output);
      type = aggregate_types_[static_cast<std::size_t>(aggregate)];
    } else if (const Constant* constant = find_constant(expr)) {
      column = add_any(*constant, output);
      type = row_type(constant->row);
    } else {
      column = computed(expr);
      type = computed_[static_cast<std::size_t>(column - kComputedBase)].type;
      check_printable(type, &expr);
    }
    check_type(expr, type, output);
    outputs_.push_back(column);
  }

  // ------------------------------------------------------------------------------------------
  // steps

  /// A column that can be compared, for what an output or expression shows.
  std::pair<int, values::ColumnType> comparable(const tree::Expr& expr) {
    if (auto column = leaf(expr)) return {column->index, column->type};
    if (const Constant* constant = find_constant(expr)) {
      return {constant_internal(expr), row_type(constant->row)};
    }
    const int column = computed(expr);
    return {column, computed_[static_cast<std::size_t>(column - kComputedBase)].type};
  }

  void add_steps() {
    for (const tree::Expr* part : tree::conjuncts(select_.having.get())) {
      merge::Expression condition = having(*part);
      filters_.push_back(std::move(condition));
    }
    for (const tree::SortKey& key : select_.order_by) {
      const Meaning meaning = meaning_of(scatter_.block, *key.expr, planning_.pins);
      const auto [column, type] = comparable(*meaning.expr);
      const std::string what = "ORDER BY " + planning_.text(*key.expr);
      sort_.push_back(sort_key(planning_, key, column,
                               check_order(type, collation_of(planning_, *meaning.expr), what)));
    }
    if (select_.distinct) {
      for (const OutputColumn& output : scatter_.block.outputs) {
        const auto [column, type] = comparable(*output.expr);
        check_equality(type, collation_of(planning_, *output.expr),
                       "DISTINCT " + planning_.text(*output.expr));
        distinct_.columns.push_back(column);
      }
    }
    limit_ = add_limit_slots(planning_, select_, true);
  }

  /// A condition without aggregates is computed by the shards.
  merge::Expression having(const tree::Expr& part) {
    const Constant* constant = find_constant(part);
    if (constant == nullptr) return evaluate(part);
    merge::Expression column;
    column.op = merge::Expression::Op::column;
    column.type = row_type(constant->row);
    if (column.type.oid != oid::boolean) {
      refuse_clause("HAVING " + planning_.text(part), "it is no condition", "Write a condition.");
    }
    column.index = constant_internal(part);
    return column;
  }

  int settled(int column) const {
    const int groups = static_cast<int>(groups_.size());
    if (column >= kComputedBase) {
      return groups + static_cast<int>(aggregates_.size()) + column - kComputedBase;
    }
    return column >= kAggregateBase ? groups + column - kAggregateBase : column;
  }

  void settle(merge::Expression& expr) const {
    if (expr.op == merge::Expression::Op::column) expr.index = settled(expr.index);
    for (merge::Expression& arg : expr.args) settle(arg);
  }

  merge::Recipe make_recipe() {
    merge::Recipe recipe;
    for (const Input& input : inputs_) {
      recipe.inputs.push_back({input.type, input.output,
                               input.output >= 0 ? values::Format::text : values::Format::binary});
    }
    recipe.source = merge::Concat{};
    merge::HashAggregate step;
    step.groups = groups_;
    step.aggregates = aggregates_;
    step.discriminator = discriminator_;
    recipe.steps.emplace_back(std::move(step));
    for (merge::Expression& condition : filters_) {
      settle(condition);
      recipe.steps.emplace_back(merge::Filter{std::move(condition)});
    }
    if (!computed_.empty()) {
      for (merge::Expression& expr : computed_) settle(expr);
      recipe.steps.emplace_back(merge::Compute{std::move(computed_)});
    }
    for (merge::SortKey& key : sort_) key.column = settled(key.column);
    if (!sort_.empty()) {
      merge::Sort sort;
      sort.keys = sort_;
      if (!select_.distinct && !select_.with_ties) sort.bound_slot = limit_.pushed;
      recipe.steps.emplace_back(std::move(sort));
    }
    if (select_.distinct) {
      for (int& column : distinct_.columns) column = settled(column);
      recipe.steps.emplace_back(distinct_);
    }
    if (limit_.count >= 0 || limit_.offset >= 0) {
      merge::Limit limit;
      limit.count_slot = limit_.count;
      limit.offset_slot = limit_.offset;
      limit.with_ties = select_.with_ties;
      if (limit.with_ties) limit.tie_keys = sort_;
      recipe.steps.emplace_back(std::move(limit));
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      recipe.outputs.push_back(
          {settled(outputs_[i]), column_type(planning_, result(static_cast<int>(i)))});
    }
    return recipe;
  }

  // ---------------------------------------------------------------------------------------
  // subquery

  tree::SelectPtr make_subquery() {
    // Every group takes part, whether it is shown or not.
    for (std::size_t i = 0; i < groups_of_.size(); ++i) {
      if (groups_of_[i].base < 0) group_internal(static_cast<int>(i));
    }
    return derived_ ? derived_subquery() : plain_subquery();
  }

  tree::SelectPtr plain_subquery() {
    tree::SelectPtr subquery = rows_only();
    for (const Input& input : inputs_) {
      subquery->targets.push_back(tree::make::target(tree::clone(*input.expr)));
    }
    for (const Group& group : groups_of_) add_ordinal(*subquery, group.base);
    for (const DistinctSet& set : sets_) add_ordinal(*subquery, set.input);
    if (subquery->targets.empty()) {
      subquery->targets.push_back(tree::make::target(tree::make::count_star()));
    }
    return subquery;
  }

  static void add_ordinal(tree::Select& subquery, int input) {
    tree::GroupItem item;
    item.expr = tree::make::integer(input + 1);
    subquery.group_by.push_back(std::move(item));
  }

  /// Several DISTINCT sets: an inner query names the groups, the sets and the arguments; the outer
  /// one groups it by (g), (g, x1), (g, x2) …, and says by GROUPING() which is which.
  tree::SelectPtr derived_subquery() {
    tree::SelectPtr inner = rows_only();
    const std::string table = "anabranch_rows";
    std::vector<std::pair<const tree::Expr*, std::string>> names;
    const auto name_of = [&](const tree::Expr& expr) {
      for (const auto& [known, name] : names) {
        if (tree::equal(*known, expr)) return name;
      }
      std::string name = "c" + std::to_string(names.size() + 1);
      names.emplace_back(&expr, name);
      inner->targets.push_back(tree::make::target(tree::clone(expr), name));
      return name;
    };
    auto outer = std::make_unique<tree::Select>();
    const auto column = [&](const tree::Expr& expr) {
      return tree::make::column({table, name_of(expr)});
    };
    std::vector<tree::ExprPtr> kept;  // what names refer to must live as long as they do
    for (Input& input : inputs_) {
      if (input.grouped) {
        outer->targets.push_back(tree::make::target(column(*input.expr)));
      } else {
        outer->targets.push_back(
            tree::make::target(outer_state(std::move(input.expr), column, kept)));
      }
    }
    std::vector<tree::ExprPtr> sets;
    for (const DistinctSet& set : sets_) {
      sets.push_back(column(*inputs_[static_cast<std::size_t>(set.input)].expr));
    }
    tree::Grouping grouping;
    for (const tree::ExprPtr& set : sets) grouping.args.push_back(tree::clone(set));
    outer->targets.push_back(
        tree::make::target(tree::make::expr(tree::Expr::Node(std::move(grouping)))));
    discriminator_ = static_cast<int>(inputs_.size());
    outer->group_by.push_back(grouping_sets(column, sets));
    outer->with = std::move(inner->with);
    inner->with = {};
    outer->from.push_back(tree::make::subquery(std::move(inner), table));
    inputs_.push_back({nullptr, column_type(planning_, oid::int4), -1, true});
    return outer;
  }

  template <class Column>
  tree::GroupItem grouping_sets(const Column& column,
                                const std::vector<tree::ExprPtr>& sets) const {
    const auto item = [](tree::ExprPtr expr) {
      tree::GroupItem made;
      made.expr = std::move(expr);
      return made;
    };
    const auto one_set = [&](const tree::ExprPtr* extra) {
      tree::GroupItem made;
      made.kind = tree::GroupItem::Kind::list;
      for (const Group& group : groups_of_) made.items.push_back(item(column(*group.expr)));
      if (extra != nullptr) made.items.push_back(item(tree::clone(*extra)));
      if (made.items.empty()) made.kind = tree::GroupItem::Kind::empty;
      if (made.items.size() == 1) return std::move(made.items.front());
      return made;
    };
    tree::GroupItem all;
    all.kind = tree::GroupItem::Kind::sets;
    all.items.push_back(one_set(nullptr));
    for (const tree::ExprPtr& set : sets) all.items.push_back(one_set(&set));
    return all;
  }

  /// A state over columns of the inner query: its arguments and filter are computed there.
  template <class Column>
  tree::ExprPtr outer_state(tree::ExprPtr state, const Column& column,
                            std::vector<tree::ExprPtr>& kept) const {
    if (!contains_aggregate(*state, planning_.functions)) {
      // Without groups it names no column, and has a value without any row.
      if (groups_of_.empty()) return state;
      // Constant in a group: any row's, which MIN would not give for every type.
      tree::ExprPtr value = column(*state);
      kept.push_back(std::move(state));
      tree::Subscript first;
      first.arg = tree::make::call({"pg_catalog", "array_agg"}, std::move(value));
      first.upper = tree::make::integer(1);
      return tree::make::expr(tree::Expr::Node(std::move(first)));
    }
    replace_arguments(state, column, kept);
    return state;
  }

  template <class Column>
  void replace_arguments(tree::ExprPtr& expr, const Column& column,
                         std::vector<tree::ExprPtr>& kept) const {
    if (auto* call = expr->as<tree::FunctionCall>(); call != nullptr && is_aggregate(*expr)) {
      const auto replace = [&](tree::ExprPtr& slot) {
        tree::ExprPtr by = column(*slot);
        kept.push_back(std::move(slot));
        slot = std::move(by);
      };
      for (tree::ExprPtr& arg : call->args) replace(arg);
      if (call->filter) replace(call->filter);
      return;
    }
    tree::for_each_child(*expr,
                         [&](tree::ExprPtr& child) { replace_arguments(child, column, kept); });
  }

  std::string reason() const {
    if (groups_of_.empty()) return "one group over all shards: partial aggregates are merged";
    return "groups lie on several shards: their partial aggregates are merged";
  }

  Scatter& scatter_;
  Planning& planning_;
  const tree::Select& select_;

  std::vector<Group> groups_of_;
  std::vector<const tree::Expr*> aggregate_exprs_;
  std::vector<Aggregate> aggregates_of_;
  std::vector<Constant> constants_;
  std::vector<const tree::Expr*> row_exprs_;
  std::vector<values::ColumnType> aggregate_types_;
  std::vector<values::ColumnType> row_types_;

  std::vector<DistinctSet> sets_;
  bool derived_ = false;
  int discriminator_ = -1;

  std::vector<Input> inputs_;
  std::vector<merge::HashAggregate::GroupColumn> groups_;
  std::vector<merge::Aggregate> aggregates_;
  std::vector<const tree::Expr*> computed_exprs_;
  std::vector<merge::Expression> computed_;
  std::vector<merge::Expression> filters_;
  std::vector<merge::SortKey> sort_;
  merge::Distinct distinct_;
  LimitSlots limit_;
  std::vector<int> outputs_;
};

}  // namespace

Outcome scatter_groups(Scatter& scatter) {
  return GroupScatter(scatter).plan();
}

}  // namespace anabranch::rewriter
