#include "backends/commit_conversation.h"

#include <algorithm>
#include <utility>

namespace anabranch::backends {

CommitConversation::CommitConversation(std::vector<Member> members, bool deferred_constraints)
    : members_(std::move(members)),
      answers_(members_.size()),
      lost_(members_.size(), false),
      asked_to_commit_(members_.size(), false) {
  enter(writers() > 1 && deferred_constraints ? Phase::check : Phase::commit_holders);
}

std::size_t CommitConversation::writers() const {
  return static_cast<std::size_t>(std::ranges::count_if(members_, &Member::wrote));
}

void CommitConversation::enter(Phase phase) {
  phase_ = phase;
  actions_.clear();
  std::ranges::fill(answers_, std::nullopt);
  for (std::size_t i = 0; i < members_.size() && phase != Phase::over; ++i) {
    if (lost_[i]) continue;
    const bool wrote = members_[i].wrote;
    if (phase == Phase::check && wrote) actions_.push_back({i, "SET CONSTRAINTS ALL IMMEDIATE"});
    if (phase == Phase::roll_back && !asked_to_commit_[i]) actions_.push_back({i, "ROLLBACK"});
    const bool now = (phase == Phase::commit_holders && members_[i].holds && !wrote) ||
                     (phase == Phase::commit_writers && wrote) ||
                     (phase == Phase::commit_readers && !asked_to_commit_[i]);
    if (now) actions_.push_back({i, "COMMIT"});
    asked_to_commit_[i] = asked_to_commit_[i] || now;
  }
  missing_ = actions_.size();
  if (missing_ == 0 && phase != Phase::over) advance();
}

void CommitConversation::answer(std::size_t member, CommandAnswer answer) {
  lost_[member] = lost_[member] || answer.kind == CommandAnswer::Kind::lost;
  answers_[member] = std::move(answer);
  if (--missing_ == 0) advance();
}

void CommitConversation::advance() {
  switch (phase_) {
    case Phase::check:
      if (first_failed()) fail_before_commit();
      enter(failure_ ? Phase::roll_back : Phase::commit_holders);
      break;
    case Phase::commit_holders:
      if (first_failed()) fail_before_commit();
      enter(failure_ ? Phase::roll_back : Phase::commit_writers);
      break;
    case Phase::commit_writers:
      if (first_failed()) decide();
      // The readers of a transaction whose outcome is unknown may as well end.
      enter(failure_ ? Phase::roll_back : Phase::commit_readers);
      break;
    case Phase::commit_readers:
      if (writers() == 0 && first_failed()) fail_before_commit();
      enter(Phase::over);
      break;
    case Phase::roll_back:
      enter(Phase::over);
      break;
    case Phase::over:
      break;
  }
}

std::optional<std::size_t> CommitConversation::first_failed() const {
  for (std::size_t i = 0; i < answers_.size(); ++i) {
    if (answers_[i] && answers_[i]->kind != CommandAnswer::Kind::done) return i;
  }
  return std::nullopt;
}

// Nothing has been committed anywhere: whatever happened, the transaction did not.
void CommitConversation::fail_before_commit() {
  const std::size_t member = *first_failed();
  Failure& failure = failure_.emplace();
  failure.refused_by = member;
  failure.error = answers_[member]->error;
  failure.reason = answers_[member]->reason;
}

void CommitConversation::decide() {
  Failure failure;
  std::optional<std::size_t> refused;
  bool lost = false;
  for (std::size_t i = 0; i < answers_.size(); ++i) {
    if (!answers_[i]) continue;
    const bool done = answers_[i]->kind == CommandAnswer::Kind::done;
    lost |= answers_[i]->kind == CommandAnswer::Kind::lost;
    if (answers_[i]->kind == CommandAnswer::Kind::refused && !refused) refused = i;
    (done ? failure.committed : failure.uncertain).push_back(members_[i].name);
  }
  if (failure.committed.empty() && !lost) {
    fail_before_commit();
    return;
  }
  failure_ = std::move(failure);
}

}  // namespace anabranch::backends
