#include "proxy/lookups.h"

#include <algorithm>
#include <utility>

#include "backends/exchange.h"
#include "backends/lookup_question.h"
#include "proxy/leases.h"
#include "proxy/session_core.h"
#include "rewriter/plan.h"
#include "values/ascii.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using router::KeyValue;
using router::MappedScheme;

/// Answers of a stream that are kept at most.
constexpr std::size_t most_streamed = 10'000;

std::string name_of(const MappedScheme& scheme, const KeyValue& key) {
  std::string name(reinterpret_cast<const char*>(&scheme.index), sizeof(scheme.index));
  if (key.kind == KeyValue::Kind::integer) {
    name.append(reinterpret_cast<const char*>(&key.integer), sizeof(key.integer));
  } else {
    name += key.bytes;
  }
  return name;
}

}  // namespace

// ------------------------------------------------------------------------------------- the reader

void LookupReader::begin(const DatabaseState& database) {
  owner_ = database.version;
  some_shard_ = database.map->default_shard();
  answers_.clear();
  streamed_.clear();
  questions_.clear();
}

LookupReader::Pass::Pass(LookupReader& reader, bool keeping) : reader_(reader) {
  reader.in_pass_ = true;
  reader.keeping_ = keeping;
  reader.now_.reset();
  reader.questions_.clear();
}

router::LookupCache::Scope LookupReader::scope_of(const MappedScheme& scheme, std::uint64_t generation) const {
  return {owner_, generation, scheme.index};
}

std::optional<std::uint32_t> LookupReader::recall(const MappedScheme& scheme, const KeyValue& key) {
  if (changed_) return std::nullopt;
  const auto generation = changes_.generation();
  if (!generation) return std::nullopt;
  if (!now_) now_ = router::LookupCache::Clock::now();
  return cache_.find(scope_of(scheme, *generation), key, *now_);
}

std::optional<router::Placement> LookupReader::place(const MappedScheme& scheme, const KeyValue& key) {
  for (const Answers* answers : {&answers_, &streamed_}) {
    if (answers->empty()) continue;
    const auto known = answers->find(name_of(scheme, key));
    if (known == answers->end()) continue;
    if (!known->second) return std::nullopt;
    return router::Placement{-1, *known->second};
  }
  if (!in_pass_) throw values::make_error(values::ErrorId::internal, "a key was not looked up");
  if (const auto shard = recall(scheme, key)) {
    if (keeping_) answers_.emplace(name_of(scheme, key), shard);
    return router::Placement{-1, *shard};
  }
  questions_.push_back({&scheme, key});
  return router::Placement{-1, some_shard_};
}

std::vector<LookupReader::Question> LookupReader::take_questions() {
  std::vector<Question> questions = std::exchange(questions_, {});
  std::ranges::sort(questions, {}, [](const Question& question) { return question.scheme->index; });
  return questions;
}

void LookupReader::answer(const Question& question, std::optional<std::uint32_t> shard, bool streaming) {
  if (streaming && streamed_.size() >= most_streamed) streamed_.clear();
  (streaming ? streamed_ : answers_).insert_or_assign(name_of(*question.scheme, question.key), shard);
}

void LookupReader::remember(const Question& question, std::uint32_t shard, std::uint64_t generation) {
  const conf::Milliseconds age = question.scheme->lookup->max_age;
  if (changed_ || age.count() == 0) return;
  cache_.put(scope_of(*question.scheme, generation), question.key, shard, router::LookupCache::Clock::now() + age);
}

void LookupReader::note_change(bool adds) {
  changed_ = true;
  if (adds || announced_) return;
  announced_ = true;
  changes_.begin();
}

void LookupReader::end_change() {
  changed_ = false;
  if (std::exchange(announced_, false)) changes_.end();
}

// ------------------------------------------------------------------------------------- the session

namespace {

bool is_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

/// Not as a part of a longer name. Both are in lower case.
bool contains_name(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_of_name(text[at - 1])) && (end == text.size() || !is_of_name(text[end]))) return true;
  }
  return false;
}

bool names_table(const router::ShardMap& map, std::string_view text) {
  const std::string lower = values::lower_case(text);
  return std::ranges::any_of(map.schemes(), [&](const MappedScheme& scheme) {
    return scheme.lookup && contains_name(lower, values::lower_case(scheme.lookup->name.name));
  });
}

/// Its rows go where their keys say: to no table of keys, which has one place.
bool stores_by_key(const rewriter::Plan& plan) {
  return plan.kind == rewriter::PlanKind::split || plan.insert || plan.copy || plan.load;
}

/// An INSERT that leaves the rows that are there as they are.
bool only_adds(const rewriter::Plan& plan, std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  return plan.command == "INSERT" && values::lower_case(text.substr(begin, 6)) == "insert" &&
         !values::contains_in_any_case(text, "conflict") && !values::contains_in_any_case(text, "duplicate");
}

/// Keys of one scheme, in one query.
net::Task<void> ask(SessionCore& state, backends::Lease& lease, std::span<const LookupReader::Question> questions,
                    std::optional<std::uint64_t> generation, bool streaming) {
  const MappedScheme& scheme = *questions.front().scheme;
  std::vector<KeyValue> keys;
  for (const auto& question : questions) keys.push_back(question.key);
  const Running running(state, lease);
  auto answer = co_await backends::run_command(
      lease, backends::lookup_question(state.db->conf->kind, scheme, keys), state.token());
  if (!answer) throw backends::ServerError(answer.error(), lease.shard(), lease.shard_name());
  const auto shards = backends::read_lookup_answer(*state.db->map, scheme, keys, answer->rows);
  const bool settled = generation && state.lookups.generation() == generation;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    state.lookups.answer(questions[i], shards[i], streaming);
    if (settled && shards[i]) state.lookups.remember(questions[i], *shards[i], *generation);
  }
}

}  // namespace

void begin_lookups(SessionCore& state, const rewriter::Plan& plan, std::string_view text) {
  state.lookups.begin(*state.db);
  const bool changes_none = plan.session || plan.effect == rewriter::Effect::reads || stores_by_key(plan) ||
                            plan.kind == rewriter::PlanKind::local;
  if (changes_none) return;
  if (!names_table(*state.db->map, text)) return;
  // Keys without a row are not remembered: those that are given one change nothing for others.
  state.lookups.note_change(only_adds(plan, text));
}

net::Task<void> answer_lookups(SessionCore& state, bool streaming) {
  const std::vector<LookupReader::Question> questions = state.lookups.take_questions();
  if (questions.empty()) co_return;
  if (streaming && state.lookups.changed()) {
    const MappedScheme& scheme = *questions.front().scheme;
    throw values::make_error(values::ErrorId::lookup_in_stream, scheme.name, scheme.lookup->name.name);
  }
  auto generation = state.lookups.generation();
  const std::uint32_t shard = state.default_shard();
  auto* own = streaming ? nullptr : state.transaction.find(shard);
  // What a transaction sees is not what others do.
  if (own != nullptr && own->began) generation.reset();
  backends::Lease borrowed;
  if (own == nullptr) {
    borrowed = co_await borrow_lease(state, shard);
  } else if (!own->began) {
    co_await backends::apply_context(own->lease, state.settings);
  }
  backends::Lease& lease = own == nullptr ? borrowed : own->lease;
  for (std::size_t first = 0; first < questions.size();) {
    std::size_t end = first;
    while (end < questions.size() && end - first < backends::lookup_keys_at_once &&
           questions[end].scheme == questions[first].scheme) {
      ++end;
    }
    co_await ask(state, lease, {questions.data() + first, end - first}, generation, streaming);
    first = end;
  }
  state.check_cancelled();
}

}  // namespace anabranch::proxy
