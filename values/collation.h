#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace anabranch::values {

/// How strings are compared. Immutable, cheap to copy, usable from every thread (each thread works
/// with its own ICU collator).
class Collation {
 public:
  /// By bytes: C, POSIX, C.UTF-8. Also what grouping uses under any deterministic collation.
  Collation() = default;
  static Collation c() { return {}; }

  /// ICU. `server_version` is what pg_collation_actual_version() (or
  /// pg_database_collation_actual_version()) says on the shards, e.g. "153.120": if this process's
  /// collator has another, order is unproved.
  static Collation icu(std::string_view locale, std::string_view server_version,
                       bool deterministic = true);

  /// A collation whose order is not known here; `reason` ends up in errors.
  static Collation unproved(std::string reason, bool deterministic = true);

  /// From pg_collation: collprovider ('c' libc, 'i' ICU, 'b' builtin), the locale (collcollate,
  /// colliculocale or colllocale), the actual version, collisdeterministic. The provider 'd' must
  /// have been replaced by the database's own.
  static Collation from_server(char provider, std::string_view locale, std::string_view version,
                               bool deterministic);

  bool is_bytes() const { return rule_ == nullptr; }
  bool can_order() const;
  bool deterministic() const;
  /// Why can_order() is false; empty otherwise.
  std::string_view reason() const;
  /// For EXPLAIN and errors: "C", "icu:en-US (153.120)", …
  std::string describe() const;

  /// Appends bytes whose memcmp order is the collation's, ended by a zero byte and without another.
  /// Not for is_bytes(). Throws invalid_encoding on malformed UTF-8.
  void append_sort_key(std::string_view utf8, std::string& out) const;

  /// As varstr_cmp(): the collation's order, ties (if deterministic) by bytes.
  int compare(std::string_view left, std::string_view right) const;

  struct Rule;

 private:
  std::shared_ptr<const Rule> rule_;  // null: by bytes
};

/// The version string of this process's ICU collator for a locale, as PostgreSQL prints it; empty
/// if ICU has no such locale.
std::string icu_collator_version(const std::string& locale);

}  // namespace anabranch::values
