#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/pool.h"
#include "backends/streams.h"
#include "merge/batch.h"
#include "net/pg/messages.h"
#include "net/pg/stream.h"
#include "values/type.h"

/// Requests to shards and their replies. Writing never waits: requests are appended to the lease's
/// socket (`lease->socket().out()`), and go out while replies are read.
namespace anabranch::backends {

/// Appends one request and counts the ReadyForQuery it will be answered by.
void send_query(Lease& lease, std::string_view sql);
void send_sync(Lease& lease);

/// Puts the wanted settings onto the connection. pipeline_context() queues the change ahead of the
/// next request and swallows its reply, where that is safe (see ContextChange); false: nothing was
/// done, call apply_context(). Inside a transaction block it is always safe (a failed SET fails
/// what follows; not so on MySQL). Both do nothing where nothing differs.
bool pipeline_context(Lease& lease, const std::shared_ptr<const Settings>& wanted, Reach reach = Reach::session);
net::Task<void> apply_context(Lease& lease, const SettingsStack& wanted,
                              net::CancelToken token = {});

/// What comes next from a shard.
struct Reply {
  enum class Kind : std::uint8_t {
    rows,     // `rows` of the stream holds some
    message,  // any other message of the reply, notices and ParameterStatus included
    run,      // whole messages of ReplyStream::runs: `raw` all of them, `type` and `payload` the last one's
    part,     // `message.raw` is a piece of a large DataRow or CopyData; see `parts`
    ready,    // ReadyForQuery: this request is answered; `message` is it
  };
  Kind kind = Kind::ready;
  net::pg::Message message;  // valid until the next call on the same stream
};

/// The reply side of one lease. Rows are whole DataRow messages, copied once from the socket's
/// buffer into `rows` (about 64 KiB at most at a time, more only where one row is longer). Context
/// replies are swallowed: a context change that failed throws its ServerError, and breaks the
/// connection. Transaction status, ParameterStatus and FATAL errors are noted on the connection;
/// notifications are put by there (ServerConnection::notifications).
/// Throws SqlError 08006 when the connection is lost, 08P01 on a protocol violation.
class ReplyStream {
 public:
  using Reply = backends::Reply;
  explicit ReplyStream(Lease& lease) : lease_(&lease) {}

  /// Without waiting; nothing: more bytes are needed.
  std::optional<Reply> poll();
  /// Waits. Not reading is back-pressure.
  net::Task<Reply> next(net::CancelToken token = {});
  /// next() in parts, for the hot path: `check(co_await more())` after poll() had nothing.
  net::Socket::Fill more(net::CancelToken token = {});
  void check(const net::IoResult& filled);

  merge::Batch rows;
  Lease& lease() const { return *lease_; }
  std::size_t needed() const { return needed_; }
  /// False: DataRow messages come out one by one as `message`.
  bool batch_rows = true;
  /// Messages of these types come out as a `run`, as many as are there. Not those that the stream itself
  /// looks at: errors, notifications, ParameterStatus, ReadyForQuery.
  net::pg::MessageTypes runs;
  /// True: a DataRow or CopyData that is large and not whole yet comes out in pieces as it arrives,
  /// type and length ahead.
  bool parts = false;
  /// Of DataRows that are batched: a longer one fails with 53200 before it is held, and breaks the
  /// connection. 0: no bound but the protocol's.
  std::size_t longest_row = 0;
  /// The last of what was asked has been answered.
  bool ends_with(const Reply& reply) const { return reply.kind == Reply::Kind::ready && (*lease_)->pending() == 0; }
  /// Pieces of a message have come out, and more of it will.
  bool in_message() const { return part_left_ > 0; }

 private:
  void note(const net::pg::Message& message);
  void take_rows();
  std::optional<Reply> take_run(std::string_view received);
  std::optional<Reply> take_part();
  std::optional<Reply> take_incomplete(std::string_view received, bool swallowing);

  Lease* lease_;
  std::size_t needed_ = 0;
  std::size_t part_left_ = 0;  // of the message that comes out in pieces
};

using Exchange = Streams<ReplyStream>;

/// What a statement without rows, or with few, came to.
struct CommandResult {
  std::string tag;                                            // of the last CommandComplete
  std::vector<std::vector<std::optional<std::string>>> rows;  // of all its statements
  // Of MySQL's servers; the tag is what they say in words.
  std::vector<bool> numbers;         // which columns of the last rows are
  std::vector<std::string> columns;  // payloads of their definitions
  std::uint64_t affected = 0;
  std::uint64_t insert_id = 0;
  std::uint16_t warnings = 0;
  std::uint16_t advice = 0;  ///< what the status says of how it was carried out: net::mysql::status::advice
  std::string session_state;  // net::mysql::Ok's
};

/// Reads the replies to what has been sent on `lease` to their end, for small conversations of the
/// proxy's own: `take(reply)` sees each but the last ReadyForQuery and errors. Answers the first error,
/// after which there is no ReadyForQuery where it was a FATAL one.
template <class Take>
net::Task<std::optional<net::pg::ErrorFields>> read_to_end(Lease& lease, ReplyStream& stream, Take take,
                                                           net::CancelToken token = {}) {
  std::optional<net::pg::ErrorFields> failure;
  for (;;) {
    const Reply reply = co_await stream.next(token);
    if (reply.kind == Reply::Kind::ready && lease->pending() == 0) co_return failure;
    if (reply.kind != Reply::Kind::message || reply.message.type != net::pg::ErrorResponse::type) {
      take(reply);
      continue;
    }
    auto error = net::pg::ErrorResponse::decode(reply.message.payload);
    if (error && !failure) failure = std::move(*error);
    if (lease->broken()) co_return failure;
  }
}

/// A row's fields as text.
std::vector<std::optional<std::string>> texts_of(const merge::RowView& row);

/// Runs SQL by the simple protocol (MySQL: COM_QUERY), waits, and answers the rows as text, or the server's error.
/// For the proxy's own small statements (BEGIN, evaluations), not for a client's.
net::Task<std::expected<CommandResult, net::pg::ErrorFields>> run_command(
    Lease& lease, std::string sql, net::CancelToken token = {});

/// Reads and drops what is still pending; marks the connection broken where it cannot.
net::Task<void> drain(Lease& lease, net::CancelToken token = {});

/// What Describe of a statement answers; `columns` is absent for NoData.
struct Described {
  std::vector<values::Oid> parameters;
  struct Column {
    std::string name;
    values::Oid table = 0;
    std::int16_t attribute = 0;
    values::Oid type = 0;
    std::int16_t type_size = 0;
    std::int32_t typmod = -1;
  };
  std::optional<std::vector<Column>> columns;
};

/// Parse (unnamed), Describe, Sync. Nothing is executed. The error is the server's own.
net::Task<std::expected<Described, net::pg::ErrorFields>> describe(
    Lease& lease, std::string sql, std::vector<values::Oid> parameter_types,
    net::CancelToken token = {});

}  // namespace anabranch::backends
