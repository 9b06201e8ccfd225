#include "values/key.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <vector>

#include "values/array.h"
#include "values/codec.h"
#include "values/decimal.h"
#include "values/errors.h"
#include "values/interval.h"
#include "values/jsonb_key.h"
#include "values/key_bytes.h"
#include "values/mysql_number.h"
#include "values/weights_key.h"

namespace anabranch::values {

namespace {

/// Marks inside an array's key: the end sorts below a value, a value below NULL.
constexpr char kArrayEnd = 1;
constexpr char kElement = 2;
constexpr char kNullElement = 3;

template <typename Float>
void append_float_key(std::string& out, Float value) {
  using Bits = std::conditional_t<sizeof(Float) == 8, uint64_t, uint32_t>;
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  if (std::isnan(value)) {
    append_be(out, static_cast<Bits>(~Bits{0}));
    return;
  }
  if (value == 0) value = 0;  // -0 is 0
  const auto bits = std::bit_cast<Bits>(value);
  append_be(out, static_cast<Bits>((bits & kSign) != 0 ? ~bits : bits | kSign));
}

std::string_view without_trailing_blanks(std::string_view text) {
  const size_t last = text.find_last_not_of(' ');
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

void append_span_key(std::string& out, Int128 span) {
  const auto biased = static_cast<Uint128>(span) ^ (static_cast<Uint128>(1) << 127);
  append_be(out, static_cast<uint64_t>(biased >> 64));
  append_be(out, static_cast<uint64_t>(biased));
}

void append_timetz_key(std::string& out, const TimeTz& value) {
  append_signed_key<int64_t>(out, value.microseconds + value.zone * kMicrosecondsPerSecond);
  append_signed_key<int32_t>(out, value.zone);
}

}  // namespace

class KeyEncoder::Plan {
 public:
  Plan(const KeySpec& spec, TypeKind kind)
      : kind_(kind),
        binary_(spec.format == Format::binary),
        name_(type_name(spec.type)),
        collation_(spec.collation) {}

  TypeKind kind() const { return kind_; }

  void set_labels(std::shared_ptr<const EnumType> enumeration) {
    enumeration_ = std::move(enumeration);
    for (size_t i = 0; i < enumeration_->labels.size(); ++i)
      ranks_.emplace_back(enumeration_->labels[i], static_cast<uint32_t>(i));
    std::ranges::sort(ranks_);
  }

  void set_element(std::shared_ptr<const Plan> element, Oid element_oid) {
    element_ = std::move(element);
    element_oid_ = element_oid;
  }

  void append(std::string_view value, std::string& out) const {
    if (binary_) {
      append_binary(value, out);
    } else {
      append_text(value, out);
    }
  }

 private:
  void append_binary(std::string_view value, std::string& out) const;
  void append_text(std::string_view value, std::string& out) const;
  void append_common(std::string_view value, std::string& out) const;
  void append_array(const ArrayValue& array, std::string& out) const;
  void append_label(std::string_view label, std::string& out) const;
  void append_char_text(std::string_view value, std::string& out) const;

  [[noreturn]] void bad_binary() const { throw make_error(ErrorId::invalid_binary, name_); }
  [[noreturn]] void bad_text(std::string_view value) const {
    throw make_error(ErrorId::invalid_text, name_, value.substr(0, 100));
  }

  template <typename Integer>
  Integer fixed(std::string_view value) const {
    if (value.size() != sizeof(Integer)) bad_binary();
    return load_be<Integer>(value.data());
  }

  template <typename Integer>
  Integer number(std::string_view value) const {
    Integer result = 0;
    const char* end = value.data() + value.size();
    const auto [at, error] = std::from_chars(value.data(), end, result);
    if (error != std::errc{} || at != end) bad_text(value);
    return result;
  }

  template <typename Parsed>
  Parsed parsed(const std::optional<Parsed>& result, std::string_view value) const {
    if (!result) bad_text(value);
    return *result;
  }

  TypeKind kind_;
  bool binary_;
  std::string name_;
  Collation collation_;
  std::shared_ptr<const EnumType> enumeration_;
  std::vector<std::pair<std::string_view, uint32_t>> ranks_;  // by label
  std::shared_ptr<const Plan> element_;
  Oid element_oid_ = 0;
};

void KeyEncoder::Plan::append_binary(std::string_view value, std::string& out) const {
  switch (kind_) {
    case TypeKind::boolean: {
      const auto byte = fixed<uint8_t>(value);
      return out.push_back(byte != 0 ? 1 : 0);
    }
    case TypeKind::int2:
      return append_signed_key(out, fixed<int16_t>(value));
    case TypeKind::int4:
    case TypeKind::date:
      return append_signed_key(out, fixed<int32_t>(value));
    case TypeKind::int8:
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::timestamptz:
    case TypeKind::money:
      return append_signed_key(out, fixed<int64_t>(value));
    case TypeKind::oid:
      return append_be(out, fixed<uint32_t>(value));
    case TypeKind::float4:
      return append_float_key(out, std::bit_cast<float>(fixed<uint32_t>(value)));
    case TypeKind::float8:
      return append_float_key(out, std::bit_cast<double>(fixed<uint64_t>(value)));
    case TypeKind::numeric:
      return Decimal::from_binary(value).append_key(out);
    case TypeKind::single_char:
      return out.push_back(static_cast<char>(fixed<uint8_t>(value)));
    case TypeKind::bytea:
      return append_bytes_key(out, value);
    case TypeKind::timetz: {
      BinaryReader in(value, name_);
      const auto time = in.read<int64_t>();
      const auto zone = in.read<int32_t>();
      in.expect_end();
      if (time < 0 || time > kMicrosecondsPerDay) in.fail();
      return append_timetz_key(out, {time, zone});
    }
    case TypeKind::interval:
      return append_span_key(out, Interval::from_binary(value).span());
    case TypeKind::uuid:
      if (value.size() != 16) bad_binary();
      out.append(value);
      return;
    case TypeKind::jsonb:
      if (value.empty() || value.front() != 1) bad_binary();
      return append_jsonb_key(value.substr(1), collation_, out);
    case TypeKind::array:
      return append_array(parse_array_binary(value, element_oid_, name_), out);
    default:
      return append_common(value, out);
  }
}

void KeyEncoder::Plan::append_text(std::string_view value, std::string& out) const {
  switch (kind_) {
    case TypeKind::boolean:
      if (value != "t" && value != "f") bad_text(value);
      return out.push_back(value == "t" ? 1 : 0);
    case TypeKind::int2:
      return append_signed_key(out, number<int16_t>(value));
    case TypeKind::int4:
      return append_signed_key(out, number<int32_t>(value));
    case TypeKind::int8:
      return append_signed_key(out, number<int64_t>(value));
    case TypeKind::oid:
      return append_be(out, number<uint32_t>(value));
    case TypeKind::numeric:
      return Decimal::parse(value).append_key(out);
    case TypeKind::single_char:
      return append_char_text(value, out);
    case TypeKind::time:
      return append_signed_key(out, parsed(parse_time(value), value));
    case TypeKind::timetz:
      return append_timetz_key(out, parsed(parse_timetz(value), value));
    case TypeKind::uuid: {
      const Uuid uuid = parsed(parse_uuid(value), value);
      out.append(reinterpret_cast<const char*>(uuid.data()), uuid.size());
      return;
    }
    case TypeKind::jsonb:
      return append_jsonb_key(value, collation_, out);
    case TypeKind::array:
      return append_array(parse_array_text(value, name_), out);
    default:
      return append_common(value, out);
  }
}

/// What has the same bytes in both formats.
void KeyEncoder::Plan::append_common(std::string_view value, std::string& out) const {
  switch (kind_) {
    case TypeKind::text:
      return append_text_key(out, value, collation_);
    case TypeKind::bpchar:
      return append_text_key(out, without_trailing_blanks(value), collation_);
    case TypeKind::enumeration:
      return append_label(value, out);
    case TypeKind::mysql_real:
      return append_float_key(out, parse_mysql_double(value));
    case TypeKind::mysql_weights:
      return append_weights_key(value, out);
    default:
      throw make_error(ErrorId::internal, fmt::format("a key of type {}", name_));
  }
}

void KeyEncoder::Plan::append_array(const ArrayValue& array, std::string& out) const {
  for (const auto& element : array.elements) {
    out.push_back(element ? kElement : kNullElement);
    if (element) element_->append(*element, out);
  }
  out.push_back(kArrayEnd);
  out.push_back(static_cast<char>(array.dimensions));
  for (size_t i = 0; i < array.dimensions; ++i) append_signed_key(out, array.sizes[i]);
  for (size_t i = 0; i < array.dimensions; ++i) append_signed_key(out, array.lower_bounds[i]);
}

void KeyEncoder::Plan::append_label(std::string_view label, std::string& out) const {
  const auto found =
      std::ranges::lower_bound(ranks_, label, {}, [](const auto& r) { return r.first; });
  if (found == ranks_.end() || found->first != label) bad_text(label);
  append_be(out, found->second);
}

/// charout(): nothing for 0, an octal escape for bytes that are not ASCII (since PostgreSQL 16).
void KeyEncoder::Plan::append_char_text(std::string_view value, std::string& out) const {
  const auto octal = [&](size_t i) { return value[i] >= '0' && value[i] <= '7'; };
  if (value.size() <= 1) {
    out.push_back(value.empty() ? '\0' : value.front());
  } else if (value.size() == 4 && value[0] == '\\' && octal(1) && octal(2) && octal(3)) {
    out.push_back(
        static_cast<char>(((value[1] - '0') << 6) | ((value[2] - '0') << 3) | (value[3] - '0')));
  } else {
    bad_text(value);
  }
}

namespace {

using PlanResult = std::expected<TypeKind, std::string>;

/// Whether the type has a key in this format, and under this collation.
PlanResult check_kind(const KeySpec& spec) {
  const TypeInfo* info = find_type(spec.type.oid);
  if (info == nullptr) {
    if (!spec.type.enumeration)
      return std::unexpected(fmt::format("type {} has no known equality", type_name(spec.type)));
    return spec.type.enumeration->oid == spec.type.oid ? TypeKind::enumeration : TypeKind::array;
  }
  if (!info->has_equality)
    return std::unexpected(fmt::format("type {} has no known equality", info->name));
  if (spec.format == Format::text && !info->text_is_canonical) {
    return std::unexpected(
        fmt::format("the text of type {} depends on the session's settings", info->name));
  }
  if ((info->is_collatable || info->kind == TypeKind::jsonb) && !spec.collation.can_order())
    return std::unexpected(std::string(spec.collation.reason()));
  return info->kind;
}

/// The element's own specification; the enumeration of an enum array describes its elements.
KeySpec element_spec(const KeySpec& spec) {
  KeySpec element = spec;
  const TypeInfo* info = find_type(spec.type.oid);
  element.type.oid = info != nullptr ? info->element_oid : spec.type.enumeration->oid;
  return element;
}

}  // namespace

std::expected<KeyEncoder, std::string> KeyEncoder::make(const KeySpec& spec) {
  const PlanResult kind = check_kind(spec);
  if (!kind) return std::unexpected(kind.error());
  auto plan = std::make_shared<Plan>(spec, *kind);
  if (*kind == TypeKind::enumeration) plan->set_labels(spec.type.enumeration);
  if (*kind == TypeKind::array) {
    const KeySpec inner = element_spec(spec);
    auto element = make(inner);
    if (!element) return std::unexpected(element.error());
    plan->set_element(element->plan_, spec.type.enumeration ? Oid{0} : inner.type.oid);
  }
  KeyEncoder encoder;
  encoder.plan_ = std::move(plan);
  encoder.null_marker_ = spec.nulls_first ? 1 : 3;
  encoder.descending_ = spec.descending;
  if (!spec.descending) encoder.choose_fast_path(spec);
  return encoder;
}

void KeyEncoder::choose_fast_path(const KeySpec& spec) {
  const TypeKind kind = plan_->kind();
  const bool binary = spec.format == Format::binary;
  const auto word = [&](uint8_t size, uint8_t flip) {
    fast_ = Fast::word;
    word_size_ = size;
    sign_flip_ = flip;
  };
  if (kind == TypeKind::bytea || (kind == TypeKind::text && spec.collation.is_bytes())) {
    fast_ = Fast::bytes;
  } else if (!binary) {
    return;
  } else if (kind == TypeKind::int2) {
    word(2, 0x80);
  } else if (kind == TypeKind::int4 || kind == TypeKind::date) {
    word(4, 0x80);
  } else if (kind == TypeKind::int8 || kind == TypeKind::timestamp ||
             kind == TypeKind::timestamptz || kind == TypeKind::time || kind == TypeKind::money) {
    word(8, 0x80);
  } else if (kind == TypeKind::oid) {
    word(4, 0);
  }
}

void KeyEncoder::append_value(std::string_view value, std::string& out) const {
  out.push_back(kValueMarker);
  const size_t at = out.size();
  plan_->append(value, out);
  if (!descending_) return;
  for (size_t i = at; i < out.size(); ++i) out[i] = static_cast<char>(~out[i]);
}

}  // namespace anabranch::values
