#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "merge/batch.h"
#include "merge/memory_budget.h"
#include "proxy/copy_output.h"
#include "proxy/execute.h"

namespace anabranch::proxy {

/// Rows of a merged answer that an Execute with a row limit has left for the next one.
class BufferedRows {
 public:
  explicit BufferedRows(std::size_t budget_bytes) : budget_(budget_bytes), charge_(budget_) {}

  void add(const merge::Batch& rows);
  /// Sends up to `limit` rows (0: all), then PortalSuspended or CommandComplete.
  net::Task<Outcome> send(SessionState& state, std::int32_t limit);
  /// The tag's word(s); rows sent by one Execute are counted into it.
  std::string command = "SELECT";
  /// Of writes: the whole tag.
  std::string whole_tag;

 private:
  merge::MemoryBudget budget_;
  merge::Charge charge_;
  merge::Batch rows_;
  std::size_t next_ = 0;
};

/// Where a merged answer goes: to the client as it comes, or, under a row limit, into the portal; or to the
/// execution's taker.
class RowSink {
 public:
  RowSink(SessionState& state, Execution& execution);

  /// In which formats the answer's columns are wanted.
  net::pg::FormatList formats() const { return copy_ ? copy_formats_.list() : execution_.result_formats; }
  net::Task<void> take(const merge::Batch& rows);
  /// Something has been taken.
  bool begun() const { return described_; }
  /// Of a COPY … TO STDOUT: rows leave as its data.
  CopyOutput& copy() { return *copy_; }
  /// The end of the answer. `tag`: empty for SELECT, which is counted.
  net::Task<Outcome> finish(std::string tag);

 private:
  void describe_rows();

  SessionState& state_;
  Execution& execution_;
  const rewriter::Plan& plan_;
  std::shared_ptr<BufferedRows> buffer_;
  std::optional<CopyOutput> copy_;
  net::pg::Formats copy_formats_;
  std::uint64_t count_ = 0;
  bool described_ = false;
};

/// What follows the rows of one Execute. As the server has it: a portal that gave as many as were asked for
/// (`limit`; 0: all) is suspended, even if there are no more; otherwise `tag` says that it is complete.
Outcome end_of_rows(SessionState& state, std::uint64_t sent, std::int32_t limit, std::string_view tag);

/// The session's extra_float_digits.
int extra_float_digits(const SessionState& state);

}  // namespace anabranch::proxy
