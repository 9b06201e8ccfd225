#pragma once

#include <string>
#include <string_view>

#include "values/decimal.h"

/// Numbers as MariaDB 10.11 calculates and prints them, where PostgreSQL does otherwise.
namespace anabranch::values {

/// A DOUBLE as a server has printed it. Throws SqlError (invalid_text).
double parse_mysql_double(std::string_view text);
/// A DOUBLE without fixed decimals (my_gcvt() of strings/dtoa.c): the fewest digits that read back as the value,
/// "0.00001" or "1234.5" or "1.5e20". The server has no others than finite ones: the rest is float_overflow, here
/// and below.
void append_mysql_double(std::string& out, double value);
/// A FLOAT without fixed decimals: the same of at most six digits, which need not read back.
void append_mysql_float(std::string& out, float value);
/// A DOUBLE or FLOAT with fixed decimals (my_fcvt()), 0 to 30.
void append_mysql_double(std::string& out, double value, int decimals);

/// A quotient as do_div_mod() of strings/decimal.c has it, before it is rounded to a column's decimals: for `/` and
/// for AVG, which divides the sum by the count. Digits come in nines and are cut off, not rounded, so that the
/// scales of the operands matter, trailing zeros included. The caller sees to zero divisors (NULL).
/// `precision_increment` is @@div_precision_increment. Throws SqlError (numeric_overflow) above 81 digits.
Decimal mysql_quotient(const Decimal& left, const Decimal& right, int precision_increment);

/// The same as the server sends it in a column of so many decimals: rounded. A negative quotient whose digits were
/// all cut off keeps its sign ("-0.000000000"), and one without room for all decimals has fewer.
void append_mysql_quotient(std::string& out, const Decimal& left, const Decimal& right, int precision_increment,
                           int decimals);

/// A DECIMAL column's text: half is rounded away from zero, and there are `decimals` digits after the point,
/// 0 to 38. Zero has no sign.
void append_mysql_decimal(std::string& out, const Decimal& value, int decimals);

}  // namespace anabranch::values
