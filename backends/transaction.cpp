#include "backends/transaction.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "backends/server_pool.h"
#include "backends/transaction_words.h"
#include "values/errors.h"

namespace anabranch::backends {

std::string_view to_string(TransactionState state) {
  switch (state) {
    case TransactionState::none:
      return "none";
    case TransactionState::implicit:
      return "implicit";
    case TransactionState::explicit_:
      return "explicit";
    case TransactionState::failed:
      return "failed";
  }
  return "?";
}

std::atomic<std::uint64_t>& unknown_commits() {
  static std::atomic<std::uint64_t> count{0};
  return count;
}

char Transaction::status() const {
  if (state_ == TransactionState::explicit_) return 'T';
  return state_ == TransactionState::failed ? 'E' : 'I';
}

// --- what the client says ---

void Transaction::begin(std::string options) {
  // A pipeline's implicit transaction becomes the explicit one, as in the server.
  state_ = TransactionState::explicit_;
  if (!options.empty()) options_ = std::move(options);
  if (!mysql()) wanted_.begin();
  look_at_options();
}

void Transaction::begin_unspoken() {
  begin({});
  unspoken_ = true;
}

void Transaction::begin_implicit(bool unspoken) {
  if (state_ != TransactionState::none) return;
  state_ = TransactionState::implicit;
  unspoken_ = unspoken;
  if (!mysql()) wanted_.begin();
}

void Transaction::fail() {
  if (state_ == TransactionState::explicit_) state_ = TransactionState::failed;
}

void Transaction::add_option(std::string_view option) {
  if (!options_.empty()) options_ += mysql() ? ", " : " ";
  options_ += option;
  look_at_options();
}

void Transaction::throw_no_savepoint(std::string_view name) const {
  if (!mysql()) throw values::SqlError("3B001", "savepoint \"" + std::string(name) + "\" does not exist");
  values::SqlError error("42000", "SAVEPOINT " + std::string(name) + " does not exist");
  error.mysql_code = 1305;
  throw error;
}

std::size_t Transaction::find_savepoint(std::string_view name) const {
  for (std::size_t i = savepoints_.size(); i > 0; --i) {
    if (savepoints_[i - 1].name == name) return i - 1;
  }
  throw_no_savepoint(name);
}

net::Task<void> Transaction::savepoint(std::string name, net::CancelToken token) {
  if (state_ == TransactionState::failed) {
    throw make_error(values::ErrorId::in_failed_transaction);
  }
  if (state_ != TransactionState::explicit_) {
    throw values::SqlError("25P01", "SAVEPOINT can only be used in transaction blocks");
  }
  co_await command_all(savepoint_command(kind_, "SAVEPOINT", name), token);
  // MySQL's name a savepoint once.
  if (mysql()) std::erase_if(savepoints_, [&](const Savepoint& other) { return other.name == name; });
  Savepoint& made = savepoints_.emplace_back();
  made.name = name;
  made.schema_change = schema_change_;
  wanted_.savepoint(name);
  for (const auto& member : enlisted_) {
    if (member->wrote) made.written.push_back(member->shard);
    if (member->began) member->lease->applied.savepoint(name);
  }
}

net::Task<void> Transaction::rollback_to(std::string name, net::CancelToken token) {
  const std::size_t at = find_savepoint(name);
  co_await command_all(savepoint_command(kind_, "ROLLBACK TO SAVEPOINT", name), token);
  savepoints_.resize(at + 1);
  schema_change_ = savepoints_[at].schema_change;
  wanted_.rollback_to(name);
  for (const auto& member : enlisted_) {
    member->wrote =
        std::ranges::find(savepoints_[at].written, member->shard) != savepoints_[at].written.end();
    if (member->began) member->lease->applied.rollback_to(name);
  }
  if (state_ == TransactionState::failed) state_ = TransactionState::explicit_;
}

net::Task<void> Transaction::release_savepoint(std::string name, net::CancelToken token) {
  if (state_ == TransactionState::failed) {
    throw make_error(values::ErrorId::in_failed_transaction);
  }
  const std::size_t at = find_savepoint(name);
  co_await command_all(savepoint_command(kind_, "RELEASE SAVEPOINT", name), token);
  savepoints_.resize(at);
  wanted_.release(name);
  for (const auto& member : enlisted_) {
    if (member->began) member->lease->applied.release(name);
  }
}

// --- shards ---

Transaction::Enlisted* Transaction::find(std::uint32_t shard) {
  for (const auto& member : enlisted_) {
    if (member->shard == shard) return member.get();
  }
  return nullptr;
}

namespace {

std::string upper(std::string_view text) {
  std::string changed(text);
  for (char& c : changed) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return changed;
}

// The level that asks for one snapshot; empty: none does.
std::string_view snapshot_level(std::string_view upper_text) {
  if (upper_text.find("SERIALIZABLE") != std::string_view::npos) return "SERIALIZABLE";
  if (upper_text.find("REPEATABLE") != std::string_view::npos) return "REPEATABLE READ";
  return {};
}

}  // namespace

std::string Transaction::isolation() const {
  std::string level = upper(options_);
  if (level.find("ISOLATION") != std::string::npos) return level;
  const std::string* standard = wanted_.find("default_transaction_isolation");
  return standard ? upper(*standard) : std::string();
}

bool Transaction::begin_one_moment() {
  if (state_ != TransactionState::none || !snapshot_level(isolation()).empty()) return false;
  begin_implicit();
  one_moment_ = true;
  return true;
}

// What was said last counts.
void Transaction::look_at_options() {
  if (mysql()) return;
  if (state_ != TransactionState::explicit_ || snapshots_ == Snapshots::taken) return;
  const std::string options = upper(options_);
  const auto only = options.rfind("READ ONLY");
  const auto write = options.rfind("READ WRITE");
  bool read_only = only != std::string::npos && (write == std::string::npos || only > write);
  if (only == std::string::npos && write == std::string::npos) {
    const std::string* standard = wanted_.find("default_transaction_read_only");
    const std::string value = standard ? upper(*standard) : std::string();
    read_only = value == "ON" || value == "'ON'" || value == "TRUE" || value == "'TRUE'";
  }
  const bool wanted = read_only && snapshot_level(isolation()) == "REPEATABLE READ";
  snapshots_ = wanted ? Snapshots::wanted : Snapshots::none;
}

// One snapshot over several shards is not to be had, but before the first query.
void Transaction::check_isolation(std::string_view shard_name) const {
  if (state_ == TransactionState::none) return;
  const auto first = std::ranges::find_if(enlisted_, [](const auto& member) { return member->began; });
  if (first == enlisted_.end()) return;
  if (snapshots_ == Snapshots::taking || snapshots_ == Snapshots::taken) return;
  if (mysql()) {
    // Its other levels hold per shard: SERIALIZABLE's reads lock, and the locks last until all have committed.
    if (!options_.contains("CONSISTENT SNAPSHOT")) return;
    throw make_error(values::ErrorId::unsupported_isolation, "WITH CONSISTENT SNAPSHOT", (*first)->lease.shard_name(),
                     shard_name);
  }
  if (const std::string_view snapshot = snapshot_level(isolation()); !snapshot.empty()) {
    throw make_error(values::ErrorId::unsupported_isolation, snapshot, (*first)->lease.shard_name(),
                     shard_name);
  }
}

std::string Transaction::opening_sql(const Lease& lease) const {
  std::string sql = "BEGIN";
  if (!options_.empty()) sql += " " + options_;
  if (one_moment_) sql += " ISOLATION LEVEL REPEATABLE READ";
  const ContextChange change = context_change(lease->applied.current(), wanted_.current());
  if (!change.sql.empty()) sql += "; " + change.sql;
  for (const Savepoint& savepoint : savepoints_) {
    sql += "; SAVEPOINT " + quote_identifier(savepoint.name);
  }
  return sql;
}

// Queued ahead of the shard's first subquery; should it fail, the block has failed, and with it
// what follows.
void Transaction::open_on(Enlisted& member) {
  ServerConnection& connection = *member.lease;
  net::pg::Query{opening_sql(member.lease)}.encode(connection.socket().out());
  connection.skip_reply();
  connection.applied.begin();
  connection.applied.replace(wanted_.current());
  for (const Savepoint& savepoint : savepoints_) connection.applied.savepoint(savepoint.name);
  member.began = true;
}

Transaction::Enlisted* Transaction::add(std::uint32_t shard, Lease lease) {
  auto made = std::make_unique<Enlisted>();
  made->shard = shard;
  made->lease = std::move(lease);
  const auto place = std::ranges::lower_bound(
      enlisted_, shard, {}, [](const std::unique_ptr<Enlisted>& other) { return other->shard; });
  return enlisted_.insert(place, std::move(made))->get();
}

// Queues what must go ahead; false where its answer must be awaited first.
bool Transaction::prepare(Enlisted& member) {
  if (state_ == TransactionState::none || member.began) {
    return pipeline_context(member.lease, wanted_.current());
  }
  if (mysql()) return false;
  open_on(member);
  return true;
}

Transaction::Enlisted* Transaction::try_enlist(std::uint32_t shard, const ShardTarget& target) {
  Enlisted* member = find(shard);
  if (!member || !member->began) check_isolation(target->server().shard_name);
  if (!member) {
    std::optional<Lease> idle = try_acquire(target, holder_);
    if (!idle) return nullptr;
    member = add(shard, std::move(*idle));
  }
  return prepare(*member) ? member : nullptr;
}

net::Task<Transaction::Enlisted*> Transaction::enlist(std::uint32_t shard, ShardTarget target,
                                                      net::CancelToken token) {
  if (Enlisted* member = try_enlist(shard, target)) co_return member;
  Enlisted* member = find(shard);
  if (!member) {
    Lease lease = co_await acquire(std::move(target), holder_, token);
    member = add(shard, std::move(lease));
  }
  if (!prepare(*member)) {
    const bool opens = mysql() && state_ != TransactionState::none && !member->began;
    co_await (opens ? open_and_wait(*member, token) : apply_context(member->lease, wanted_, token));
  }
  co_return member;
}

net::Task<Transaction::Enlisted*> Transaction::attach(std::uint32_t shard, ShardTarget target, net::CancelToken token) {
  Enlisted* member = find(shard);
  if (!member) {
    Lease lease = co_await acquire(std::move(target), holder_, token);
    member = add(shard, std::move(lease));
  }
  if (!pipeline_context(member->lease, wanted_.current())) co_await apply_context(member->lease, wanted_, token);
  co_return member;
}

net::Task<void> Transaction::open_and_wait(Enlisted& member, net::CancelToken token) {
  co_await apply_context(member.lease, wanted_, token);
  std::vector<std::string_view> savepoints;
  for (const Savepoint& savepoint : savepoints_) savepoints.push_back(savepoint.name);
  for (std::string& sql : mysql_opening(options_, unspoken_, savepoints)) {
    auto result = co_await run_command(member.lease, std::move(sql), token);
    if (!result) throw ServerError(std::move(result.error()), member.lease.shard(), member.lease.shard_name());
  }
  member.began = true;
}

net::Task<void> Transaction::reopen(Enlisted& member) {
  CommandAnswer answer;
  co_await command_into(member, "ROLLBACK", answer, {});
  if (answer.kind != CommandAnswer::Kind::done) {
    throw make_error(values::ErrorId::shard_lost, member.lease->server().text(), answer.reason);
  }
  member.lease->applied.rollback();
  open_on(member);
}

void Transaction::begin_snapshots() {
  if (snapshots_ == Snapshots::taking) {
    throw make_error<>(values::ErrorId::snapshots_failed);
  }
  snapshots_ = Snapshots::taking;
}

void Transaction::mark_written(std::uint32_t shard) {
  Enlisted* member = find(shard);
  if (!member || member->wrote) return;
  if (state_ == TransactionState::explicit_ && !schema_change_ && !several_writers_) {
    for (const auto& other : enlisted_) {
      if (!other->wrote) continue;
      throw make_error(values::ErrorId::second_writer, other->lease.shard_name(),
                       member->lease.shard_name());
    }
  }
  member->wrote = true;
}

std::size_t Transaction::writers() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(enlisted_, [](const auto& member) { return member->wrote; }));
}

// --- commands on all shards ---

namespace {

CommandAnswer answer_of(std::expected<CommandResult, net::pg::ErrorFields> result,
                        std::string_view sql, const Lease& lease) {
  if (!result) {
    // A session that the server ends while it commits may have committed.
    if (lease->broken()) {
      return {CommandAnswer::Kind::lost, {}, std::string(result.error().message())};
    }
    return {CommandAnswer::Kind::refused, std::move(result.error()), {}};
  }
  if (sql == "COMMIT" && result->tag == "ROLLBACK") {
    return {CommandAnswer::Kind::refused,
            net::pg::ErrorFields::make("ERROR", "40000", "the shard rolled the transaction back"),
            {}};
  }
  return {};
}

}  // namespace

net::Task<void> Transaction::command_into(Enlisted& member, std::string sql, CommandAnswer& answer,
                                          net::CancelToken token) {
  if (member.lease->broken()) {
    answer = {CommandAnswer::Kind::lost, {}, "the connection had ended"};
    co_return;
  }
  try {
    auto result = co_await run_command(member.lease, sql, token);
    answer = answer_of(std::move(result), sql, member.lease);
  } catch (const ServerError& error) {
    // The opening that was still unanswered.
    answer = {CommandAnswer::Kind::refused, error.fields, {}};
  } catch (const values::SqlError& error) {
    member.lease->mark_broken();
    answer = {CommandAnswer::Kind::lost, {}, error.message};
  }
}

net::Task<void> Transaction::command_all(std::string sql, net::CancelToken token) {
  std::vector<CommandAnswer> answers(enlisted_.size());
  std::vector<net::Task<void>> tasks;
  for (std::size_t i = 0; i < enlisted_.size(); ++i) {
    if (enlisted_[i]->began) {
      tasks.push_back(command_into(*enlisted_[i], sql, answers[i], token));
    }
  }
  co_await net::when_all(std::move(tasks));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].kind == CommandAnswer::Kind::done) continue;
    fail();
    Lease& lease = enlisted_[i]->lease;
    if (answers[i].kind == CommandAnswer::Kind::refused) {
      throw ServerError(std::move(answers[i].error), lease.shard(), lease.shard_name());
    }
    throw make_error(values::ErrorId::shard_lost, lease->server().text(), answers[i].reason);
  }
}

// --- its end ---

namespace {

std::string list_of(const std::vector<std::string>& names) {
  return names.empty() ? std::string("no shard") : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::exception_ptr Transaction::failure_of(const CommitConversation::Failure& failure,
                                           const std::vector<Enlisted*>& members) {
  if (failure.refused_by) {
    const Lease& lease = members[*failure.refused_by]->lease;
    if (!failure.error.fields.empty()) {
      return std::make_exception_ptr(ServerError(failure.error, lease.shard(), lease.shard_name()));
    }
    return std::make_exception_ptr(
        make_error(values::ErrorId::shard_lost, lease->server().text(), failure.reason));
  }
  ++unknown_commits();
  const values::SqlError error = make_error(values::ErrorId::commit_unknown,
                                            list_of(failure.committed), list_of(failure.uncertain));
  spdlog::error("{}", error.message);
  return std::make_exception_ptr(error);
}

net::Task<std::string> Transaction::commit(net::CancelToken token) {
  if (state_ == TransactionState::failed) {
    co_await rollback(token);
    co_return "ROLLBACK";
  }
  std::vector<CommitConversation::Member> members;
  std::vector<Enlisted*> began;
  for (const auto& member : enlisted_) {
    if (!member->began) continue;
    members.push_back({member->shard, member->lease.shard_name(), member->wrote, member->holds});
    began.push_back(member.get());
  }
  CommitConversation conversation(std::move(members), !mysql());
  while (!conversation.done()) {
    const std::vector<CommitConversation::Action> actions = conversation.actions();
    std::vector<CommandAnswer> answers(actions.size());
    std::vector<net::Task<void>> tasks;
    for (std::size_t i = 0; i < actions.size(); ++i) {
      tasks.push_back(
          command_into(*began[actions[i].member], std::string(actions[i].sql), answers[i], token));
    }
    co_await net::when_all(std::move(tasks));
    for (std::size_t i = 0; i < actions.size(); ++i) {
      conversation.answer(actions[i].member, std::move(answers[i]));
    }
  }
  if (const auto& failure = conversation.failure()) {
    const std::exception_ptr error = failure_of(*failure, began);
    over(false);
    std::rethrow_exception(error);
  }
  over(true);
  co_return "COMMIT";
}

net::Task<void> Transaction::rollback(net::CancelToken token) {
  std::vector<CommandAnswer> answers(enlisted_.size());
  std::vector<net::Task<void>> tasks;
  for (std::size_t i = 0; i < enlisted_.size(); ++i) {
    Enlisted& member = *enlisted_[i];
    // What is in the middle of an answer is cut off: waiting for its end could take for ever.
    if (!member.began || member.lease->broken()) continue;
    if (member.lease->pending() > member.lease->skipped()) continue;
    tasks.push_back(command_into(member, "ROLLBACK", answers[i], token));
  }
  co_await net::when_all(std::move(tasks));
  over(false);
}

void Transaction::over(bool committed) {
  committed ? wanted_.commit() : wanted_.rollback();
  for (const auto& member : enlisted_) {
    SettingsStack& applied = member->lease->applied;
    committed ? applied.commit() : applied.rollback();
    member->began = member->wrote = member->holds = false;
    if (!member->lease->clean()) close(*member);
  }
  savepoints_.clear();
  schema_change_ = false;
  unspoken_ = false;
  one_moment_ = false;
  snapshots_ = Snapshots::none;
  options_.clear();
  state_ = TransactionState::none;
  std::erase_if(enlisted_, [&](const auto& member) {
    return !member->lease || (!stays(*member) && !member->unsettled);
  });
}

bool Transaction::stays(const Enlisted& member) const {
  return member.lease && (keeps_leases_ || member.kept || member.lingers);
}

void Transaction::close(Enlisted& member) {
  // What a MySQL session leaves on its connections is nowhere to be asked for.
  lost_kept_ |= member.kept || member.lingers || (mysql() && keeps_leases_);
  member.lease.discard();
}

void Transaction::give_back() {
  if (state_ != TransactionState::none || enlisted_.empty()) return;
  for (const auto& member : enlisted_) {
    if (member->unsettled || !member->lease->clean()) close(*member);
  }
  std::erase_if(enlisted_, [&](const auto& member) { return !stays(*member); });
}

Transaction::Enlisted* Transaction::first_begun() {
  for (const auto& member : enlisted_) {
    if (member->began) return member.get();
  }
  return nullptr;
}

void Transaction::drop() {
  enlisted_.clear();
  if (state_ != TransactionState::none) wanted_.rollback();
  savepoints_.clear();
  schema_change_ = false;
  unspoken_ = false;
  one_moment_ = false;
  snapshots_ = Snapshots::none;
  options_.clear();
  state_ = TransactionState::none;
}

}  // namespace anabranch::backends
