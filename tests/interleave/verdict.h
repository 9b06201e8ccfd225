#pragma once

#include <string>

#include "world.h"

/// What is looked at before and after the sessions. All throw Difference.
namespace interleave {

/// Every setting as a fresh session of the server shows it; and how values are written under each
/// setting that decides it ("TimeZone/DateStyle", IntervalStyle, "digits N", bytea_output).
Values read_defaults(const std::string& server);

/// Sessions that come after all others find every pooled connection as if nobody had used it.
void inspect_pools(World& world);

/// No transaction, lock or temporary table is left on the server.
void inspect_server(const std::string& server);

/// The proxy's resident memory, from outside.
class Memory {
 public:
  /// 0: nobody's.
  explicit Memory(int process) : process_(process) {}
  /// Samples it until the world's end.
  Task<void> watch(World& world);
  /// It has not grown without bound.
  void judge() const;

 private:
  double resident() const;  // MiB

  int process_;
  double early_ = 0;
};

}  // namespace interleave
