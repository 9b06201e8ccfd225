#include "own_types.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <span>
#include <stdexcept>

namespace anabranch::differential {

namespace {

constexpr uint32_t first_user_oid = 16384;

uint32_t hash_of(const std::string& name) {
  uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

}  // namespace

void OwnTypes::Close::operator()(pg_conn* connection) const {
  PQfinish(connection);
}
void OwnTypes::Clear::operator()(pg_result* result) const {
  PQclear(result);
}

/// A binary value, read from front to back; what is not well formed throws.
class OwnTypes::Bytes {
 public:
  explicit Bytes(std::span<char> bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  std::span<char> take(std::size_t count) {
    if (count > rest_.size()) throw std::runtime_error("a binary value is shorter than it says");
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  uint32_t number() {
    uint32_t value = 0;
    for (const char c : take(4)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::span<char> field() {
    const uint32_t length = number();
    return length == 0xFFFFFFFFU ? std::span<char>() : take(length);
  }

 private:
  std::span<char> rest_;
};

OwnTypes::ResultPtr OwnTypes::ask(const std::string& sql) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    connection_.reset(PQconnectdb(conninfo_.c_str()));
    PQsetNoticeReceiver(connection_.get(), [](void*, const PGresult*) {}, nullptr);
  }
  return ResultPtr(PQexec(connection_.get(), sql.c_str()));
}

const OwnTypes::Type& OwnTypes::type(uint32_t oid) {
  const auto known = types_.find(oid);
  if (known != types_.end()) return known->second;
  const ResultPtr result = ask(fmt::format(
      "SELECT t.typname, CASE WHEN t.oid = 2206 THEN 'T' WHEN t.typcategory = 'A' OR t.oid = 2287 THEN 'A'"
      " WHEN t.oid = 2249 THEN 'c' ELSE t.typtype::text END,"
      " coalesce(r.rngsubtype, t.typbasetype) FROM pg_catalog.pg_type t"
      " LEFT JOIN pg_catalog.pg_range r ON t.oid IN (r.rngtypid, r.rngmultitypid)"
      " WHERE t.oid = {}",
      oid));
  Type found{.name = fmt::format("unknown type {}", oid)};
  if (PQresultStatus(result.get()) == PGRES_TUPLES_OK && PQntuples(result.get()) == 1) {
    found.name = PQgetvalue(result.get(), 0, 0);
    found.part = static_cast<uint32_t>(std::stoul(PQgetvalue(result.get(), 0, 2)));
    switch (*PQgetvalue(result.get(), 0, 1)) {
      case 'A': found.kind = Kind::array; break;
      case 'c': found.kind = Kind::row; break;
      case 'r': found.kind = Kind::range; break;
      case 'm': found.kind = Kind::multirange; break;
      case 'T': found.kind = Kind::type; break;
      case 'd': found.kind = type(found.part).kind; found.part = type(found.part).part; break;
      default: break;
    }
  }
  return types_[oid] = std::move(found);
}

std::string OwnTypes::type_name(uint32_t oid) {
  return type(oid).name;
}

std::string OwnTypes::table_name(uint32_t oid) {
  if (oid < first_user_oid) return fmt::format("{}", oid);
  const auto known = tables_.find(oid);
  if (known != tables_.end()) return known->second;
  const ResultPtr result =
      ask(fmt::format("SELECT relname FROM pg_catalog.pg_class WHERE oid = {}", oid));
  // One that was made in the case may be gone by now.
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK || PQntuples(result.get()) != 1) return "gone";
  return tables_[oid] = PQgetvalue(result.get(), 0, 0);
}

uint32_t OwnTypes::type_oid(const std::string& name) {
  const ResultPtr result = ask(fmt::format("SELECT pg_catalog.to_regtype('{}')::oid", name));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK || PQgetisnull(result.get(), 0, 0) == 1) return 0;
  return static_cast<uint32_t>(std::stoul(PQgetvalue(result.get(), 0, 0)));
}

std::string OwnTypes::binary(const std::string& type, const std::string& text) {
  (void)ask("SELECT 1");
  const char* const value = text.c_str();
  const ResultPtr result(PQexecParams(connection_.get(), fmt::format("SELECT $1::text::{}", type).c_str(),
                                      1, nullptr, &value, nullptr, nullptr, 1));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
    throw std::runtime_error(PQresultErrorMessage(result.get()));
  }
  return {PQgetvalue(result.get(), 0, 0), static_cast<std::size_t>(PQgetlength(result.get(), 0, 0))};
}

uint32_t OwnTypes::rename(Bytes& in) {
  Bytes at = in;
  const uint32_t oid = at.number();
  uint32_t name = oid < first_user_oid ? oid : hash_of(type_name(oid));
  const auto bytes = in.take(4);
  for (int i = 3; i >= 0; --i, name >>= 8) bytes[static_cast<std::size_t>(i)] = static_cast<char>(name & 0xff);
  return oid;
}

void OwnTypes::rename(Bytes in, uint32_t oid) {
  if (in.at_end()) return;
  const Type is = type(oid);
  const auto range = [this, &is](Bytes bounds) {
    const auto flags = static_cast<unsigned char>(bounds.take(1).front());
    while (!bounds.at_end() && (flags & 1) == 0) rename(Bytes(bounds.field()), is.part);
  };
  switch (is.kind) {
    case Kind::plain: return;
    case Kind::type: (void)rename(in); return;
    case Kind::range: range(in); return;
    case Kind::array: {
      const uint32_t dimensions = in.number();
      (void)in.number();
      const uint32_t element = rename(in);
      (void)in.take(dimensions * 8);
      while (!in.at_end()) rename(Bytes(in.field()), element);
      return;
    }
    case Kind::row:
      for (uint32_t left = in.number(); left > 0; --left) {
        const uint32_t column = rename(in);
        rename(Bytes(in.field()), column);
      }
      return;
    case Kind::multirange:
      for (uint32_t left = in.number(); left > 0; --left) range(Bytes(in.field()));
      return;
  }
}

void OwnTypes::name_types_inside(Result& result) {
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    const Column& column = result.columns[i];
    const bool nameless = column.oid < first_user_oid && column.oid != 2249 && column.oid != 2287 &&
                          column.oid != 2206 && column.oid != 2211;
    if (column.format == 0 || nameless) continue;
    for (Row& row : result.rows) {
      if (row[i]) rename(Bytes(*row[i]), column.oid);
    }
  }
}

}  // namespace anabranch::differential
