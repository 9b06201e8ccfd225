#pragma once

#include <tuple>

#include "rewriter/tree.h"

/// One table of every struct's fields, from which copying, comparing and visiting are made.
/// Locations and resolutions are left out: clone() carries them over by hand.
namespace anabranch::rewriter::tree {

#define ANABRANCH_TREE_FIELDS(type, ...)               \
  inline auto fields([[maybe_unused]] type& v) {       \
    return std::tie(__VA_ARGS__);                      \
  }                                                    \
  inline auto fields([[maybe_unused]] const type& v) { \
    return std::tie(__VA_ARGS__);                      \
  }

ANABRANCH_TREE_FIELDS(ColumnRef, v.parts, v.star)
ANABRANCH_TREE_FIELDS(Param, v.number)
ANABRANCH_TREE_FIELDS(TypeName, v.names, v.setof, v.percent_type, v.array_bounds, v.text)
ANABRANCH_TREE_FIELDS(TypeCast, v.arg, v.type)
ANABRANCH_TREE_FIELDS(SortKey, v.expr, v.direction, v.nulls, v.using_op)
ANABRANCH_TREE_FIELDS(WindowDef, v.name, v.ref_name, v.partition_by, v.order_by, v.frame_mode,
                      v.frame_start, v.frame_end, v.frame_between, v.exclude, v.start_offset,
                      v.end_offset)
ANABRANCH_TREE_FIELDS(FunctionCall, v.name, v.args, v.star, v.distinct, v.variadic, v.within_group,
                      v.order_by, v.filter, v.separator, v.limit, v.offset, v.over_name, v.over, v.sql_syntax)
ANABRANCH_TREE_FIELDS(OperatorCall, v.schema, v.name, v.left, v.right, v.syntax)
ANABRANCH_TREE_FIELDS(BoolOp, v.kind, v.args)
ANABRANCH_TREE_FIELDS(NullTest, v.arg, v.negated)
ANABRANCH_TREE_FIELDS(BooleanTest, v.arg, v.kind)
ANABRANCH_TREE_FIELDS(Between, v.arg, v.low, v.high, v.symmetric, v.negated)
ANABRANCH_TREE_FIELDS(InList, v.arg, v.list, v.negated)
ANABRANCH_TREE_FIELDS(InSubquery, v.arg, v.query, v.negated)
ANABRANCH_TREE_FIELDS(AnyAll, v.arg, v.op_schema, v.op, v.all, v.query, v.array)
ANABRANCH_TREE_FIELDS(Exists, v.query)
ANABRANCH_TREE_FIELDS(ScalarSubquery, v.query)
ANABRANCH_TREE_FIELDS(ArraySubquery, v.query)
ANABRANCH_TREE_FIELDS(Case::When, v.condition, v.result)
ANABRANCH_TREE_FIELDS(Case, v.arg, v.whens, v.otherwise)
ANABRANCH_TREE_FIELDS(Coalesce, v.args)
ANABRANCH_TREE_FIELDS(NullIf, v.left, v.right)
ANABRANCH_TREE_FIELDS(MinMax, v.greatest, v.args)
ANABRANCH_TREE_FIELDS(DistinctFrom, v.left, v.right, v.negated)
ANABRANCH_TREE_FIELDS(ArrayLiteral, v.elements)
ANABRANCH_TREE_FIELDS(Row, v.fields, v.explicit_row)
ANABRANCH_TREE_FIELDS(Subscript, v.arg, v.slice, v.lower, v.upper)
ANABRANCH_TREE_FIELDS(FieldSelect, v.arg, v.field, v.star)
ANABRANCH_TREE_FIELDS(Collate, v.arg, v.collation)
ANABRANCH_TREE_FIELDS(AtTimeZone, v.arg, v.zone)
ANABRANCH_TREE_FIELDS(SqlValueFunction, v.name, v.precision)
ANABRANCH_TREE_FIELDS(Grouping, v.args)
inline std::tuple<> fields(const SetToDefault&) {
  return {};
}
ANABRANCH_TREE_FIELDS(NamedArg, v.name, v.arg)
ANABRANCH_TREE_FIELDS(MultiAssign, v.source, v.column, v.count)
ANABRANCH_TREE_FIELDS(Interval, v.count, v.unit)
ANABRANCH_TREE_FIELDS(PrefixedLiteral, v.prefix, v.literal)
ANABRANCH_TREE_FIELDS(Variable, v.system, v.scope, v.name)
ANABRANCH_TREE_FIELDS(Keyword, v.word)
ANABRANCH_TREE_FIELDS(Verbatim, v.text, v.node, v.children)

ANABRANCH_TREE_FIELDS(Alias, v.name, v.columns)
ANABRANCH_TREE_FIELDS(TableRef, v.catalog, v.schema, v.name, v.alias, v.only, v.tablesample,
                      v.qualifier, v.hints, v.rows, v.physical, v.one_bucket)
ANABRANCH_TREE_FIELDS(SubqueryRef, v.query, v.alias, v.lateral)
ANABRANCH_TREE_FIELDS(Join, v.kind, v.natural, v.straight, v.left, v.right, v.using_columns, v.using_alias,
                      v.on, v.alias)
ANABRANCH_TREE_FIELDS(FunctionRef, v.call, v.ordinality, v.lateral, v.alias, v.text, v.children)
ANABRANCH_TREE_FIELDS(VerbatimFrom, v.text, v.node, v.alias, v.children)

ANABRANCH_TREE_FIELDS(Cte, v.name, v.columns, v.materialized, v.statement, v.tail)
ANABRANCH_TREE_FIELDS(With, v.recursive, v.ctes)
ANABRANCH_TREE_FIELDS(Target, v.expr, v.alias)
ANABRANCH_TREE_FIELDS(GroupItem, v.kind, v.expr, v.items, v.direction)
ANABRANCH_TREE_FIELDS(Locking, v.strength, v.tables, v.wait, v.seconds, v.in_share_mode)
ANABRANCH_TREE_FIELDS(Select, v.with, v.modifiers, v.distinct, v.distinct_on, v.targets, v.from, v.where,
                      v.group_by, v.group_distinct, v.having, v.windows, v.set_op, v.set_all,
                      v.left, v.right, v.values, v.row_values, v.order_by, v.limit, v.offset, v.with_ties,
                      v.locking, v.into, v.into_table, v.into_behind)
ANABRANCH_TREE_FIELDS(Assignment, v.qualifier, v.column, v.indirection, v.value)
ANABRANCH_TREE_FIELDS(OnConflict::Element, v.expr, v.collation, v.op_class)
ANABRANCH_TREE_FIELDS(OnConflict, v.action, v.target, v.target_where, v.constraint, v.set, v.where)
ANABRANCH_TREE_FIELDS(Insert::Column, v.name, v.indirection)
ANABRANCH_TREE_FIELDS(Insert, v.with, v.modifiers, v.replace, v.ignore, v.table, v.columns,
                      v.overriding, v.source, v.row_alias, v.on_conflict, v.returning)
ANABRANCH_TREE_FIELDS(Update, v.with, v.modifiers, v.ignore, v.table, v.set, v.from, v.where,
                      v.order_by, v.limit, v.current_of, v.returning)
ANABRANCH_TREE_FIELDS(Delete, v.with, v.modifiers, v.ignore, v.table, v.targets, v.using_, v.where,
                      v.order_by, v.limit, v.current_of, v.returning)

ANABRANCH_TREE_FIELDS(RelationName, v.schema, v.name, v.kind)
ANABRANCH_TREE_FIELDS(Option, v.name, v.value, v.has_value, v.items)
ANABRANCH_TREE_FIELDS(Transaction, v.kind, v.options, v.name, v.chain)
ANABRANCH_TREE_FIELDS(SetVariable, v.kind, v.name, v.value, v.items, v.local)
ANABRANCH_TREE_FIELDS(SetVariables::Item, v.kind, v.name, v.value, v.collation)
ANABRANCH_TREE_FIELDS(SetVariables, v.items)
ANABRANCH_TREE_FIELDS(SetStatement, v.items, v.prefix, v.statement)
ANABRANCH_TREE_FIELDS(Use, v.database)
ANABRANCH_TREE_FIELDS(Load, v.table, v.local, v.xml, v.replace, v.ignore, v.file, v.options,
                      v.fields, v.set)
ANABRANCH_TREE_FIELDS(Show, v.name)
ANABRANCH_TREE_FIELDS(SetConstraints, v.all, v.names, v.deferred)
ANABRANCH_TREE_FIELDS(Copy, v.table, v.columns, v.query, v.from, v.program, v.file, v.options,
                      v.where)
ANABRANCH_TREE_FIELDS(ColumnDefinition, v.name, v.type, v.collation, v.not_null, v.primary_key,
                      v.unique, v.identity, v.generated, v.references, v.referenced, v.has_default,
                      v.default_text)
ANABRANCH_TREE_FIELDS(CreateTable::TableConstraint, v.kind, v.columns, v.references, v.referenced)
ANABRANCH_TREE_FIELDS(CreateTable, v.table, v.persistence, v.if_not_exists, v.columns,
                      v.constraints, v.partitioned, v.partition_of, v.inherits, v.likes)
ANABRANCH_TREE_FIELDS(CreateTableAs, v.table, v.persistence, v.materialized_view, v.if_not_exists,
                      v.with_no_data, v.query)
ANABRANCH_TREE_FIELDS(CreateView, v.view, v.replace, v.temporary, v.query)
ANABRANCH_TREE_FIELDS(CreateIndex, v.table, v.name, v.unique, v.concurrently, v.if_not_exists,
                      v.columns)
ANABRANCH_TREE_FIELDS(AlterTable, v.table, v.if_exists, v.actions, v.names, v.columns, v.constraints)
ANABRANCH_TREE_FIELDS(Rename, v.object, v.old_name, v.new_name)
ANABRANCH_TREE_FIELDS(Drop, v.object, v.names, v.if_exists, v.cascade, v.concurrently, v.temporary)
ANABRANCH_TREE_FIELDS(Truncate, v.restart_identity, v.cascade)
ANABRANCH_TREE_FIELDS(Explain, v.analyze, v.verbose, v.options, v.statement)
ANABRANCH_TREE_FIELDS(Prepare, v.name, v.types, v.statement, v.source)
ANABRANCH_TREE_FIELDS(Execute, v.name, v.args, v.source)
ANABRANCH_TREE_FIELDS(Deallocate, v.name)
ANABRANCH_TREE_FIELDS(DeclareCursor, v.name, v.hold, v.scroll, v.no_scroll, v.binary, v.insensitive,
                      v.query)
ANABRANCH_TREE_FIELDS(Fetch, v.cursor, v.range)
ANABRANCH_TREE_FIELDS(CloseCursor, v.name)
ANABRANCH_TREE_FIELDS(Notify, v.channel, v.payload, v.has_payload)
ANABRANCH_TREE_FIELDS(Listen, v.channel)
ANABRANCH_TREE_FIELDS(Unlisten, v.channel)
ANABRANCH_TREE_FIELDS(LockTable::Part, v.schema, v.name, v.text)
ANABRANCH_TREE_FIELDS(LockTable, v.mode, v.nowait, v.parts, v.wait)
ANABRANCH_TREE_FIELDS(Discard, v.what)
ANABRANCH_TREE_FIELDS(Call, v.call)
inline std::tuple<> fields(const Do&) {
  return {};
}
ANABRANCH_TREE_FIELDS(Vacuum, v.analyze_only, v.options)
ANABRANCH_TREE_FIELDS(Utility, v.kind, v.tag, v.text, v.relations, v.detail)

#undef ANABRANCH_TREE_FIELDS

template <class T>
concept HasFields = requires(T& v) { fields(v); };

template <class T>
struct TypeTraits {
  static constexpr bool is_vector = false, is_optional = false, is_pointer = false,
                        is_variant = false;
};
template <class T>
struct TypeTraits<std::vector<T>> : TypeTraits<void> {
  static constexpr bool is_vector = true;
};
template <class T>
struct TypeTraits<std::optional<T>> : TypeTraits<void> {
  static constexpr bool is_optional = true;
};
template <class T>
struct TypeTraits<std::unique_ptr<T>> : TypeTraits<void> {
  static constexpr bool is_pointer = true;
};
template <class... T>
struct TypeTraits<std::variant<T...>> : TypeTraits<void> {
  static constexpr bool is_variant = true;
};

}  // namespace anabranch::rewriter::tree
