#pragma once

#include <string>

namespace anabranch::rewriter::mysql {

/// What of a session and its server decides how a statement is read.
struct Mode {
  // sql_mode
  bool ansi_quotes = false;           ///< "…" is a name
  bool no_backslash_escapes = false;  ///< \ is an ordinary character
  bool pipes_as_concat = false;       ///< || concatenates; else it is OR
  bool high_not_precedence = false;   ///< NOT binds like !
  bool ignore_space = false;          ///< count (*) is a call
  int division_digits = 4;            ///< div_precision_increment
  bool fixed_clock = false;           ///< SET timestamp: NOW() is the same on every server
  bool weighs = true;                 ///< WEIGHT_STRING() is the order of the connection's own strings
  bool utf8 = false;  ///< the connection's own strings are in UTF-8
  bool mariadb = true;
  /// 100 * (100 * major + minor) + patch: versioned comments up to it are read.
  int version = 101100;

  friend bool operator==(const Mode&, const Mode&) = default;
};

/// All of it, for cache keys.
inline std::string to_string(const Mode& mode) {
  std::string text;
  for (const bool at : {mode.ansi_quotes, mode.no_backslash_escapes, mode.pipes_as_concat,
                        mode.high_not_precedence, mode.ignore_space, mode.mariadb, mode.weighs, mode.utf8,
                        mode.fixed_clock}) {
    text += at ? '1' : '0';
  }
  return text + std::to_string(mode.version) + "/" + std::to_string(mode.division_digits);
}

}  // namespace anabranch::rewriter::mysql
