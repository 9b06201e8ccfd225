#include "values/collation.h"

#include <fmt/format.h>
#include <unicode/ucol.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <vector>

#include "values/errors.h"

namespace anabranch::values {

namespace {

struct CloseCollator {
  void operator()(UCollator* collator) const { ucol_close(collator); }
};
using CollatorPtr = std::unique_ptr<UCollator, CloseCollator>;

CollatorPtr open_collator(const std::string& locale) {
  UErrorCode status = U_ZERO_ERROR;
  CollatorPtr collator(ucol_open(locale.c_str(), &status));
  if (U_FAILURE(status)) return nullptr;
  return collator;
}

std::string version_of(const UCollator* collator) {
  UVersionInfo version;
  ucol_getVersion(collator, version);
  char text[U_MAX_VERSION_STRING_LENGTH];
  u_versionToString(version, text);
  return text;
}

int sign_of(int value) {
  return (value > 0) - (value < 0);
}

int compare_bytes(std::string_view left, std::string_view right) {
  return sign_of(left.compare(right));
}

bool is_bytes_locale(std::string_view locale) {
  std::string folded;
  for (const char c : locale) {
    if (c != '-') folded.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  }
  return folded == "c" || folded == "posix" || folded == "c.utf8";
}

std::atomic<uint64_t> next_rule_id{1};

}  // namespace

struct Collation::Rule {
  uint64_t id = next_rule_id++;
  std::string name;
  std::string reason;  // not empty: cannot order
  bool deterministic = true;
  CollatorPtr prototype;  // cloned for each thread, under the mutex
  mutable std::mutex mutex;

  CollatorPtr clone() const {
    const std::scoped_lock lock(mutex);
    UErrorCode status = U_ZERO_ERROR;
    CollatorPtr copy(ucol_clone(prototype.get(), &status));
    if (U_FAILURE(status)) throw make_error(ErrorId::internal, "ICU cannot clone a collator");
    return copy;
  }
};

namespace {

/// This thread's clones. Entries of collations that are gone are dropped when one is added.
class ThreadCollators {
 public:
  UCollator* of(const std::shared_ptr<const Collation::Rule>& rule) {
    for (const Entry& entry : entries_) {
      if (entry.id == rule->id) return entry.collator.get();
    }
    std::erase_if(entries_, [](const Entry& entry) { return entry.owner.expired(); });
    return entries_.emplace_back(rule->id, rule, rule->clone()).collator.get();
  }

 private:
  struct Entry {
    Entry(uint64_t rule_id, std::weak_ptr<const Collation::Rule> rule, CollatorPtr clone)
        : id(rule_id), owner(std::move(rule)), collator(std::move(clone)) {}
    uint64_t id;
    std::weak_ptr<const Collation::Rule> owner;
    CollatorPtr collator;
  };
  std::vector<Entry> entries_;
};

thread_local ThreadCollators thread_collators;
thread_local std::vector<UChar> utf16_buffer;

}  // namespace

Collation Collation::icu(std::string_view locale, std::string_view server_version,
                         bool deterministic) {
  auto rule = std::make_shared<Rule>();
  rule->name = fmt::format("icu:{} ({})", locale, server_version);
  rule->deterministic = deterministic;
  rule->prototype = open_collator(std::string(locale));
  if (!rule->prototype) {
    rule->reason = fmt::format("ICU has no collation \"{}\" here", locale);
  } else if (const std::string ours = version_of(rule->prototype.get()); ours != server_version) {
    rule->reason = fmt::format("the server's ICU collation \"{}\" has version {}, Anabranch's {}",
                               locale, server_version.empty() ? "unknown" : server_version, ours);
  }
  Collation collation;
  collation.rule_ = std::move(rule);
  return collation;
}

Collation Collation::unproved(std::string reason, bool deterministic) {
  auto rule = std::make_shared<Rule>();
  rule->name = "unproved";
  rule->reason = std::move(reason);
  rule->deterministic = deterministic;
  Collation collation;
  collation.rule_ = std::move(rule);
  return collation;
}

Collation Collation::from_server(char provider, std::string_view locale, std::string_view version,
                                 bool deterministic) {
  if (provider == 'i') return icu(locale, version, deterministic);
  if ((provider == 'c' || provider == 'b') && is_bytes_locale(locale)) return c();
  if (provider == 'b' && locale == "PG_UNICODE_FAST") return c();
  if (provider == 'c') {
    return unproved(fmt::format("the libc collation \"{}\" is not proved to be equal here", locale),
                    deterministic);
  }
  return unproved(fmt::format("collation provider '{}' is not known", provider), deterministic);
}

bool Collation::can_order() const {
  return !rule_ || rule_->reason.empty();
}
bool Collation::deterministic() const {
  return !rule_ || rule_->deterministic;
}
std::string_view Collation::reason() const {
  return rule_ ? std::string_view(rule_->reason) : std::string_view();
}
std::string Collation::describe() const {
  return rule_ ? rule_->name : "C";
}

void Collation::append_sort_key(std::string_view utf8, std::string& out) const {
  UCollator* collator = thread_collators.of(rule_);
  if (utf8.size() > std::numeric_limits<int32_t>::max() / 8)
    throw make_error(ErrorId::too_many_bytes, "a string to sort by",
                     std::numeric_limits<int32_t>::max() / 8);
  if (utf16_buffer.size() < utf8.size() + 1) utf16_buffer.resize(utf8.size() + 1);
  UErrorCode status = U_ZERO_ERROR;
  int32_t units = 0;
  u_strFromUTF8(utf16_buffer.data(), static_cast<int32_t>(utf16_buffer.size()), &units, utf8.data(),
                static_cast<int32_t>(utf8.size()), &status);
  if (U_FAILURE(status)) throw make_error(ErrorId::invalid_encoding, "text");
  const size_t at = out.size();
  size_t room = utf8.size() * 4 + 32;
  for (;;) {
    out.resize(at + room);
    const auto needed = static_cast<size_t>(
        ucol_getSortKey(collator, utf16_buffer.data(), units,
                        reinterpret_cast<uint8_t*>(out.data() + at), static_cast<int32_t>(room)));
    if (needed == 0) throw make_error(ErrorId::internal, "ICU gives no sort key");
    out.resize(at + std::min(needed, room));
    if (needed <= room) return;
    room = needed;
  }
}

int Collation::compare(std::string_view left, std::string_view right) const {
  if (is_bytes()) return compare_bytes(left, right);
  std::string left_key;
  std::string right_key;
  append_sort_key(left, left_key);
  append_sort_key(right, right_key);
  const int order = compare_bytes(left_key, right_key);
  return order != 0 || !deterministic() ? order : compare_bytes(left, right);
}

std::string icu_collator_version(const std::string& locale) {
  const CollatorPtr collator = open_collator(locale);
  return collator ? version_of(collator.get()) : std::string();
}

}  // namespace anabranch::values
