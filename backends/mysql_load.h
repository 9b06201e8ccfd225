#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "backends/exchange.h"
#include "net/mysql/result_reader.h"

namespace anabranch::backends {

/// A LOAD DATA LOCAL INFILE on one server, from its statement to its OK: the server asks for the file, which is sent
/// piece by piece. For Streams<>. Throws SqlError 08006 when the connection is lost, 08P01 on a protocol violation or
/// an answer of another kind; the server's own error is put by.
class MysqlLoadStream {
 public:
  enum class Reply : std::uint8_t {
    asks,  // file() is known, and send() may be called
    end,   // result() is known, or failure()
  };
  explicit MysqlLoadStream(Lease& lease);

  /// Without waiting; nothing: more bytes are needed.
  std::optional<Reply> poll();
  bool ends_with(Reply reply) const { return reply == Reply::end; }
  Lease& lease() const { return *lease_; }
  std::size_t needed() const { return needed_; }

  /// The name of the file that is asked for.
  const std::string& file() const { return file_; }
  /// Queues some more of the file. Large pieces cost the least.
  void send(std::string_view piece);
  /// There is no more.
  void finish();

  const std::optional<net::pg::ErrorFields>& failure() const { return failure_; }
  const CommandResult& result() const { return result_; }

 private:
  void end(std::uint16_t error);

  Lease* lease_;
  net::mysql::ResultReader reader_;
  net::mysql::Sequence sequence_;
  std::size_t needed_ = 0;
  std::string file_;
  std::optional<net::pg::ErrorFields> failure_;
  CommandResult result_;
};

}  // namespace anabranch::backends
