#include "values/datum.h"

#include <fmt/format.h>

#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "values/codec.h"
#include "values/errors.h"

namespace anabranch::values {

namespace {

TypeKind kind_of(Oid type) {
  const TypeInfo* info = find_type(type);
  return info != nullptr ? info->kind : TypeKind::known;
}

std::string_view name_of(Oid type) {
  const TypeInfo* info = find_type(type);
  return info != nullptr ? info->name : "unknown";
}

[[noreturn]] void bad_text(Oid type, std::string_view text) {
  throw make_error(ErrorId::invalid_text, name_of(type), text.substr(0, 100));
}

template <typename Integer>
Integer fixed(Oid type, std::string_view bytes) {
  if (bytes.size() != sizeof(Integer)) throw make_error(ErrorId::invalid_binary, name_of(type));
  return load_be<Integer>(bytes.data());
}

template <typename Integer>
int64_t parse_integer(Oid type, std::string_view text) {
  Integer value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range && at == end)
    throw make_error(ErrorId::text_out_of_range, text, name_of(type));
  if (error != std::errc{} || at != end) bad_text(type, text);
  return value;
}

double read_decimal(const char* text, char** end, double /*tag*/) {
  return std::strtod(text, end);
}
float read_decimal(const char* text, char** end, float /*tag*/) {
  return std::strtof(text, end);
}

template <typename Float>
Float parse_float(Oid type, std::string_view text) {
  if (text == "NaN") return std::numeric_limits<Float>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<Float>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<Float>::infinity();
  if (text.empty() || text.find_first_not_of("+-.0123456789eE") != std::string_view::npos)
    bad_text(type, text);
  const std::string copy(text);
  char* end = nullptr;
  errno = 0;
  const Float value = read_decimal(copy.c_str(), &end, Float{});
  if (end != copy.c_str() + copy.size()) bad_text(type, text);
  if (errno == ERANGE && (value == 0 || std::isinf(value)))
    throw make_error(ErrorId::text_out_of_range, text, name_of(type));
  return value;
}

Datum::Value decode_binary(Oid type, TypeKind kind, std::string_view bytes) {
  switch (kind) {
    case TypeKind::boolean:
      return fixed<uint8_t>(type, bytes) != 0;
    case TypeKind::int2:
      return int64_t{fixed<int16_t>(type, bytes)};
    case TypeKind::int4:
      return int64_t{fixed<int32_t>(type, bytes)};
    case TypeKind::int8:
    case TypeKind::money:
      return fixed<int64_t>(type, bytes);
    case TypeKind::oid:
      return int64_t{fixed<uint32_t>(type, bytes)};
    case TypeKind::float4:
      return std::bit_cast<float>(fixed<uint32_t>(type, bytes));
    case TypeKind::float8:
      return std::bit_cast<double>(fixed<uint64_t>(type, bytes));
    case TypeKind::numeric:
      return Decimal::from_binary(bytes);
    case TypeKind::interval:
      return Interval::from_binary(bytes);
    case TypeKind::text:
    case TypeKind::bpchar:
      return std::string(bytes);
    default:
      return RawValue{std::string(bytes), Format::binary};
  }
}

Datum::Value decode_text(Oid type, TypeKind kind, std::string_view text) {
  switch (kind) {
    case TypeKind::boolean:
      if (text != "t" && text != "f") bad_text(type, text);
      return text == "t";
    case TypeKind::int2:
      return parse_integer<int16_t>(type, text);
    case TypeKind::int4:
      return parse_integer<int32_t>(type, text);
    case TypeKind::int8:
      return parse_integer<int64_t>(type, text);
    case TypeKind::oid:
      return parse_integer<uint32_t>(type, text);
    case TypeKind::float4:
      return parse_float<float>(type, text);
    case TypeKind::float8:
      return parse_float<double>(type, text);
    case TypeKind::numeric:
      return Decimal::parse(text);
    case TypeKind::text:
    case TypeKind::bpchar:
      return std::string(text);
    default:
      return RawValue{std::string(text), Format::text};
  }
}

void append_integer(Oid type, int64_t value, Format format, std::string& out) {
  if (format == Format::text) {
    fmt::format_to(std::back_inserter(out), "{}", value);
    return;
  }
  switch (kind_of(type)) {
    case TypeKind::int2:
      return append_be(out, static_cast<int16_t>(value));
    case TypeKind::int4:
    case TypeKind::oid:
      return append_be(out, static_cast<uint32_t>(value));
    default:
      return append_be(out, value);
  }
}

/// Writes what a datum holds, by the alternative it holds.
struct Encoder {
  Oid type;
  Format format;
  const PrintSettings& settings;
  std::string& out;

  bool text() const { return format == Format::text; }

  void operator()(std::monostate) const {
    throw make_error(ErrorId::internal, "NULL has no bytes");
  }
  void operator()(bool value) const {
    if (text()) {
      out.push_back(value ? 't' : 'f');
    } else {
      out.push_back(value ? 1 : 0);
    }
  }
  void operator()(int64_t value) const { append_integer(type, value, format, out); }
  void operator()(float value) const {
    if (text()) return append_float4(out, value, settings.extra_float_digits);
    append_be(out, std::bit_cast<uint32_t>(value));
  }
  void operator()(double value) const {
    if (text()) return append_float8(out, value, settings.extra_float_digits);
    append_be(out, std::bit_cast<uint64_t>(value));
  }
  void operator()(const Decimal& value) const {
    if (text()) return value.append_text(out);
    value.append_binary(out);
  }
  void operator()(const Interval& value) const {
    if (text()) return value.append_text(out);
    value.append_binary(out);
  }
  void operator()(const std::string& value) const { out += value; }
  void operator()(const RawValue& value) const {
    if (value.format != format)
      throw make_error(ErrorId::internal, "a raw value in the other format");
    out += value.bytes;
  }
};

}  // namespace

Datum decode(Oid type, Format format, std::optional<std::string_view> wire_value) {
  if (!wire_value) return Datum::null(type);
  const TypeKind kind = kind_of(type);
  return {type, format == Format::binary ? decode_binary(type, kind, *wire_value)
                                         : decode_text(type, kind, *wire_value)};
}

bool can_encode(Oid type, Format format, const PrintSettings& settings) {
  const TypeKind kind = kind_of(type);
  if (kind == TypeKind::interval)
    return format == Format::binary || settings.interval_style_postgres;
  if (kind == TypeKind::money) return format == Format::binary;
  return true;
}

void encode(const Datum& datum, Format format, const PrintSettings& settings, std::string& out) {
  const bool raw = std::holds_alternative<RawValue>(datum.value);
  if (!raw && !can_encode(datum.type, format, settings))
    throw make_error(ErrorId::internal, fmt::format("text of type {}", name_of(datum.type)));
  std::visit(Encoder{datum.type, format, settings, out}, datum.value);
}

}  // namespace anabranch::values
