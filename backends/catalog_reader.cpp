#include "backends/catalog_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "values/oid_map.h"

namespace anabranch::backends {

namespace {

using values::Oid;

/// Who has made an object: OIDs below 16384 are initdb's.
enum class Maker { initdb, users };

std::string made_by(Maker maker, std::string_view oid) {
  return fmt::format("n.nspname !~ '^pg_(toast|temp)' and {} {} 16384", oid, maker == Maker::initdb ? "<" : ">=");
}

// Columns that not every version has are asked for through to_jsonb().
std::string database_sql(int version) {
  const std::string_view actual =
      version >= 150000 ? "pg_database_collation_actual_version(d.oid)" : "''";
  return fmt::format(
      "select current_setting('server_version'), current_setting('server_encoding'),"
      " coalesce(to_jsonb(d)->>'datlocprovider', 'c'),"
      " coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale'), d.datcollate,"
      " coalesce({}, '') from pg_database d where d.datname = current_database()",
      actual);
}

std::string relations_sql(Maker maker) {
  return fmt::format(
      "select c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity,"
      " exists(select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal),"
      " exists(select from pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN'),"
      " case when c.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema')"
      " then pg_get_viewdef(c.oid) end, pn.nspname, p.relname"
      " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
      " left join pg_index x on x.indexrelid = c.oid"
      " left join pg_inherits h on h.inhrelid = c.oid and h.inhseqno = 1 and x.indexrelid is null"
      " left join pg_depend o on c.relkind = 'S' and o.classid = 'pg_class'::regclass and o.objid = c.oid"
      " and o.objsubid = 0 and o.refclassid = 'pg_class'::regclass and o.refobjsubid > 0 and o.deptype in ('a', 'i')"
      " left join pg_class p on p.oid = coalesce(x.indrelid, h.inhparent, o.refobjid)"
      " left join pg_namespace pn on pn.oid = p.relnamespace"
      " where (c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') or (c.relkind in ('i', 'I')"
      " and n.nspname not in ('pg_catalog', 'information_schema'))) and {} order by c.oid",
      made_by(maker, "c.oid"));
}

std::string columns_sql(Maker maker) {
  return fmt::format(
      "select a.attrelid, a.attname, a.attnum, a.atttypid, a.atttypmod,"
      " format_type(a.atttypid, a.atttypmod), a.attcollation, a.attnotnull, a.attidentity,"
      " a.attgenerated, coalesce(pg_get_expr(d.adbin, d.adrelid),"
      " case when t.typtype = 'd' and a.attidentity = '' then pg_get_expr(t.typdefaultbin, 0) end)"
      " from pg_attribute a join pg_class c on c.oid = a.attrelid"
      " join pg_type t on t.oid = a.atttypid"
      " join pg_namespace n on n.oid = c.relnamespace"
      " left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
      " where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')"
      " and {} order by a.attrelid, a.attnum",
      made_by(maker, "a.attrelid"));
}

// Those of initdb again where users' columns have them: the last field tells.
std::string collations_sql(int version, Maker maker) {
  const std::string_view locale = version >= 170000
                                      ? "coalesce(c.colllocale, c.collcollate)"
                                      : "coalesce(to_jsonb(c)->>'colliculocale', c.collcollate)";
  const bool initdb = maker == Maker::initdb;
  const std::string used = fmt::format("c.oid in (select attcollation from pg_attribute where attrelid {} 16384)",
                                       initdb ? "<" : ">=");
  return fmt::format(
      "select c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.collname), c.collprovider,"
      " coalesce({0}, ''), c.collisdeterministic, coalesce(pg_collation_actual_version(c.oid), ''),"
      " n.nspname, c.collname, {1}"
      " from pg_collation c join pg_namespace n on n.oid = c.collnamespace where c.collencoding"
      " in (-1, pg_char_to_encoding(current_setting('server_encoding'))) and {2}",
      locale, used, initdb ? "c.oid < 16384" : fmt::format("(c.oid >= 16384 or {})", used));
}

// Unique indexes that bind every row: neither partial nor over expressions.
constexpr std::string_view unique_sql =
    "select i.indrelid, c.relname, i.indisprimary, i.indnkeyatts, i.indkey::text"
    " from pg_index i join pg_class c on c.oid = i.indexrelid"
    " join pg_namespace n on n.oid = c.relnamespace"
    " where i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null"
    " and i.indexprs is null"
    " and n.nspname <> 'pg_catalog' and n.nspname !~ '^pg_toast' order by i.indrelid, c.relname";

// What else constrains more than one row; attnums, for the checks of the map. Deferrable unique
// constraints and partial or expression indexes come as type u.
constexpr std::string_view constraints_sql =
    "select o.conrelid, o.conname, o.contype, o.conkey::int2[]::text, fn.nspname, f.relname,"
    " o.confkey::int2[]::text"
    " from pg_constraint o left join pg_class f on f.oid = o.confrelid"
    " left join pg_namespace fn on fn.oid = f.relnamespace"
    " where o.contype in ('x', 'f') and o.conrelid <> 0 and o.conparentid = 0"
    " union all select i.indrelid, c.relname, 'u', '{' || replace(i.indkey::text, ' ', ',') || '}',"
    " null, null, null from pg_index i join pg_class c on c.oid = i.indexrelid"
    " join pg_namespace n on n.oid = c.relnamespace"
    " where i.indisunique and (not i.indimmediate or i.indpred is not null or i.indexprs is not "
    "null)"
    " and n.nspname <> 'pg_catalog' and n.nspname !~ '^pg_toast'";

std::string types_sql(Maker maker) {
  return "select t.oid, format_type(t.oid, null), t.typtype, coalesce(nullif(t.typbasetype, 0),"
    " (select r.rngsubtype from pg_range r where t.typtype in ('r', 'm') and (r.rngtypid = t.oid"
    " or (to_jsonb(r)->>'rngmultitypid')::oid = t.oid)), 0), t.typtypmod, t.typelem,"
    " t.typcategory = 'A', t.typcategory = 'D',"
    " case t.typtype when 'd' then 'domain over ' || format_type(t.typbasetype, t.typtypmod)"
    " || case when t.typnotnull then ' not null' else '' end || coalesce((select ' '"
    " || string_agg(pg_get_constraintdef(o.oid), ' ' order by pg_get_constraintdef(o.oid))"
    " from pg_constraint o where o.contypid = t.oid), '')"
    " when 'c' then (select '(' || string_agg(quote_ident(a.attname) || ' '"
    " || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum) || ')' from pg_attribute a"
    " join pg_class k on k.oid = a.attrelid where k.oid = t.typrelid and k.relkind = 'c'"
    " and a.attnum > 0 and not a.attisdropped)"
    " when 'r' then (select 'range of ' || format_type(r.rngsubtype, null) from pg_range r"
    " where r.rngtypid = t.oid) end, t.typname"
    " from pg_type t join pg_namespace n on n.oid = t.typnamespace"
    " where n.nspname <> 'pg_catalog' and " + made_by(maker, "t.oid");
}

constexpr std::string_view attributes_sql =
    "select c.reltype, a.atttypid from pg_attribute a join pg_class c on c.oid = a.attrelid"
    " join pg_namespace n on n.oid = c.relnamespace where a.attnum > 0 and not a.attisdropped"
    " and c.reltype <> 0 and n.nspname <> 'pg_catalog' and n.nspname <> 'information_schema'"
    " and n.nspname !~ '^pg_(toast|temp)'";

constexpr std::string_view labels_sql =
    "select enumtypid, enumlabel from pg_enum order by enumtypid, enumsortorder";

std::string functions_sql(Maker maker) {
  return "select n.nspname, p.proname, p.proargtypes::text, p.prorettype, p.prokind, p.provolatile,"
    " p.proretset, n.nspname in ('pg_catalog', 'information_schema')"
    " from pg_proc p join pg_namespace n on n.oid = p.pronamespace where " + made_by(maker, "p.oid");
}

constexpr std::string_view operators_sql =
    "select o.oprname, bool_and(p.provolatile = 'i') from pg_operator o"
    " join pg_namespace n on n.oid = o.oprnamespace join pg_proc p on p.oid = o.oprcode"
    " where n.nspname <> 'pg_catalog' group by o.oprname";

// Polymorphic types are pg_catalog's too.
constexpr std::string_view shadowing_sql =
    "select o.oprname, n.nspname, exists(select from pg_operator b where b.oprname = o.oprname"
    " and b.oprnamespace = 'pg_catalog'::regnamespace and b.oprleft = o.oprleft"
    " and b.oprright = o.oprright) from pg_operator o join pg_namespace n on n.oid = o.oprnamespace"
    " left join pg_type l on l.oid = o.oprleft left join pg_type r on r.oid = o.oprright"
    " where n.nspname <> 'pg_catalog'"
    " and coalesce(l.typnamespace, 'pg_catalog'::regnamespace) = 'pg_catalog'::regnamespace"
    " and coalesce(r.typnamespace, 'pg_catalog'::regnamespace) = 'pg_catalog'::regnamespace";

// OIDs below belong to what initdb has made.
constexpr std::string_view user_casts_sql =
    "select c.castsource, c.casttarget from pg_cast c where c.oid >= 16384"
    " and c.castsource < 16384 and c.casttarget < 16384";

constexpr std::string_view casts_sql =
    "select distinct t.typname from pg_cast c join pg_proc p on p.oid = c.castfunc"
    " join pg_namespace n on n.oid = p.pronamespace join pg_type t on t.oid = c.casttarget"
    " where n.nspname <> 'pg_catalog' and p.provolatile <> 'i'"
    " union select t.typname from pg_constraint o join pg_type t on t.oid = o.contypid"
    " join pg_depend d on d.classid = 'pg_constraint'::regclass and d.objid = o.oid"
    " and d.refclassid = 'pg_proc'::regclass join pg_proc p on p.oid = d.refobjid"
    " where p.provolatile <> 'i'";

// The integers in "1 2 3" or "{1,2,3}".
std::vector<long> integers(std::string_view text) {
  std::vector<long> list;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    long value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error == std::errc()) list.push_back(value);
    at = error == std::errc() ? next : at + 1;
  }
  return list;
}

Oid oid_of(const ControlResult& rows, int row, int column) {
  return static_cast<Oid>(rows.number(row, column));
}

class Reader {
 public:
  Reader(ShardCatalog& catalog, Maker maker) : catalog_(catalog), maker_(maker) {}

  void database(const ControlResult& rows);
  void relations(const ControlResult& rows);
  void columns(const ControlResult& rows);
  void collations(const ControlResult& rows);
  void unique_keys(const ControlResult& rows);
  void constraints(const ControlResult& rows);
  void types(const ControlResult& rows);
  void labels(const ControlResult& rows);
  void functions(const ControlResult& rows);
  void operators(const ControlResult& rows);
  void shadowing(const ControlResult& rows);
  void user_casts(const ControlResult& rows);
  void attributes(const ControlResult& rows);
  void casts(const ControlResult& rows);

 private:
  ShardRelation* relation(Oid oid) {
    const auto found = by_oid_.find(oid);
    return found == by_oid_.end() ? nullptr : found->second;
  }
  bool made_here(Oid oid) const { return (oid < values::first_user_oid) == (maker_ == Maker::initdb); }
  static std::vector<int> indexes(const ShardRelation& relation, const std::vector<long>& numbers);

  ShardCatalog& catalog_;
  const Maker maker_;
  std::unordered_map<Oid, ShardRelation*> by_oid_;
};

void Reader::database(const ControlResult& rows) {
  if (rows.rows() == 0) return;
  catalog_.server_version = rows.text(0, 0);
  catalog_.server_encoding = rows.text(0, 1);
  const char provider = rows.text(0, 2).front();
  const std::string_view locale = provider == 'c' ? rows.text(0, 4) : rows.text(0, 3);
  catalog_.database_collation =
      values::Collation::from_server(provider, locale, rows.text(0, 5), true);
}

void Reader::relations(const ControlResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    router::Relation relation;
    relation.oid = oid_of(rows, row, 0);
    relation.schema = rows.text(row, 1);
    relation.name = rows.text(row, 2);
    relation.kind = static_cast<router::RelationKind>(rows.text(row, 3).front());
    relation.row_security = rows.flag(row, 4);
    relation.triggers = rows.flag(row, 5);
    relation.rules = rows.flag(row, 6);
    relation.view_sql = rows.text(row, 7);
    relation.parent_schema = rows.text(row, 8);
    relation.parent = rows.text(row, 9);
    const Oid oid = relation.oid;
    ShardRelation& kept = catalog_.relations[{relation.schema, relation.name}];
    kept.relation = std::move(relation);
    by_oid_[oid] = &kept;
  }
}

void Reader::columns(const ControlResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    ShardRelation* of = relation(oid_of(rows, row, 0));
    if (!of) continue;
    router::Column column;
    column.name = rows.text(row, 1);
    column.number = static_cast<std::int16_t>(rows.number(row, 2));
    column.type.oid = oid_of(rows, row, 3);
    column.type.typmod = static_cast<std::int32_t>(rows.number(row, 4));
    column.type_name = rows.text(row, 5);
    column.not_null = rows.flag(row, 7);
    column.generated = !rows.text(row, 9).empty();
    column.default_sql = rows.text(row, 10);
    column.identity = !rows.text(row, 8).empty() || column.default_sql.starts_with("nextval(");
    of->type_oids.push_back(column.type.oid);
    of->collation_oids.push_back(oid_of(rows, row, 6));
    of->relation.columns.push_back(std::move(column));
  }
}

void Reader::collations(const ControlResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    const char provider = rows.text(row, 2).front();
    if (made_here(oid_of(rows, row, 0))) {
      catalog_.named_collations.push_back({.schema = std::string(rows.text(row, 6)),
                                           .name = std::string(rows.text(row, 7)),
                                           .provider = provider,
                                           .locale = std::string(rows.text(row, 3)),
                                           .version = std::string(rows.text(row, 5)),
                                           .deterministic = rows.flag(row, 4)});
    }
    if (!rows.flag(row, 8)) continue;
    auto collation = provider == 'd'
                         ? catalog_.database_collation
                         : values::Collation::from_server(provider, rows.text(row, 3),
                                                          rows.text(row, 5), rows.flag(row, 4));
    catalog_.collations[oid_of(rows, row, 0)] = {std::string(rows.text(row, 1)),
                                                 std::move(collation)};
  }
}

std::vector<int> Reader::indexes(const ShardRelation& relation, const std::vector<long>& numbers) {
  std::vector<int> found;
  for (const long number : numbers) {
    const auto& columns = relation.relation.columns;
    const auto column = std::ranges::find(columns, number, &router::Column::number);
    if (column != columns.end()) found.push_back(static_cast<int>(column - columns.begin()));
  }
  return found;
}

void Reader::unique_keys(const ControlResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    ShardRelation* of = relation(oid_of(rows, row, 0));
    if (!of) continue;
    std::vector<long> numbers = integers(rows.text(row, 4));
    numbers.resize(
        std::min<std::size_t>(numbers.size(), static_cast<std::size_t>(rows.number(row, 3))));
    of->relation.unique_keys.push_back(
        {std::string(rows.text(row, 1)), indexes(*of, numbers), rows.flag(row, 2)});
  }
}

void Reader::constraints(const ControlResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    ShardRelation* of = relation(oid_of(rows, row, 0));
    if (!of) continue;
    const std::vector<long> numbers = integers(rows.text(row, 3));
    if (rows.text(row, 2) != "f") {
      of->exclusions.emplace_back(rows.text(row, 1), indexes(*of, numbers));
      continue;
    }
    ForeignKey key;
    key.name = rows.text(row, 1);
    key.to = {std::string(rows.text(row, 4)), std::string(rows.text(row, 5))};
    key.columns.assign(numbers.begin(), numbers.end());
    const std::vector<long> to = integers(rows.text(row, 6));
    key.to_columns.assign(to.begin(), to.end());
    of->foreign_keys.push_back(std::move(key));
  }
}

void Reader::types(const ControlResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    ShardType type;
    type.oid = oid_of(rows, row, 0);
    type.name = rows.text(row, 1);
    type.kind = rows.text(row, 2).front();
    type.base = oid_of(rows, row, 3);
    type.typmod = static_cast<std::int32_t>(rows.number(row, 4));
    if (rows.flag(row, 6)) type.element = oid_of(rows, row, 5);
    type.moment = rows.flag(row, 7);
    type.definition = rows.text(row, 8);
    type.own_name = rows.text(row, 9);
    const Oid oid = type.oid;
    catalog_.types[oid] = std::move(type);
  }
}

void Reader::labels(const ControlResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    const auto type = catalog_.types.find(oid_of(rows, row, 0));
    if (type != catalog_.types.end()) type->second.labels.emplace_back(rows.text(row, 1));
  }
}

void Reader::functions(const ControlResult& rows) {
  catalog_.functions.reserve(static_cast<std::size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    router::Function function;
    function.schema = rows.text(row, 0);
    function.name = rows.text(row, 1);
    for (const long argument : integers(rows.text(row, 2))) {
      function.arguments.push_back(static_cast<Oid>(argument));
    }
    function.result = oid_of(rows, row, 3);
    function.kind = rows.text(row, 4).front();
    function.volatility = static_cast<router::Volatility>(rows.text(row, 5).front());
    function.returns_set = rows.flag(row, 6);
    function.builtin = rows.flag(row, 7);
    catalog_.functions.push_back(std::move(function));
  }
}

void Reader::operators(const ControlResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    catalog_.user_operators.emplace_back(rows.text(row, 0), rows.flag(row, 1));
  }
}

void Reader::shadowing(const ControlResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    catalog_.shadowing_operators.push_back(
        {std::string(rows.text(row, 0)), std::string(rows.text(row, 1)), rows.flag(row, 2)});
  }
}

void Reader::user_casts(const ControlResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    catalog_.user_casts.emplace_back(oid_of(rows, row, 0), oid_of(rows, row, 1));
  }
}

void Reader::attributes(const ControlResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    catalog_.attributes[oid_of(rows, row, 0)].push_back(oid_of(rows, row, 1));
  }
}

void Reader::casts(const ControlResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    catalog_.opaque_casts.emplace_back(rows.text(row, 0));
  }
}

struct Step {
  std::string sql;
  void (Reader::*read)(const ControlResult&);
};

std::vector<Step> steps_of(int version, bool whole) {
  constexpr Maker users = Maker::users;
  std::vector<Step> steps{{database_sql(version), &Reader::database},
                          {relations_sql(users), &Reader::relations},
                          {columns_sql(users), &Reader::columns},
                          {collations_sql(version, users), &Reader::collations},
                          {std::string(unique_sql), &Reader::unique_keys},
                          {std::string(constraints_sql), &Reader::constraints},
                          {types_sql(users), &Reader::types},
                          {std::string(attributes_sql), &Reader::attributes},
                          {std::string(labels_sql), &Reader::labels}};
  if (whole) {
    steps.emplace_back(functions_sql(users), &Reader::functions);
    steps.emplace_back(std::string(operators_sql), &Reader::operators);
    steps.emplace_back(std::string(shadowing_sql), &Reader::shadowing);
    steps.emplace_back(std::string(user_casts_sql), &Reader::user_casts);
    steps.emplace_back(std::string(casts_sql), &Reader::casts);
  }
  return steps;
}

std::vector<Step> system_steps_of(int version, bool whole) {
  constexpr Maker initdb = Maker::initdb;
  std::vector<Step> steps{{collations_sql(version, initdb), &Reader::collations},
                          {types_sql(initdb), &Reader::types}};
  if (whole) {
    steps.emplace_back(relations_sql(initdb), &Reader::relations);
    steps.emplace_back(columns_sql(initdb), &Reader::columns);
    steps.emplace_back(functions_sql(initdb), &Reader::functions);
  }
  return steps;
}

void read_steps(const std::vector<Step>& steps, std::span<const ControlResult> results, Reader reader) {
  for (std::size_t i = 0; i < steps.size(); ++i) (reader.*steps[i].read)(results[i]);
}

void add_system(ShardCatalog& catalog) {
  const CatalogObjects& system = *catalog.system;
  catalog.relations.insert(system.relations.begin(), system.relations.end());
  catalog.collations.insert(system.collations.begin(), system.collations.end());
  catalog.types.insert(system.types.begin(), system.types.end());
  catalog.functions.insert(catalog.functions.end(), system.functions.begin(), system.functions.end());
  catalog.named_collations.insert(catalog.named_collations.end(), system.named_collations.begin(),
                                  system.named_collations.end());
}

// With an empty path every name that is printed is qualified, whoever reads it.
constexpr std::string_view reading_settings =
    "; set local search_path to ''; set local jit to off; set local client_encoding to 'UTF8'"
    "; set local statement_timeout to 0";
constexpr std::size_t preamble = 5;

struct Frame {
  std::string_view opening;
  std::string_view closing;
};

// Going back to the savepoint undoes the settings.
constexpr Frame frame_of(CatalogFrame frame) {
  if (frame == CatalogFrame::within) {
    return {"savepoint anabranch_catalog",
            "rollback to savepoint anabranch_catalog;release savepoint anabranch_catalog"};
  }
  return {"begin isolation level repeatable read read only", "commit"};
}

}  // namespace

std::string catalog_sql(int server_version, const CatalogScope& scope, CatalogFrame frame) {
  std::string sql = fmt::format("{}{}", frame_of(frame).opening, reading_settings);
  for (const Step& step : steps_of(server_version, scope.whole)) sql += ";" + step.sql;
  if (scope.system == nullptr) {
    for (const Step& step : system_steps_of(server_version, scope.whole)) sql += ";" + step.sql;
  }
  return fmt::format("{};{}", sql, frame_of(frame).closing);
}

std::expected<ShardCatalog, std::string> catalog_of(const std::vector<ControlResult>& results,
                                                    int server_version, const CatalogScope& scope) {
  const std::vector<Step> steps = steps_of(server_version, scope.whole);
  const std::vector<Step> system_steps =
      scope.system == nullptr ? system_steps_of(server_version, scope.whole) : std::vector<Step>();
  if (results.size() <= preamble + steps.size() + system_steps.size()) {
    return std::unexpected(std::string("the catalog's queries were not all answered"));
  }
  const auto answers = std::span(results).subspan(preamble);
  ShardCatalog catalog;
  read_steps(steps, answers, Reader(catalog, Maker::users));
  catalog.system = scope.system;
  if (catalog.system == nullptr) {
    ShardCatalog made;
    made.server_version = catalog.server_version;
    made.database_collation = catalog.database_collation;
    read_steps(system_steps, answers.subspan(steps.size()), Reader(made, Maker::initdb));
    catalog.system = std::make_shared<const CatalogObjects>(std::move(made));
  }
  if (catalog.system->server_version != catalog.server_version) {
    return std::unexpected(std::string("the server has been upgraded since the catalog was read"));
  }
  add_system(catalog);
  return catalog;
}

std::expected<ShardCatalog, std::string> read_catalog(ControlConnection& connection, CatalogScope scope) {
  const int version = connection.server_version();
  for (;;) {
    auto results = connection.run(catalog_sql(version, scope, CatalogFrame::own_transaction));
    if (!results) return std::unexpected(results.error());
    auto catalog = catalog_of(*results, version, scope);
    if (catalog || scope.system == nullptr) return catalog;
    scope.system = nullptr;
  }
}

}  // namespace anabranch::backends
