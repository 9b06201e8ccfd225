#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "answer.h"

namespace anabranch::differential {

/// A parameter of a statement; type `?` leaves the type to the server.
struct Parameter {
  std::string type;
  std::optional<std::string> value;
};

/// One statement (or, in simple form, several) sent on the case's connection.
struct Step {
  enum class Kind { query, prepare, execute };
  Kind kind = Kind::query;
  std::string sql = {};                    // empty for execute
  std::string single_sql = {};             // what the single server is asked; empty: the same
  std::string statement = {};              // name, for prepare and execute
  std::vector<Parameter> parameters = {};  // for prepare only the types count
  std::optional<std::string> copy_data = {};

  const std::string& sql_for_single() const { return single_sql.empty() ? sql : single_sql; }
};

/// How rows are compared. Without order: as multisets.
struct Rules {
  bool total_order = false;
  std::vector<std::size_t> order_columns;     // 0-based output columns; ties as multisets
  std::vector<std::string> float_columns;     // within the error that reordering allows
  std::vector<std::string> spelling_columns;  // equal values may be spelt differently
  bool repeated_warnings = false;             // each shard gives a warning that one server gives once
  bool open_origins = false;                  // what is told of where a column comes from depends on the server's plan
};

enum class State { same, refused };

/// A case of the corpus; the head of cases/where.case explains how one is written.
struct Case {
  std::string name;
  std::string file;            // file name without folder
  std::size_t state_line = 0;  // 0-based line of `state:` in that file
  State state = State::same;
  std::string refused_sqlstate;
  std::string refused_clause;
  std::vector<std::string> errors;  // SQLSTATEs that the single server answers with
  std::string plan;                 // expected plan kind over several shards, empty: any
  std::size_t plan_step = 0;
  Rules rules;
  std::string unlimited;            // the query without its LIMIT, when it may cut a tie
  std::vector<std::string> writes;  // tables to restore
  std::optional<Form> only;  // asked in no other form
  bool pipeline = false;     // all steps are sent before one Sync
  bool pending = false;      // listed as refused so far: it must not differ, and not pass either
  std::vector<Step> steps;
  std::vector<Step> verify;
};

/// Reads all `*.case` files of a folder, sorted by name, and its list of pending ones. Throws
/// std::runtime_error with file and line.
std::vector<Case> read_cases(const std::filesystem::path& folder);

/// The folder's list of cases that are refused so far: a line each, `#` begins a comment. A folder without the
/// list has none.
std::set<std::string> read_pending(const std::filesystem::path& folder);
/// Keeps the comments at the list's head.
void write_pending(const std::filesystem::path& folder, const std::set<std::string>& names);

/// Replaces one line of a file in place.
void rewrite_line(const std::filesystem::path& file, std::size_t line, std::string_view text);

std::string trimmed(std::string_view text);

}  // namespace anabranch::differential
