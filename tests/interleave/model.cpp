#include "model.h"

#include <algorithm>

namespace interleave {

void Model::connect(Values base) {
  auto rows = std::move(transaction_ == Transaction::none ? now : before_).rows;
  *this = Model();
  base_ = std::move(base);
  now.settings = base_;
  now.rows = std::move(rows);
}

std::string Model::shown(const std::string& setting) const {
  if (const auto local = now.locals.find(setting); local != now.locals.end()) return local->second;
  const auto found = now.settings.find(setting);
  return found == now.settings.end() ? "" : found->second;
}

void Model::set(const std::string& setting, const std::string& shown, bool local) {
  if (local) {
    if (transaction_ != Transaction::none) now.locals[setting] = shown;
    return;
  }
  now.settings[setting] = shown;
  now.locals.erase(setting);
}

void Model::reset(const std::string& setting) {
  const auto base = base_.find(setting);
  now.settings[setting] = base == base_.end() ? "" : base->second;
  now.locals.erase(setting);
}

void Model::reset_all() {
  const std::string role = now.settings["role"];
  const auto local_role = now.locals.find("role");
  const Values kept = local_role == now.locals.end() ? Values{} : Values{*local_role};
  now.settings = base_;
  now.settings["role"] = role;
  now.locals = kept;
}

void Model::discard_all() {
  now.settings = base_;
  now.locals.clear();
  now.temporary.clear();
  now.listening.clear();
  protocol_statements.clear();
  sql_statements.clear();
  session_locks.clear();
  last_number.reset();
}

void Model::begin() {
  before_ = now;
  transaction_ = Transaction::open;
}

void Model::end() {
  transaction_ = Transaction::none;
  savepoints_.clear();
}

bool Model::commit() {
  if (transaction_ == Transaction::failed) {
    rollback();
    return false;
  }
  now.locals.clear();
  now.cursors.clear();
  std::erase_if(now.temporary, [](const auto& table) { return table.second.drops_on_commit; });
  end();
  return true;
}

void Model::rollback() {
  if (transaction_ != Transaction::none) now = before_;
  end();
}

void Model::fail() {
  if (transaction_ == Transaction::open) transaction_ = Transaction::failed;
}

void Model::savepoint(const std::string& name) { savepoints_.emplace_back(name, now); }

bool Model::has_savepoint(const std::string& name) const {
  return std::ranges::any_of(savepoints_, [&](const auto& made) { return made.first == name; });
}

void Model::rollback_to(const std::string& name) {
  while (savepoints_.back().first != name) savepoints_.pop_back();
  now = savepoints_.back().second;
  transaction_ = Transaction::open;
}

void Model::release(const std::string& name) {
  while (savepoints_.back().first != name) savepoints_.pop_back();
  savepoints_.pop_back();
}

}  // namespace interleave
