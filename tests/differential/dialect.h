#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "connection.h"
#include "fault.h"
#include "random_query.h"
#include "restore.h"

namespace anabranch::differential {

/// What differs between the databases whose answers are compared: how one talks to them, and the
/// faults that prove the comparator for their kind of answers.
class Dialect {
 public:
  Dialect() = default;
  Dialect(const Dialect&) = delete;
  Dialect& operator=(const Dialect&) = delete;
  virtual ~Dialect() = default;

  /// In how many ways each statement is asked.
  virtual std::span<const Form> forms() const = 0;
  virtual std::unique_ptr<Connection> connect(const std::string& endpoint) const = 0;
  /// Remembers the rows that the single server has now.
  virtual std::unique_ptr<Restorer> remember(Side& single) const = 0;
  virtual std::vector<std::vector<Fault>> faults() const = 0;
  /// The plan kind that an EXPLAIN through the proxy tells of; empty: none.
  virtual std::string explained_kind(const Answer& explained) const = 0;
  virtual std::unique_ptr<QueryGenerator> queries() const = 0;
};

/// Endpoints are conninfo strings of libpq.
const Dialect& postgres();
/// Endpoints are `PORT` of a server, or `PORT/PORT,PORT…`: a proxy's, and of the servers behind it.
const Dialect& mysql();

}  // namespace anabranch::differential
