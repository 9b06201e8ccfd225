#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "values/collation.h"
#include "values/type.h"

/// What the backends report of a database: tables, columns, types, functions. Immutable once built;
/// shared by all loops. Loaded by backends/catalog_loader; OIDs are the default shard's.
namespace anabranch::router {

enum class Volatility : char { immutable = 'i', stable = 's', volatile_ = 'v' };

struct Column {
  std::string name;
  std::int16_t number = 0;  ///< attnum, 1-based
  values::ColumnType type;
  std::string type_name;    ///< format_type(), to cast to
  values::Collation collation;
  std::string collation_name;  ///< schema-qualified and quoted; empty where the type has none
  bool not_null = false;
  std::string default_sql;  ///< empty: none
  Volatility default_volatility = Volatility::immutable;
  bool identity = false;    ///< GENERATED … AS IDENTITY, or a serial default (nextval)
  bool generated = false;   ///< GENERATED ALWAYS AS (…) STORED
  bool stamped = false;     ///< MySQL's ON UPDATE CURRENT_TIMESTAMP
};

enum class RelationKind : char {
  table = 'r', partitioned = 'p', view = 'v', materialized_view = 'm', foreign = 'f', sequence = 'S', index = 'i', partitioned_index = 'I', composite = 'c'
};

struct UniqueKey {
  std::string name;
  std::vector<int> columns;  ///< indexes into Relation::columns
  bool primary = false;
};

struct Relation {
  values::Oid oid = 0;
  std::string schema;
  std::string name;
  RelationKind kind = RelationKind::table;
  std::vector<Column> columns;
  std::vector<UniqueKey> unique_keys;
  std::string view_sql;  ///< pg_get_viewdef(), for views
  /// On every shard there is one of this name and kind.
  bool everywhere = false;
  /// The table it is an index, a partition, a child or a column's own sequence of; empty: none.
  std::string parent_schema;
  std::string parent;
  bool row_security = false;
  bool triggers = false;  ///< user triggers, foreign keys not counted
  bool rules = false;     ///< rewrite rules other than a view's own
  /// Why this table cannot be used through the proxy (its definition differs between shards, its
  /// key has a type that the scheme cannot take …); empty: it can.
  std::string refusal;

  std::optional<int> find_column(std::string_view column) const;
};

/// One function signature. `kind`: f function, a aggregate, w window, p procedure.
struct Function {
  std::string schema;
  std::string name;
  std::vector<values::Oid> arguments;
  values::Oid result = 0;
  char kind = 'f';
  Volatility volatility = Volatility::volatile_;
  bool returns_set = false;
  bool builtin = false;  ///< of pg_catalog: reads no user table
};

/// A collation as pg_collation has it. A values::Collation is made of it where it is used: there are
/// hundreds.
struct NamedCollation {
  std::string schema;
  std::string name;
  char provider = 'c';
  std::string locale;
  std::string version;
  bool deterministic = true;
  bool differs = false;  ///< another one, or none, on some shard: nothing is known of it
  auto operator<=>(const NamedCollation&) const = default;
};

/// A user-defined or built-in operator outside the built-in set is found by name in `user_operators`.
class Catalog {
 public:
  /// Adds are for the loader and for tests; a published catalog is never changed.
  void add(Relation relation);
  void add(Function function);
  void add_enum(std::shared_ptr<const values::EnumType> type);
  void add(NamedCollation collation);
  /// `pure`: all of that name are immutable.
  void add_user_operator(std::string name, bool pure = true);
  /// A user's operator over built-in types. `hidden`: pg_catalog has one of the very same types.
  void add_shadowing_operator(std::string name, std::string schema, bool hidden);
  /// A user's cast between built-in types.
  void add_user_cast(values::Oid from, values::Oid to);
  /// The target of a cast whose function is a user's and not immutable.
  void add_opaque_cast(std::string type_name);
  void add_user_type(values::Oid oid, std::string name);
  /// A user's type (or an array of it) that holds no date or time.
  void add_timeless_type(values::Oid oid);

  /// A type that is another one on some shard, or is made of such. `reason`: how it differs.
  void add_differing_type(values::Oid oid, std::string name, std::string reason);

  /// The first match along the search path (`pg_catalog` comes first, implicitly). An explicit
  /// schema: pass a path of one. Null when there is none.
  const Relation* find_relation(const std::vector<std::string>& search_path, std::string_view name) const;
  const Relation* find_relation(values::Oid oid) const;
  /// All signatures of that name along the path; empty `schema` in a call means the whole path.
  std::vector<const Function*> find_functions(const std::vector<std::string>& search_path, std::string_view name) const;
  std::shared_ptr<const values::EnumType> find_enum(values::Oid oid) const;
  /// True when a user schema defines an operator of this name: then nothing is known of its meaning.
  bool is_user_operator(std::string_view name) const;
  /// A user's operator of this name may do anything: read tables, answer differently every time.
  bool is_opaque_operator(std::string_view name) const;
  /// Whether an operator written without a schema may be a user's, not the built-in one. `exact`:
  /// the built-in one takes exactly the operands' types, so that no other is nearer.
  bool may_be_shadowed(const std::vector<std::string>& search_path, std::string_view name,
                       bool exact) const;
  bool is_user_cast(values::Oid from, values::Oid to) const;
  bool is_opaque_cast(std::string_view type_name) const;
  const std::string* user_type_name(values::Oid oid) const;
  bool is_timeless_type(values::Oid oid) const;
  /// Why values of the type mean something else on some shard; null: they do not.
  const std::string* type_difference(values::Oid oid) const;
  /// The same of any type of that name, whatever its schema.
  const std::string* type_difference(std::string_view name) const;
  const NamedCollation* find_collation(std::string_view schema, std::string_view name) const;
  /// Along the path; `pg_catalog` comes first, implicitly.
  const NamedCollation* find_collation(const std::vector<std::string>& search_path, std::string_view name) const;

  std::uint64_t version = 0;  ///< part of every plan's cache key
  std::string server_version;
  std::string server_encoding = "UTF8";
  values::Collation database_collation;

 private:
  std::map<std::pair<std::string, std::string>, Relation, std::less<>> relations_;
  std::unordered_map<values::Oid, const Relation*> by_oid_;
  std::multimap<std::string, Function, std::less<>> functions_;
  std::unordered_map<values::Oid, std::shared_ptr<const values::EnumType>> enums_;
  std::map<std::string, bool, std::less<>> user_operators_;  // name → all of them are pure
  struct Shadow {
    std::string schema;
    bool hidden = false;
  };
  std::multimap<std::string, Shadow, std::less<>> shadows_;
  std::set<std::pair<values::Oid, values::Oid>> user_casts_;
  std::set<std::string, std::less<>> opaque_casts_;
  std::map<std::pair<std::string, std::string>, NamedCollation> collations_;
  std::unordered_map<values::Oid, std::string> user_types_;
  std::set<values::Oid> timeless_types_;
  std::map<values::Oid, std::string> differing_types_;
  std::map<std::string, std::string, std::less<>> differing_names_;
};

}  // namespace anabranch::router
