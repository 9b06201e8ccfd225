#include "proxy/mysql/load_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "backends/mysql_exchange.h"
#include "backends/mysql_load.h"
#include "net/mysql/command_messages.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/stream.h"
#include "proxy/mysql/load_placement.h"
#include "proxy/mysql/relay.h"
#include "proxy/mysql/replies.h"
#include "proxy/mysql/row_numbers.h"
#include "proxy/mysql/statement_time.h"
#include "proxy/mysql/transaction.h"
#include "proxy/mysql/variables.h"
#include "values/ascii.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using backends::CommandResult;
using backends::TransactionState;
using Enlisted = backends::Transaction::Enlisted;
using Stream = backends::MysqlLoadStream;

/// So much of a shard's rows is sent at once.
constexpr std::size_t piece_bytes = 64 * 1024;
/// Character sets in which ASCII is ASCII, and no part of another character.
constexpr auto plain_character_sets = std::to_array<std::string_view>(
    {"armscii8", "ascii", "binary", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "dec8", "geostd8",
     "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7", "macce", "macroman",
     "tis620", "utf8", "utf8mb3", "utf8mb4"});

class SplitLoad {
 public:
  SplitLoad(State& state, const Request& request)
      : state_(state),
        plan_(*request.plan->plan),
        load_(*plan_.load),
        numbers_(std::make_shared<RowNumbers>(static_cast<std::size_t>(state.db->config->limits.query_memory))),
        held_(numbers_->budget()),
        sources_(state.db->map->shards().size()) {}

  net::Task<void> run() {
    if (state_.tables_locked) {
      throw values::make_error(values::ErrorId::unsupported_statement,
                               "LOAD DATA into a table of several shards under LOCK TABLES", "UNLOCK TABLES first.");
    }
    co_await open_transaction(state_, plan_);
    if (state_.transaction.state() == TransactionState::none) state_.transaction.begin_implicit();
    guarded_ = state_.explicit_transaction();
    std::exception_ptr failure;
    try {
      co_await begin();
      co_await take_file();
      co_await finish();
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) co_await stop();
    if (!failure) note_variables();
    co_await end_transaction(failure != nullptr);
    // A client hears of nothing before it has sent its file.
    if (failure && asks_client_) co_await drop_file();
    if (failure) std::rethrow_exception(failure);
    state_.note_done(State::Counts{static_cast<std::int64_t>(total_.affected), std::nullopt});
    state_.note_warned(warned_);
    if (!warned_.empty()) state_.note_row_numbers(std::move(warned_), numbers_);
    send_ok(state_, total_.affected, 0, total_.warnings, total_.tag);
  }

 private:
  struct Source {
    Enlisted* member = nullptr;
    std::size_t index = 0;  ///< in streams_
    std::string rows;       ///< that have not been sent
    bool asked = false;  ///< for the file, which has not ended
    bool wrote = false;
    std::unique_ptr<Running> running;
  };

  // -------------------------------------------------------------------------------- shards

  /// One shard is asked at once: it says whether the statement is right.
  net::Task<void> begin() {
    const router::MappedTable& table = state_.db->map->tables()[static_cast<std::size_t>(load_.table)];
    const router::ShardSet shards = state_.db->map->shards_of(table);
    co_await join(*shards.begin());
    if (load_.every_shard) {
      for (const std::uint32_t shard : shards) co_await join(shard);
    }
    net::mysql::LocalInfileRequest{streams_.stream(0).file()}.encode(state_.out(), state_.sequence);
    asks_client_ = true;
    if (!co_await state_.client.flush()) lose_client();
  }

  net::Task<void> join(std::uint32_t shard) {
    Source& source = sources_[shard];
    if (source.member != nullptr) co_return;
    Enlisted* member = co_await enlist_unwritten(state_, shard);
    if (guarded_) co_await command(*member, fmt::format("SAVEPOINT {}", statement_guard));
    source.member = member;
    joined_.push_back(shard);
    if (joined_.size() == 1) co_await read_character_set(*member);
    if (plan_.one_moment) co_await time_.set(state_, std::span(&member, 1));
    backends::write_command(member->lease, net::mysql::ComQuery{std::get<std::string>(plan_.subquery.pieces.front())});
    member->lease->expect_ready();
    source.index = streams_.add(member->lease);
    source.running = std::make_unique<Running>(state_, member->lease);
    const Stream::Reply reply = co_await streams_.next_of(source.index);
    if (reply != Stream::Reply::asks) fail_by(source);
    source.asked = true;
  }

  static net::Task<CommandResult> command(Enlisted& member, std::string sql) {
    auto answer = co_await backends::run_command(member.lease, std::move(sql));
    if (!answer) throw backends::ServerError(answer.error(), member.shard, member.lease.shard_name());
    co_return std::move(*answer);
  }

  net::Task<void> read_character_set(Enlisted& member) {
    std::string name = load_.character_set;
    if (name.empty()) {
      const CommandResult answer = co_await command(member, "SELECT @@character_set_database");
      name = values::lower_case(answer.rows.at(0).at(0).value_or(""));
    }
    if (std::ranges::find(plain_character_sets, name) == plain_character_sets.end()) {
      throw values::make_error(values::ErrorId::unsupported_clause, "LOAD DATA of a file in " + name,
                               "its bytes may look like the ends of lines", "Use CHARACTER SET utf8mb4.");
    }
    const bool utf8 = name.starts_with("utf8");
    placement_.emplace(load_, *state_.db->map, state_.lookups, utf8);
    rows_.emplace(load_, placement_->wanted(), utf8);
  }

  /// The shard has said what is wrong, or that it wants no file.
  [[noreturn]] void fail_by(Source& source) {
    const auto& failure = streams_.stream(source.index).failure();
    if (!failure) throw values::make_error(values::ErrorId::internal, "a shard loads what it has not been sent");
    throw server_error_of(source);
  }

  backends::ServerError server_error_of(Source& source) {
    const backends::Lease& lease = source.member->lease;
    net::pg::ErrorFields fields = *streams_.stream(source.index).failure();
    fields.set('M', numbers_->renumbered(std::string(fields.get('M')), lease.shard()));
    return {std::move(fields), lease.shard(), lease.shard_name()};
  }

  // -------------------------------------------------------------------------------- the file

  net::Task<void> take_file() {
    while (!file_ended_) {
      const auto frame = net::mysql::take_frame(state_.client, net::mysql::max_frame_bytes, &needed_);
      if (!frame) lose_client();
      if (!*frame) {
        if (!co_await state_.client.fill(needed_)) lose_client();
        continue;
      }
      note_frame(**frame);
      if (file_ended_) {
        rows_->finish();
      } else {
        rows_->feed((*frame)->payload);
      }
      co_await take_rows();
    }
  }

  void note_frame(const net::mysql::Frame& frame) {
    state_.sequence.reset(static_cast<std::uint8_t>(frame.sequence + 1));
    file_ended_ = frame.payload.empty() && !continues_;
    continues_ = frame.continues();
  }

  net::Task<void> take_rows() {
    state_.check_cancelled();
    held_.set(rows_->held());
    while (const auto row = rows_->next()) {
      placement_->check(rows_->fields(), rows_->number());
      if (load_.every_shard) {
        for (const std::uint32_t shard : joined_) add(sources_[shard], *row);
      } else {
        const auto known = shard_of_row();
        const std::uint32_t shard = known ? *known : co_await look_up_shard();
        if (sources_[shard].member == nullptr) co_await join(shard);
        add(sources_[shard], *row);
      }
    }
    while (congested_ && !co_await streams_.writable()) take_early(co_await streams_.next());
    congested_ = false;
  }

  /// Nothing: its key must be looked up.
  std::optional<std::uint32_t> shard_of_row() {
    const LookupReader::Pass pass(state_.lookups, false);
    const std::uint32_t shard = placement_->shard_of(rows_->fields(), rows_->number());
    return pass.complete() ? std::optional(shard) : std::nullopt;
  }

  net::Task<std::uint32_t> look_up_shard() {
    while (true) {
      co_await answer_lookups(state_, true);
      if (const auto shard = shard_of_row()) co_return *shard;
    }
  }

  void add(Source& source, std::string_view row) {
    // A shard that is only asked whether the statement is right writes nothing.
    if (!std::exchange(source.wrote, true)) state_.transaction.mark_written(source.member->shard);
    last_ = source.member->shard;
    source.rows += row;
    numbers_->add(source.member->shard, rows_->number(), row.size());
    if (source.rows.size() >= piece_bytes) send(source);
  }

  void send(Source& source) {
    streams_.stream(source.index).send(source.rows);
    source.rows.clear();
    net::Socket& socket = source.member->lease->socket();
    socket.send_now();
    congested_ |= socket.congested();
  }

  /// Before its file has ended a shard has nothing to say but that it fails.
  void take_early(std::optional<backends::Streams<Stream>::Next> next) {
    if (!next) return;
    for (Source& source : sources_) {
      if (source.member != nullptr && source.index == next->source) fail_by(source);
    }
  }

  /// Each server reads in the order of the file: of several that fail, the first row's failure is the answer.
  net::Task<void> finish() {
    for (const std::uint32_t shard : joined_) end_file(sources_[shard]);
    streams_.send();
    while (co_await streams_.next()) {}
    std::optional<backends::ServerError> failure;
    std::uint64_t first = 0;
    for (const std::uint32_t shard : joined_) {
      Source& source = sources_[shard];
      if (!streams_.stream(source.index).failure()) {
        take(source);
        continue;
      }
      backends::ServerError error = server_error_of(source);
      const std::uint64_t row = row_of_message(error.message);
      if (failure && row >= first) continue;
      first = row;
      failure.emplace(std::move(error));
    }
    if (failure) throw backends::ServerError(std::move(*failure));
  }

  void end_file(Source& source) {
    Stream& stream = streams_.stream(source.index);
    stream.send(source.rows);
    stream.finish();
    source.asked = false;
    source.rows.clear();
  }

  void take(Source& source) {
    const CommandResult& one = streams_.stream(source.index).result();
    source.running.reset();
    if (std::exchange(any_, true) && !plan_.sum_counts) return;
    if (one.warnings > 0) {
      warned_.push_back(source.member->shard);
      source.member->lingers = true;
    }
    total_.tag = total_.tag.empty() ? one.tag : add_words(total_.tag, one.tag);
    total_.affected += one.affected;
    total_.warnings = static_cast<std::uint16_t>(std::min(65535, total_.warnings + one.warnings));
  }

  // -------------------------------------------------------------------------------- the end

  /// The statement has failed, and nothing of it will stay: what the shards wait for ends here.
  net::Task<void> stop() {
    for (const std::uint32_t shard : joined_) {
      Source& source = sources_[shard];
      if (!source.asked || source.member->lease->broken() || streams_.finished(source.index)) continue;
      streams_.stream(source.index).finish();
    }
    streams_.send();
    co_await streams_.drain();
    for (Source& source : sources_) source.running.reset();
  }

  net::Task<void> end_transaction(bool failed) {
    std::vector<Enlisted*> members;
    for (const std::uint32_t shard : joined_) members.push_back(sources_[shard].member);
    co_await time_.reset(members);
    if (state_.transaction.state() == TransactionState::implicit) {
      co_await (failed ? roll_back(state_) : commit(state_));
      co_return;
    }
    if (failed && co_await has_rolled_back(members)) {
      co_await roll_back(state_);
      co_return;
    }
    const std::string sql = fmt::format("{} SAVEPOINT {}", failed ? "ROLLBACK TO" : "RELEASE", statement_guard);
    for (Enlisted* member : members) {
      if (!member->lease->broken()) (void)co_await command(*member, sql);
    }
  }

  net::Task<void> drop_file() {
    while (!file_ended_) {
      const auto frame = co_await net::mysql::read_frame(state_.client);
      if (!frame) lose_client();
      note_frame(*frame);
    }
  }

  /// Variables among the fields are the last row's, which its shard has seen.
  void note_variables() {
    if (!last_) return;
    for (const std::string& name : load_.variables) {
      for (const std::uint32_t shard : joined_) forget_variable(state_, *sources_[shard].member, name);
      forget_variable(state_, *sources_[*last_].member, name);
    }
  }

  [[noreturn]] static void lose_client() { throw SessionLost{"the client has gone"}; }

  State& state_;
  const rewriter::Plan& plan_;
  const rewriter::LoadSplit& load_;
  const std::shared_ptr<RowNumbers> numbers_;
  merge::Charge held_;  ///< rows that are not whole yet
  std::optional<LoadPlacement> placement_;
  std::optional<LoadRows> rows_;
  backends::Streams<Stream> streams_;
  StatementTime time_;
  std::vector<Source> sources_;        ///< by shard
  std::vector<std::uint32_t> joined_;  ///< shards that take part
  std::optional<std::uint32_t> last_;  ///< where the last row went
  bool guarded_ = false;
  bool asks_client_ = false;
  bool file_ended_ = false;
  bool continues_ = false;  ///< the client's last frame was a full one
  bool congested_ = false;
  bool any_ = false;
  std::size_t needed_ = 0;
  std::vector<std::uint32_t> warned_;
  CommandResult total_;
};

}  // namespace

net::Task<void> run_load_split(State& state, const Request& request) {
  SplitLoad load(state, request);
  co_await load.run();
}

}  // namespace anabranch::proxy::mysql
