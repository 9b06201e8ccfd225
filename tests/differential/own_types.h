#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "answer.h"

struct pg_conn;
struct pg_result;

namespace anabranch::differential {

/// What one endpoint says of types and tables that users have made: OIDs mean the same only within
/// one server, names mean it everywhere. Asks on a session of its own, and remembers.
class OwnTypes {
 public:
  explicit OwnTypes(std::string conninfo) : conninfo_(std::move(conninfo)) {}

  std::string type_name(uint32_t oid);
  std::string table_name(uint32_t oid);
  /// 0: there is none.
  uint32_t type_oid(const std::string& name);
  /// The binary form of a value, made by the server.
  std::string binary(const std::string& type, const std::string& text);
  /// Binary values that name types by OIDs name them by a hash of their names afterwards.
  void name_types_inside(Result& result);

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  struct Clear {
    void operator()(pg_result* result) const;
  };
  using ResultPtr = std::unique_ptr<pg_result, Clear>;
  enum class Kind { plain, array, row, range, multirange, type };
  struct Type {
    std::string name;
    Kind kind = Kind::plain;
    uint32_t part = 0;  // what a range's bounds are, what a domain is over
  };
  class Bytes;

  ResultPtr ask(const std::string& sql);
  const Type& type(uint32_t oid);
  uint32_t rename(Bytes& in);
  void rename(Bytes in, uint32_t oid);

  std::string conninfo_;
  std::unique_ptr<pg_conn, Close> connection_;
  std::map<uint32_t, Type> types_;
  std::map<uint32_t, std::string> tables_;
};

}  // namespace anabranch::differential
