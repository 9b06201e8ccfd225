#include "rewriter/tree.h"

#include "rewriter/tree_fields.h"

namespace anabranch::rewriter::tree {

Expr::Expr(Node n, int at) : node(std::move(n)), location(at) {}
Expr::Expr(Expr&&) noexcept = default;
Expr& Expr::operator=(Expr&&) noexcept = default;
Expr::~Expr() = default;
FromItem::FromItem(Node n, int at) : node(std::move(n)), location(at) {}
FromItem::FromItem(FromItem&&) noexcept = default;
FromItem& FromItem::operator=(FromItem&&) noexcept = default;
FromItem::~FromItem() = default;
Statement::Statement(Node n) : node(std::move(n)) {}
Statement::Statement(Statement&&) noexcept = default;
Statement& Statement::operator=(Statement&&) noexcept = default;
Statement::~Statement() = default;

namespace {

template <class T>
T copy(const T& value);
template <class T>
std::unique_ptr<T> copy_pointer(const std::unique_ptr<T>& pointer) {
  return pointer ? std::make_unique<T>(copy(*pointer)) : nullptr;
}

void copy_location(const auto& from, auto& to) {
  if constexpr (requires { to.location = from.location; }) to.location = from.location;
  if constexpr (requires { to.resolved = from.resolved; }) to.resolved = from.resolved;
  if constexpr (requires { to.baked = from.baked; }) to.baked = from.baked;
  if constexpr (requires { to.implied = from.implied; }) to.implied = from.implied;
}

template <class T>
T copy(const T& value) {
  using Traits = TypeTraits<T>;
  if constexpr (requires { value.node; } && !HasFields<const T>) {  // Expr, FromItem, Statement
    T out(copy(value.node));
    copy_location(value, out);
    return out;
  } else if constexpr (Traits::is_pointer) {
    return copy_pointer(value);
  } else if constexpr (Traits::is_vector) {
    T out;
    out.reserve(value.size());
    for (const auto& item : value) out.push_back(copy(item));
    return out;
  } else if constexpr (Traits::is_optional) {
    if (!value) return std::nullopt;
    return T(copy(*value));
  } else if constexpr (Traits::is_variant) {
    return std::visit([](const auto& held) { return T(copy(held)); }, value);
  } else if constexpr (HasFields<const T>) {
    T out{};
    [&]<std::size_t... i>(std::index_sequence<i...>, const auto& from, const auto& to) {
      ((std::get<i>(to) = copy(std::get<i>(from))), ...);
    }(std::make_index_sequence<std::tuple_size_v<decltype(fields(value))>>(), fields(value),
      fields(out));
    copy_location(value, out);
    return out;
  } else {
    return value;
  }
}

bool same_literal(const Literal& a, const Literal& b, LiteralMatch match) {
  if (a.kind() != b.kind()) return false;
  if (match == LiteralMatch::identity && (a.token() >= 0 || b.token() >= 0))
    return a.token() >= 0 && b.token() >= 0 && a.same_as() == b.same_as();
  return a.unpinned_value() == b.unpinned_value();
}

template <class T>
bool same(const T& a, const T& b, LiteralMatch match) {
  using Traits = TypeTraits<T>;
  if constexpr (std::is_same_v<T, Literal>) {
    return same_literal(a, b, match);
  } else if constexpr (requires { a.node; } && !HasFields<const T>) {
    return same(a.node, b.node, match);
  } else if constexpr (Traits::is_pointer || Traits::is_optional) {
    if (!a || !b) return !a && !b;
    return same(*a, *b, match);
  } else if constexpr (Traits::is_vector) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!same(a[i], b[i], match)) return false;
    return true;
  } else if constexpr (Traits::is_variant) {
    if (a.index() != b.index()) return false;
    return std::visit(
        [&]<class H>(const H& held) { return same(held, *std::get_if<H>(&b), match); }, a);
  } else if constexpr (HasFields<const T>) {
    return [&]<std::size_t... i>(std::index_sequence<i...>, const auto& left, const auto& right) {
      return (same(std::get<i>(left), std::get<i>(right), match) && ...);
    }(std::make_index_sequence<std::tuple_size_v<decltype(fields(a))>>(), fields(a), fields(b));
  } else {
    return a == b;
  }
}

}  // namespace

ExprPtr clone(const Expr& expr) {
  return std::make_unique<Expr>(copy(expr));
}
SelectPtr clone(const Select& select) {
  return std::make_unique<Select>(copy(select));
}
StatementPtr clone(const Statement& statement) {
  return std::make_unique<Statement>(copy(statement));
}
FromPtr clone(const FromItem& item) {
  return std::make_unique<FromItem>(copy(item));
}
SortKey clone(const SortKey& key) {
  return copy(key);
}
WindowDef clone(const WindowDef& window) {
  return copy(window);
}
GroupItem clone(const GroupItem& item) {
  return copy(item);
}
With clone(const With& with) {
  return copy(with);
}
Target clone(const Target& target) {
  return copy(target);
}
Insert clone(const Insert& insert) {
  return copy(insert);
}
Update clone(const Update& update) {
  return copy(update);
}
Delete clone(const Delete& delete_) {
  return copy(delete_);
}

bool equal(const Expr& a, const Expr& b, LiteralMatch match) {
  return same(a, b, match);
}
bool equal(const Select& a, const Select& b, LiteralMatch match) {
  return same(a, b, match);
}
bool equal(const Statement& a, const Statement& b, LiteralMatch match) {
  return same(a, b, match);
}

}  // namespace anabranch::rewriter::tree
