#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backends/pool.h"
#include "merge/batch.h"
#include "net/mysql/result_reader.h"
#include "net/mysql/rows.h"
#include "net/pg/messages.h"

namespace anabranch::backends {

/// The rows by which a MySQL server answers one COM_QUERY, as batches of the merge: each value is its text, as it
/// came. For Streams<>. Throws SqlError 08006 when the connection is lost, 08P01 on a protocol violation or an answer
/// that is no rows; the server's own error is put by.
class MysqlRowStream {
 public:
  enum class Reply : std::uint8_t {
    columns,  // definitions() are known
    rows,     // `rows` holds some
    end,      // this was all, or failure() says why there is no more
  };

  /// `longest_row`: a longer one fails with 53200 before it is held, and breaks the connection.
  MysqlRowStream(Lease& lease, std::size_t longest_row);

  /// Without waiting; nothing: more bytes are needed.
  std::optional<Reply> poll();
  bool ends_with(Reply reply) const { return reply == Reply::end; }
  Lease& lease() const { return *lease_; }
  std::size_t needed() const { return needed_; }

  merge::Batch rows;
  /// Payloads of column definition packets.
  const std::vector<std::string>& definitions() const { return definitions_; }
  const std::optional<net::pg::ErrorFields>& failure() const { return failure_; }
  std::uint16_t warnings() const { return reader_.warnings(); }

 private:
  using Event = net::mysql::ResultReader::Event;
  /// What the frame makes known at once; nothing: read on.
  std::optional<Reply> take(std::string_view payload);
  void take_row_part(std::string_view payload, bool begins);
  void add_row(std::string_view payload);
  void end();

  Lease* lease_;
  std::size_t longest_row_;
  net::mysql::ResultReader reader_;
  std::size_t needed_ = 0;
  std::vector<std::string> definitions_;
  std::vector<net::mysql::Field> fields_;
  std::string row_;  // of several frames, so far
  std::optional<net::pg::ErrorFields> failure_;
  std::uint16_t error_ = 0;
  bool ended_ = false;
};

}  // namespace anabranch::backends
