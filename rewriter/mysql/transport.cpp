#include "rewriter/mysql/merging.h"
#include "values/mysql_type.h"

namespace anabranch::rewriter::mysql {
namespace {

using values::MysqlCode;
using Form = Finish::Column::Form;

constexpr int first_with_values = 100303;

std::string charset_of(std::string_view collation) {
  return std::string(collation.substr(0, collation.find('_')));
}

/// Of the columns in an expression, where they have one; empty: of none, or of several.
std::string charset_of(const Planning& planning, const tree::Expr& expr) {
  std::string charset;
  bool one = true;
  tree::walk(expr, [&](const tree::Expr& at) {
    const router::Column* column = at.as<tree::ColumnRef>() != nullptr ? planning.query.column(ident_of(at)) : nullptr;
    if (column == nullptr || column->collation_name.empty()) return true;
    const std::string found = charset_of(column->collation_name);
    one &= charset.empty() || charset == found;
    charset = found;
    return true;
  });
  return one ? charset : std::string();
}

/// MariaDB's JSON is a text of this type, with which its functions do otherwise than with a text that was sent.
bool may_be_json(const Planning& planning, const tree::Expr& expr, bool long_text) {
  bool found = false;
  tree::walk(expr, [&](const tree::Expr& at) {
    if (at.as<tree::ColumnRef>() == nullptr) return !found;
    const router::Column* column = planning.query.column(ident_of(at));
    found |= column == nullptr ? long_text : column->type_name == "longtext" && column->collation_name == "utf8mb4_bin";
    return !found;
  });
  return found;
}

/// Bytes of utf8mb4, whatever the client's character set is.
tree::ExprPtr utf8_of(const tree::Expr& expr) {
  tree::FunctionCall convert;
  convert.name = {"convert"};
  convert.sql_syntax = true;
  convert.args.push_back(tree::clone(expr));
  convert.args.push_back(tree::make::expr(tree::Keyword{"utf8mb4"}));
  return tree::make::cast(tree::make::expr(std::move(convert)), "binary");
}

tree::ExprPtr exact(const tree::Expr& expr) {
  return tree::make::op("+", tree::make::raw("0e0"), tree::clone(expr));
}

}  // namespace

std::optional<Transport> transport(const Planning& planning, const ResultColumn& column, const tree::Expr& expr) {
  const Mode& mode = planning.request->context->mysql;
  // Where text is not compared as ever, '' may be NULL.
  if (!mode.mariadb || mode.version < first_with_values || !mode.weighs || column.zerofill) return std::nullopt;
  const bool flag = values::has_mysql_flag(column.type);
  const bool any_decimals = column.typmod >= values::kAnyDecimals;
  switch (values::mysql_code(column.type)) {
    case MysqlCode::tiny:
    case MysqlCode::short_:
    case MysqlCode::int24:
    case MysqlCode::long_:
    case MysqlCode::longlong:
      return Transport{tree::clone(expr), {flag ? Form::unsigned_number : Form::number}};
    case MysqlCode::decimal:
    case MysqlCode::newdecimal:
      if (flag) return std::nullopt;
      return Transport{tree::clone(expr), {Form::number}};
    case MysqlCode::double_:
      if (flag || !any_decimals) return std::nullopt;
      return Transport{tree::clone(expr), {Form::real}};
    case MysqlCode::float_:
      if (flag || !any_decimals) return std::nullopt;
      return Transport{exact(expr), {Form::single}};
    case MysqlCode::date:
      return Transport{tree::clone(expr), {Form::date}};
    case MysqlCode::time:
      return Transport{tree::clone(expr), {Form::time}};
    case MysqlCode::datetime:
      return Transport{tree::clone(expr), {Form::datetime}};
    case MysqlCode::varchar:
    case MysqlCode::var_string:
    case MysqlCode::string:
    case MysqlCode::tiny_blob:
    case MysqlCode::medium_blob:
    case MysqlCode::long_blob:
    case MysqlCode::blob:
      if (flag) return Transport{tree::clone(expr), {Form::bytes}};
      if (may_be_json(planning, expr, !values::is_mysql_string(column.type))) return std::nullopt;
      return Transport{utf8_of(expr), {Form::text, charset_of(planning, expr)}};
    default:
      return std::nullopt;
  }
}

}  // namespace anabranch::rewriter::mysql
