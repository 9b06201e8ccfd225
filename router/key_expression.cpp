#include "router/key_expression.h"

#include <algorithm>
#include <array>
#include <limits>

#include "router/hash.h"

namespace anabranch::router {

enum class Operation : std::uint8_t {
  column,
  constant,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  to_yyyymm,
  to_yyyymmdd,
  to_year,
  to_monday,
  lower,
  left,
  crc32,
  int_hash64,
  xxh64,
};

struct KeyExpression::Node {
  Operation operation = Operation::constant;
  std::size_t offset = 0;    // in the text
  std::size_t column = 0;    // of a column: its index in columns()
  std::int64_t integer = 0;  // of a constant
  std::vector<std::shared_ptr<const Node>> arguments;
};

namespace {

using Node = KeyExpression::Node;
using Error = KeyExpression::Error;
using NodePtr = std::shared_ptr<const Node>;

constexpr std::size_t deepest = 64;
constexpr std::size_t longest = 4'096;

struct FunctionRow {
  std::string_view name;
  Operation operation;
  std::size_t arguments;
};
constexpr std::array<FunctionRow, 9> functions{{
    {"toYYYYMM", Operation::to_yyyymm, 1},
    {"toYYYYMMDD", Operation::to_yyyymmdd, 1},
    {"toYear", Operation::to_year, 1},
    {"toMonday", Operation::to_monday, 1},
    {"lower", Operation::lower, 1},
    {"left", Operation::left, 2},
    {"crc32", Operation::crc32, 1},
    {"intHash64", Operation::int_hash64, 1},
    {"xxh64", Operation::xxh64, 1},
}};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Recursive descent; fails by throwing Error, which parse() turns into its answer.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  NodePtr run() {
    NodePtr root = sum();
    skip_blanks();
    if (at_ < text_.size()) fail("expected an operator or the end");
    return root;
  }
  std::vector<std::string> take_columns() { return std::move(columns_); }

 private:
  [[noreturn]] void fail(std::string message) const { throw Error{at_, std::move(message)}; }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  static NodePtr make(Operation operation, std::size_t offset, std::vector<NodePtr> arguments) {
    auto node = std::make_shared<Node>();
    node->operation = operation;
    node->offset = offset;
    node->arguments = std::move(arguments);
    return node;
  }

  // A chain of operators nests to the left, so that its length counts as depth.
  NodePtr chain(NodePtr (Parser::*operand)(),
                std::span<const std::pair<char, Operation>> operators) {
    NodePtr left = (this->*operand)();
    for (std::size_t length = 0;; ++length) {
      const std::size_t offset = at_;
      const auto found =
          std::ranges::find_if(operators, [this](const auto& one) { return take(one.first); });
      if (found == operators.end()) return left;
      if (length >= deepest) fail("too many operators");
      left = make(found->second, offset, {left, (this->*operand)()});
    }
  }

  NodePtr sum() {
    constexpr std::array<std::pair<char, Operation>, 2> operators{
        {{'+', Operation::add}, {'-', Operation::subtract}}};
    return chain(&Parser::product, operators);
  }

  NodePtr product() {
    constexpr std::array<std::pair<char, Operation>, 3> operators{
        {{'*', Operation::multiply}, {'/', Operation::divide}, {'%', Operation::modulo}}};
    return chain(&Parser::operand, operators);
  }

  NodePtr operand() {
    if (++depth_ > deepest) fail("nested too deeply");
    skip_blanks();
    NodePtr node;
    if (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '-')) {
      node = number();
    } else if (take('(')) {
      node = sum();
      if (!take(')')) fail("expected `)`");
    } else {
      node = name_or_call();
    }
    --depth_;
    return node;
  }

  NodePtr number() {
    const std::size_t start = at_;
    if (text_[at_] == '-') ++at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    const auto value = conf::parse_key(KeyType::bigint, text_.substr(start, at_ - start));
    const bool glued = at_ < text_.size() && (is_letter(text_[at_]) || text_[at_] == '.');
    if (!value || glued) {
      at_ = start;
      fail("expected an integer");
    }
    auto node = std::make_shared<Node>();
    node->offset = start;
    node->integer = value->integer;
    return node;
  }

  std::string identifier() {
    skip_blanks();
    std::string name;
    if (at_ < text_.size() && text_[at_] == '"') {
      for (++at_; at_ < text_.size(); ++at_) {
        const bool doubled = text_[at_] == '"' && at_ + 1 < text_.size() && text_[at_ + 1] == '"';
        if (text_[at_] == '"' && !doubled) break;
        if (doubled) ++at_;
        name += text_[at_];
      }
      if (!take('"') || name.empty()) fail("expected a column name in double quotes");
      return name;
    }
    if (at_ >= text_.size() || !is_letter(text_[at_]))
      fail("expected a column, a number or a function");
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_])))
      name += text_[at_++];
    return name;
  }

  NodePtr name_or_call() {
    skip_blanks();
    const std::size_t offset = at_;
    const bool quoted = at_ < text_.size() && text_[at_] == '"';
    const std::string name = identifier();
    if (!quoted && take('(')) return call(name, offset);
    auto node = std::make_shared<Node>();
    node->operation = Operation::column;
    node->offset = offset;
    const auto known = std::ranges::find(columns_, name);
    node->column = static_cast<std::size_t>(known - columns_.begin());
    if (known == columns_.end()) columns_.push_back(name);
    return node;
  }

  NodePtr call(const std::string& name, std::size_t offset) {
    const auto* function = std::ranges::find(functions, std::string_view(name), &FunctionRow::name);
    if (function == functions.end()) {
      at_ = offset;
      std::string known;
      for (const FunctionRow& row : functions) {
        known += (known.empty() ? "" : ", ") + std::string(row.name);
      }
      fail("unknown function `" + name + "` (expected one of " + known + ")");
    }
    std::vector<NodePtr> arguments{sum()};
    while (arguments.size() < function->arguments && take(',')) arguments.push_back(sum());
    if (arguments.size() != function->arguments || !take(')')) {
      fail("expected " + std::to_string(function->arguments) + " argument(s) and `)`");
    }
    const bool length_known =
        function->operation != Operation::left ||
        (arguments[1]->operation == Operation::constant && arguments[1]->integer >= 0);
    if (!length_known) {
      at_ = arguments[1]->offset;
      fail("left takes a constant number of characters, 0 or more");
    }
    return make(function->operation, offset, std::move(arguments));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::vector<std::string> columns_;
};

bool is_arithmetic(Operation operation) {
  return operation >= Operation::add && operation <= Operation::modulo;
}

bool takes_dates(Operation operation) {
  return operation >= Operation::to_yyyymm && operation <= Operation::to_monday;
}

bool takes(Operation operation, KeyType type) {
  if (is_arithmetic(operation)) return type == KeyType::bigint;
  if (takes_dates(operation)) return type == KeyType::date || type == KeyType::timestamp;
  if (operation == Operation::lower) return type == KeyType::text;
  if (operation == Operation::int_hash64) return type == KeyType::bigint || type == KeyType::date;
  return true;
}

std::optional<KeyType> result_of(Operation operation) {
  switch (operation) {
    case Operation::column:
      return std::nullopt;
    case Operation::lower:
    case Operation::left:
      return KeyType::text;
    case Operation::to_monday:
      return KeyType::date;
    default:
      return KeyType::bigint;
  }
}

/// The type of a node, checking every argument below it; throws Error.
KeyType type_of(const Node& node, std::span<const KeyType> columns) {
  if (node.operation == Operation::column) {
    if (node.column >= columns.size())
      throw Error{node.offset, "the type of the column is not known"};
    return columns[node.column];
  }
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    const KeyType type = type_of(*node.arguments[i], columns);
    const bool text_of_left = node.operation == Operation::left;
    const bool fits = text_of_left ? type == (i == 0 ? KeyType::text : KeyType::bigint)
                                   : takes(node.operation, type);
    if (!fits) {
      throw Error{node.arguments[i]->offset,
                  "an argument of type " + std::string(to_string(type)) + " does not fit here"};
    }
  }
  return *result_of(node.operation);
}

constexpr std::int64_t microseconds_per_day = 86'400LL * 1'000'000;

/// Days of a finite date or timestamp.
std::optional<std::int64_t> days_of(KeyType type, std::int64_t value) {
  const bool infinite = type == KeyType::date
                            ? value == std::numeric_limits<std::int32_t>::max() ||
                                  value == std::numeric_limits<std::int32_t>::min()
                            : value == std::numeric_limits<std::int64_t>::max() ||
                                  value == std::numeric_limits<std::int64_t>::min();
  if (infinite) return std::nullopt;
  if (type == KeyType::date) return value;
  return value / microseconds_per_day - (value % microseconds_per_day < 0 ? 1 : 0);
}

std::optional<std::int64_t> of_date(Operation operation, std::int64_t days) {
  const conf::CivilDate date = conf::civil_from_days(days);
  if (date.year < 1) return std::nullopt;
  switch (operation) {
    case Operation::to_year:
      return date.year;
    case Operation::to_yyyymm:
      return date.year * 100 + date.month;
    case Operation::to_yyyymmdd:
      return date.year * 10'000 + date.month * 100 + date.day;
    default: {
      const std::int64_t since_monday = ((days + 3) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
      return days - since_monday;
    }
  }
}

std::optional<std::int64_t> calculate(Operation operation, std::int64_t left, std::int64_t right) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (operation) {
    case Operation::add:
      overflow = __builtin_add_overflow(left, right, &result);
      break;
    case Operation::subtract:
      overflow = __builtin_sub_overflow(left, right, &result);
      break;
    case Operation::multiply:
      overflow = __builtin_mul_overflow(left, right, &result);
      break;
    default:
      if (right == 0) return std::nullopt;
      if (right == -1) {  // the one quotient that overflows; its remainder is 0
        if (operation == Operation::modulo) return 0;
        overflow = __builtin_sub_overflow(std::int64_t{0}, left, &result);
      } else {
        result = operation == Operation::divide ? left / right : left % right;
      }
  }
  if (overflow) return std::nullopt;
  return result;
}

std::optional<KeyValue> lower_ascii(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return KeyValue::of(std::move(text));
}

KeyValue first_characters(const std::string& text, std::int64_t count) {
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80;
    if (starts && count-- == 0) break;
  }
  return KeyValue::of(text.substr(0, end));
}

struct Typed {
  KeyType type;
  KeyValue value;
};

std::optional<KeyValue> compute(Operation operation, std::span<const Typed> arguments) {
  const Typed& first = arguments[0];
  const auto integer = [](std::optional<std::int64_t> value) {
    return value ? std::optional(KeyValue::of(*value)) : std::nullopt;
  };
  if (is_arithmetic(operation)) {
    return integer(calculate(operation, first.value.integer, arguments[1].value.integer));
  }
  if (takes_dates(operation)) {
    const auto days = days_of(first.type, first.value.integer);
    return days ? integer(of_date(operation, *days)) : std::nullopt;
  }
  switch (operation) {
    case Operation::lower:
      return lower_ascii(first.value.bytes);
    case Operation::left:
      return first_characters(first.value.bytes, arguments[1].value.integer);
    case Operation::crc32:
      return KeyValue::of(static_cast<std::int64_t>(crc32(key_bytes(first.type, first.value))));
    case Operation::int_hash64:
      return KeyValue::of(
          static_cast<std::int64_t>(int_hash64(static_cast<std::uint64_t>(first.value.integer))));
    default:
      return KeyValue::of(static_cast<std::int64_t>(xxh64(key_bytes(first.type, first.value))));
  }
}

std::optional<Typed> evaluate_node(const Node& node, std::span<const KeyType> types,
                                   std::span<const KeyValue> values) {
  if (node.operation == Operation::column) return Typed{types[node.column], values[node.column]};
  if (node.operation == Operation::constant) {
    return Typed{KeyType::bigint, KeyValue::of(node.integer)};
  }
  std::vector<Typed> arguments;
  for (const auto& argument : node.arguments) {
    auto value = evaluate_node(*argument, types, values);
    if (!value) return std::nullopt;
    arguments.push_back(std::move(*value));
  }
  auto result = compute(node.operation, arguments);
  if (!result) return std::nullopt;
  return Typed{*result_of(node.operation), std::move(*result)};
}

/// +1, -1 or 0 as monotone() says; columns are counted by the caller.
int direction(const Node& node) {
  if (node.operation == Operation::column) return 1;
  if (takes_dates(node.operation)) return direction(*node.arguments[0]);
  if (!is_arithmetic(node.operation) || node.operation == Operation::modulo) return 0;
  const Node& left = *node.arguments[0];
  const Node& right = *node.arguments[1];
  const bool by_constant = right.operation == Operation::constant;
  const bool of_constant = left.operation == Operation::constant;
  switch (node.operation) {
    case Operation::add:
      return by_constant ? direction(left) : (of_constant ? direction(right) : 0);
    case Operation::subtract:
      return by_constant ? direction(left) : (of_constant ? -direction(right) : 0);
    case Operation::multiply:
    case Operation::divide: {
      const bool swapped = of_constant && node.operation == Operation::multiply;
      if (!by_constant && !swapped) return 0;
      const std::int64_t factor = swapped ? left.integer : right.integer;
      const int inner = direction(swapped ? right : left);
      return factor > 0 ? inner : (factor < 0 ? -inner : 0);
    }
    default:
      return 0;
  }
}

}  // namespace

std::expected<KeyExpression, KeyExpression::Error> KeyExpression::parse(std::string_view text) {
  if (text.size() > longest) return std::unexpected(Error{0, "the expression is too long"});
  try {
    Parser parser(text);
    KeyExpression expression;
    expression.text_ = text;
    expression.root_ = parser.run();
    expression.columns_ = parser.take_columns();
    if (expression.columns_.empty()) {
      return std::unexpected(Error{0, "expected at least one column"});
    }
    expression.monotone_ = expression.columns_.size() == 1 ? direction(*expression.root_) : 0;
    return expression;
  } catch (Error& error) {
    return std::unexpected(std::move(error));
  }
}

std::expected<KeyType, KeyExpression::Error> KeyExpression::type(
    std::span<const KeyType> column_types) const {
  try {
    return type_of(*root_, column_types);
  } catch (Error& error) {
    return std::unexpected(std::move(error));
  }
}

std::optional<KeyType> KeyExpression::result_type() const {
  return result_of(root_->operation);
}

std::optional<KeyValue> KeyExpression::evaluate(std::span<const KeyType> column_types,
                                                std::span<const KeyValue> values) const {
  const bool null = std::ranges::any_of(values, [](const KeyValue& v) { return v.is_null(); });
  if (null) return KeyValue::null();
  auto result = evaluate_node(*root_, column_types, values);
  if (!result) return std::nullopt;
  return std::move(result->value);
}

}  // namespace anabranch::router
