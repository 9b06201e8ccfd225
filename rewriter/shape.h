#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anabranch::rewriter {

/// Bounds that are checked before the parser sees a statement (54000 / 54001, as PostgreSQL answers).
struct LexLimits {
  std::size_t bytes = 256u << 20;  ///< the parser makes some copies of it
  std::size_t tokens = 4'000'000;
  int nesting = 200;          ///< parentheses, brackets, CASE
  /// Operators (or joins, or UNIONs) in one chain without parentheses: parser and passes recurse on them, a
  /// level takes up to 3 KiB of stack unoptimised. AND and OR do not count.
  int operator_chain = 1500;
};

/// A literal of the statement: number or string (any quoting); TRUE/FALSE/NULL are not literals.
struct LiteralToken {
  enum class Kind : std::uint8_t { integer, bigint, numeric, string, bit_string } kind;
  std::uint32_t offset = 0;  ///< of the whole token in the text, prefix (E, B, X, U&) and quotes included
  std::uint32_t length = 0;
};

/// The rows of INSERT … VALUES, where there are several and all are plain: as many values each, which are literals
/// (with a minus or not), NULL, TRUE or FALSE, with nothing but white space between them. A shape has no rows, but for
/// which kinds of values stand in each column, so that one plan serves whatever is inserted.
struct RowList {
  enum class Kind : std::uint8_t { integer, bigint, numeric, string, bit_string, null, boolean };
  struct Value {
    std::uint32_t offset = 0;  ///< of the minus, if there is one
    std::uint32_t length = 0;
    Kind kind = Kind::null;
  };
  std::uint32_t width = 0;           ///< values a row; 0: there are no rows
  std::vector<std::uint8_t> kinds;   ///< a column's, as bits
  std::vector<Value> values;         ///< row by row
  std::uint32_t first_end = 0;       ///< in the source, behind the first row
  std::uint32_t end = 0;             ///< behind the last
  int first_literal = 0;             ///< Shape::literals() has the first row's: from this on
  int literals = 0;                  ///< so many

  std::size_t count() const { return width == 0 ? 0 : values.size() / width; }
  const Value& at(std::size_t row, int column) const { return values[row * width + static_cast<std::size_t>(column)]; }
  static std::uint8_t bit(Kind kind) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(kind)); }
};

/// Whether rows may be taken out of a shape.
enum class Rows : bool { as_written, folded };

/// A statement's text with its literals taken out, and what was taken out. Reuse one object: it keeps
/// its buffers, so that the hot path allocates nothing.
class Shape {
 public:
  std::string_view text() const { return text_; }       ///< white space and comments folded, `?` kind-tagged per literal
  std::uint64_t hash() const { return hash_; }
  const std::vector<LiteralToken>& literals() const { return literals_; }
  std::string_view source() const { return source_; }   ///< the statement itself; not owned
  /// The literal as it stands in the source.
  std::string_view spelling(int literal) const;
  /// The literal's value as PostgreSQL's lexer would read it (quotes and escapes undone).
  std::string value(int literal, bool standard_conforming_strings) const;
  /// For each literal, the index of the first literal with the same spelling (equalities are part of
  /// the cache key: GROUP BY a+1 of SELECT a+1).
  const std::vector<int>& equal_to() const { return equal_to_; }
  /// The rows that have been taken out; null: none.
  const RowList* rows() const { return rows_.width == 0 ? nullptr : &rows_; }
  /// The row's values as they stand in the source, without the parentheses.
  std::string_view row_text(std::size_t row) const;
  /// The statement with the first of rows() alone: its text goes to `text`, which must outlive the answer.
  Shape of_first_row(std::string& text) const;
  /// The comment hint `/* anabranch: … */` before the statement, empty if none.
  std::string_view hint() const { return hint_; }
  /// Nothing but white space and comments: no statement at all.
  bool blank() const { return blank_; }
  /// False: unterminated quotes and the like. The text is the whole statement, no valid one.
  bool lexed() const { return lexed_; }

 private:
  template <class Lexing>
  friend class Shaper;
  std::string text_;
  std::string_view source_;
  std::string_view hint_;
  std::uint64_t hash_ = 0;
  bool lexed_ = true;
  bool blank_ = false;
  std::vector<LiteralToken> literals_;
  std::vector<int> equal_to_;
  RowList rows_;
  std::vector<int> same_spelling_;  ///< scratch: hash table of literals
};

/// PostgreSQL's shape; MySQL's is made by mysql::shape (rewriter/mysql/parse.h). Throws SqlError
/// 54000/54001 past the limits. Unterminated quotes and the like are left to the
/// server: the shape is then the whole text, without literals.
void shape(std::string_view statement, bool standard_conforming_strings, const LexLimits& limits, Shape& out,
           Rows rows = Rows::as_written);

}  // namespace anabranch::rewriter
