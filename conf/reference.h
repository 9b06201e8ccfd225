#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace anabranch::conf {

/// One setting as the reference page and `SHOW CONFIG` describe it.
struct SettingDoc {
  std::string_view section;  // `databases.NAME.pool`; empty at the top
  std::string_view name;
  std::string_view type;      // `duration`, `1 to 100000`, `transaction | session`…
  std::string_view fallback;  // the default as one would write it; empty: none, or said in `doc`
  bool required = false;
  bool reloadable = true;
  std::string_view doc;
};

/// Every setting there is, from the tables that the loader itself reads by.
std::vector<SettingDoc> settings();

}  // namespace anabranch::conf
