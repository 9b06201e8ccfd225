#include "router/catalog.h"

#include <algorithm>
#include <utility>

namespace anabranch::router {

std::optional<int> Relation::find_column(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column) return static_cast<int>(i);
  }
  return std::nullopt;
}

void Catalog::add(Relation relation) {
  auto key = std::pair(relation.schema, relation.name);
  auto [at, fresh] = relations_.insert_or_assign(std::move(key), std::move(relation));
  by_oid_[at->second.oid] = &at->second;
}

void Catalog::add(Function function) {
  std::string name = function.name;
  functions_.emplace(std::move(name), std::move(function));
}

void Catalog::add_enum(std::shared_ptr<const values::EnumType> type) {
  const values::Oid oid = type->oid;
  enums_[oid] = std::move(type);
}

void Catalog::add(NamedCollation collation) {
  auto key = std::pair(collation.schema, collation.name);
  collations_.insert_or_assign(std::move(key), std::move(collation));
}

void Catalog::add_user_operator(std::string name, bool pure) {
  const auto [at, fresh] = user_operators_.try_emplace(std::move(name), pure);
  at->second &= pure;
}

void Catalog::add_shadowing_operator(std::string name, std::string schema, bool hidden) {
  shadows_.emplace(std::move(name), Shadow{std::move(schema), hidden});
}

void Catalog::add_user_cast(values::Oid from, values::Oid to) {
  user_casts_.emplace(from, to);
}

void Catalog::add_opaque_cast(std::string type_name) {
  opaque_casts_.insert(std::move(type_name));
}

void Catalog::add_user_type(values::Oid oid, std::string name) {
  user_types_[oid] = std::move(name);
}

void Catalog::add_timeless_type(values::Oid oid) {
  timeless_types_.insert(oid);
}

const Relation* Catalog::find_relation(const std::vector<std::string>& search_path,
                                       std::string_view name) const {
  const auto in = [&](std::string_view schema) -> const Relation* {
    const auto at = relations_.find(std::pair(std::string(schema), std::string(name)));
    return at == relations_.end() ? nullptr : &at->second;
  };
  bool names_catalog = false;
  for (const std::string& schema : search_path) names_catalog |= schema == "pg_catalog";
  if (!names_catalog && search_path.size() != 1) {
    if (const Relation* found = in("pg_catalog")) return found;
  }
  for (const std::string& schema : search_path) {
    if (const Relation* found = in(schema)) return found;
  }
  return nullptr;
}

const NamedCollation* Catalog::find_collation(std::string_view schema,
                                              std::string_view name) const {
  const auto at = collations_.find(std::pair(std::string(schema), std::string(name)));
  return at == collations_.end() ? nullptr : &at->second;
}

const NamedCollation* Catalog::find_collation(const std::vector<std::string>& search_path,
                                              std::string_view name) const {
  const bool names_catalog = std::ranges::find(search_path, "pg_catalog") != search_path.end();
  if (!names_catalog) {
    if (const NamedCollation* found = find_collation("pg_catalog", name)) return found;
  }
  for (const std::string& schema : search_path) {
    if (const NamedCollation* found = find_collation(schema, name)) return found;
  }
  return nullptr;
}

const Relation* Catalog::find_relation(values::Oid oid) const {
  const auto at = by_oid_.find(oid);
  return at == by_oid_.end() ? nullptr : at->second;
}

std::vector<const Function*> Catalog::find_functions(const std::vector<std::string>& search_path,
                                                     std::string_view name) const {
  std::vector<const Function*> found;
  const auto [first, last] = functions_.equal_range(name);
  for (auto at = first; at != last; ++at) {
    const Function& function = at->second;
    bool visible = function.schema == "pg_catalog";
    for (const std::string& schema : search_path) visible |= schema == function.schema;
    if (visible) found.push_back(&function);
  }
  return found;
}

std::shared_ptr<const values::EnumType> Catalog::find_enum(values::Oid oid) const {
  const auto at = enums_.find(oid);
  return at == enums_.end() ? nullptr : at->second;
}

bool Catalog::is_user_operator(std::string_view name) const {
  return user_operators_.find(name) != user_operators_.end();
}

bool Catalog::is_opaque_operator(std::string_view name) const {
  const auto at = user_operators_.find(name);
  return at != user_operators_.end() && !at->second;
}

bool Catalog::may_be_shadowed(const std::vector<std::string>& search_path, std::string_view name,
                              bool exact) const {
  const auto [first, last] = shadows_.equal_range(name);
  const auto system = std::ranges::find(search_path, "pg_catalog");
  return std::any_of(first, last, [&](const auto& entry) {
    const Shadow& shadow = entry.second;
    const auto at = std::ranges::find(search_path, shadow.schema);
    if (at == search_path.end()) return false;
    // Where pg_catalog is not named it comes first.
    if (system != search_path.end() && at < system) return true;
    return !shadow.hidden && !exact;
  });
}

bool Catalog::is_user_cast(values::Oid from, values::Oid to) const {
  return user_casts_.contains({from, to});
}

bool Catalog::is_opaque_cast(std::string_view type_name) const {
  return opaque_casts_.contains(type_name);
}

bool Catalog::is_timeless_type(values::Oid oid) const {
  return timeless_types_.contains(oid);
}

const std::string* Catalog::user_type_name(values::Oid oid) const {
  const auto at = user_types_.find(oid);
  return at == user_types_.end() ? nullptr : &at->second;
}

void Catalog::add_differing_type(values::Oid oid, std::string name, std::string reason) {
  differing_names_.emplace(std::move(name), reason);
  differing_types_.emplace(oid, std::move(reason));
}

const std::string* Catalog::type_difference(values::Oid oid) const {
  const auto at = differing_types_.find(oid);
  return at == differing_types_.end() ? nullptr : &at->second;
}

const std::string* Catalog::type_difference(std::string_view name) const {
  const auto at = differing_names_.find(name);
  return at == differing_names_.end() ? nullptr : &at->second;
}

}  // namespace anabranch::router
