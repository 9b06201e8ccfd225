#include "support_mysql.h"

using namespace anabranch::rewriter;
using namespace anabranch::rewriter::mysql::testing;
using anabranch::rewriter::mysql::Mode;

namespace {

/// Every node in brackets, its own words first.
std::string nested(const tree::Expr& expr);

struct Nested {
  std::string parts(std::string word, std::initializer_list<const tree::Expr*> args) const {
    for (const tree::Expr* arg : args)
      if (arg) word += " " + nested(*arg);
    return "[" + word + "]";
  }
  std::string operator()(const tree::OperatorCall& op) const {
    return parts(op.name, {op.left.get(), op.right.get()});
  }
  std::string operator()(const tree::BoolOp& op) const {
    static constexpr const char* words[] = {"and", "or", "not"};
    std::string out = std::string("[") + words[static_cast<int>(op.kind)];
    for (const auto& arg : op.args) out += " " + nested(*arg);
    return out + "]";
  }
  std::string operator()(const tree::NullTest& test) const {
    return parts(test.negated ? "not-null" : "null", {test.arg.get()});
  }
  std::string operator()(const tree::BooleanTest& test) const {
    return parts("is" + std::to_string(static_cast<int>(test.kind)), {test.arg.get()});
  }
  std::string operator()(const tree::Between& node) const {
    return parts(node.negated ? "not-between" : "between",
                 {node.arg.get(), node.low.get(), node.high.get()});
  }
  std::string operator()(const tree::InList& node) const {
    std::string out = node.negated ? "[not-in " : "[in ";
    out += nested(*node.arg);
    for (const auto& item : node.list) out += " " + nested(*item);
    return out + "]";
  }
  std::string operator()(const tree::DistinctFrom& node) const {
    return parts("<=>", {node.left.get(), node.right.get()});
  }
  std::string operator()(const tree::Collate& node) const {
    return parts("collate-" + node.collation.back(), {node.arg.get()});
  }
  std::string operator()(const tree::Interval& node) const {
    return parts(node.unit, {node.count.get()});
  }
  std::string operator()(const tree::FunctionCall& node) const {
    std::string out = "[" + node.name.back();
    for (const auto& arg : node.args) out += " " + nested(*arg);
    return out + "]";
  }
  std::string operator()(const tree::ColumnRef& node) const { return node.parts.back(); }
  std::string operator()(const tree::Literal& node) const { return node.unpinned_value(); }
  std::string operator()(const tree::Variable& node) const { return "@" + node.name.back(); }
  std::string operator()(const auto&) const { return "?"; }
};

std::string nested(const tree::Expr& expr) {
  return std::visit(Nested{}, expr.node);
}

std::string read(std::string_view expr, const Mode& mode = {}) {
  Shape made;
  const auto statements = parse_all("SELECT " + std::string(expr), made, mode);
  REQUIRE(statements.size() == 1);
  return nested(*statements[0]->as<tree::Select>()->targets.at(0).expr);
}

}  // namespace

TEST_CASE("MySQL's operators bind as in the servers") {
  static constexpr std::pair<const char*, const char*> cases[] = {
      {"a + b * c", "[+ a [* b c]]"},
      {"a - b - c", "[- [- a b] c]"},
      {"a * b DIV c MOD d", "[% [DIV [* a b] c] d]"},
      {"a ^ b * c", "[* [^ a b] c]"},
      {"-a ^ b", "[^ [- a] b]"},
      {"~a & b | c", "[| [& [~ a] b] c]"},
      {"a << b + c", "[<< a [+ b c]]"},
      {"a & b << c", "[& a [<< b c]]"},
      {"a | b = c", "[= [| a b] c]"},
      {"a = b = c", "[= [= a b] c]"},
      {"a < b <> c", "[<> [< a b] c]"},
      {"a != b", "[<> a b]"},
      {"a <=> b = c", "[= [<=> a b] c]"},
      {"a = b IS NULL", "[null [= a b]]"},
      {"a = b IS NOT TRUE", "[is1 [= a b]]"},
      {"a IS NULL = b", "[= [null a] b]"},
      {"NOT a = b", "[not [= a b]]"},
      {"NOT a IS NULL", "[not [null a]]"},
      {"NOT a AND b", "[and [not a] b]"},
      {"NOT NOT a", "[not [not a]]"},
      {"! a = b", "[= [not a] b]"},
      {"! a + b", "[+ [not a] b]"},
      {"a AND b OR c", "[or [and a b] c]"},
      {"a OR b AND c", "[or a [and b c]]"},
      {"a OR b XOR c", "[or a [XOR b c]]"},
      {"a XOR b AND c", "[XOR a [and b c]]"},
      {"a XOR b XOR c", "[XOR [XOR a b] c]"},
      {"(a AND b) AND (c AND d)", "[and a b c d]"},
      {"a || b && c", "[or a [and b c]]"},
      {"a BETWEEN b AND c AND d", "[and [between a b c] d]"},
      {"a BETWEEN b AND c BETWEEN d AND e", "[between a b [between c d e]]"},
      {"a BETWEEN b BETWEEN c AND d AND e", "[between a [between b c d] e]"},
      {"a BETWEEN b AND c LIKE d", "[between a b [~~ c d]]"},
      {"a BETWEEN b AND c NOT LIKE d", "[between a b [!~~ c d]]"},
      {"a LIKE b NOT LIKE c", "[~~ a [!~~ b c]]"},
      {"a LIKE b NOT LIKE c LIKE d", "[~~ [~~ a [!~~ b c]] d]"},
      {"a REGEXP b NOT BETWEEN c AND d LIKE e", "[REGEXP a [not-between b c [~~ d e]]]"},
      {"a LIKE b BETWEEN c AND d", "[between [~~ a b] c d]"},
      {"a LIKE b LIKE c", "[~~ [~~ a b] c]"},
      {"a = b IN (c)", "[= a [in b c]]"},
      {"a = b NOT IN (c, d)", "[= a [not-in b c d]]"},
      {"a + b LIKE c", "[~~ [+ a b] c]"},
      {"a LIKE b = c", "[= [~~ a b] c]"},
      {"a LIKE b ESCAPE 'x' AND c", "[and [~~ a [like_escape b x]] c]"},
      {"a REGEXP b AND c", "[and [REGEXP a b] c]"},
      {"a NOT REGEXP b", "[not [REGEXP a b]]"},
      {"a RLIKE b", "[REGEXP a b]"},
      {"a SOUNDS LIKE b", "[= [soundex a] [soundex b]]"},
      {"- a COLLATE x", "[- [collate-x a]]"},
      {"a = b COLLATE x", "[= a [collate-x b]]"},
      {"BINARY a = b", "[= [BINARY a] b]"},
      {"BINARY a COLLATE x", "[BINARY [collate-x a]]"},
      {"- - a", "[- [- a]]"},
      {"a + INTERVAL 1 DAY", "[+ a [day 1]]"},
      {"a + INTERVAL b + 1 DAY", "[+ a [day [+ b 1]]]"},
      {"a - INTERVAL 1 DAY + INTERVAL 2 HOUR", "[+ [- a [day 1]] [hour 2]]"},
      {"INTERVAL 1 DAY + a", "[+ [day 1] a]"},
      {"INTERVAL 1 DAY + a > b AND c", "[and [+ [day 1] [> a b]] c]"},
      {"INTERVAL(a, b, c) + 1", "[+ [interval a b c] 1]"},
      {"INTERVAL (a) DAY + b", "[+ [day a] b]"},
      {"1 + @x := 2 + 3", "[+ 1 [:= @x [+ 2 3]]]"},
      {"@x := @y := 1", "[:= @x [:= @y 1]]"},
      {"@x := a OR b", "[:= @x [or a b]]"},
      {"a MEMBER OF (b) AND c", "[and [MEMBER OF a b] c]"},
      {"a->'$.x' = 1", "[= [-> a $.x] 1]"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(read(text) == expected);
    CHECK(read(round_trip("SELECT " + std::string(text)).substr(7)) == expected);
  }
}

TEST_CASE("sql_mode and the server decide what some operators mean") {
  CHECK(read("a || b = c", Mode{.pipes_as_concat = true}) == "[= [|| a b] c]");
  CHECK(read("a ^ b || c", Mode{.pipes_as_concat = true}) == "[^ a [|| b c]]");
  CHECK(read("-a || b", Mode{.pipes_as_concat = true}) == "[|| [- a] b]");
  CHECK(read("NOT a = b", Mode{.high_not_precedence = true}) == "[= [not a] b]");
  CHECK(read("INTERVAL 1 DAY + a > b", Mode{.mariadb = false}) == "[> [+ [day 1] a] b]");
  CHECK(read("a NOT IN (b)", Mode{.high_not_precedence = true}) == "[not-in a b]");
}
