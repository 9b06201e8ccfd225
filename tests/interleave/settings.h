#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "model.h"

namespace interleave {

/// A value as a statement writes it, and as SHOW has it then.
struct Value {
  std::string sql;    ///< after SET name TO
  std::string text;   ///< for set_config
  std::string shown;
};

/// Every setting that the sessions play with. `app.`: any value, unset before its first SET.
const std::vector<std::string>& setting_names();
/// True: its value is told to clients unasked.
bool reported(std::string_view name);
/// A value for the setting; `token` is the session's own.
Value random_value(const std::string& name, const Model& model, const std::string& token, std::mt19937_64& random);

}  // namespace interleave
