#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"

/// What servers of each kind are told about transactions, in their words.
namespace anabranch::backends {

/// What opens a transaction on a MySQL server: one statement after another. `options`: as
/// Transaction::begin() has them. `opens_itself`: autocommit is off there.
std::vector<std::string> mysql_opening(std::string_view options, bool opens_itself,
                                       std::span<const std::string_view> savepoints);

/// `verb` SAVEPOINT's argument as the kind's servers quote it: "SAVEPOINT \"a\"", "SAVEPOINT `a`".
std::string savepoint_command(conf::Kind kind, std::string_view verb, std::string_view name);

}  // namespace anabranch::backends
