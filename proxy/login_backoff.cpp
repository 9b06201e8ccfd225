#include "proxy/login_backoff.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace anabranch::proxy {

namespace {

/// One who has an IPv6 address has 2^64 of them.
std::string network_of(std::string_view address) {
  in6_addr bytes{};
  const std::string text(address);
  if (inet_pton(AF_INET6, text.c_str(), &bytes) != 1 || IN6_IS_ADDR_V4MAPPED(&bytes)) return text;
  std::fill(bytes.s6_addr + 8, bytes.s6_addr + 16, 0);
  std::array<char, INET6_ADDRSTRLEN> network{};
  return inet_ntop(AF_INET6, &bytes, network.data(), network.size());
}

/// "[::1]:5432" and "127.0.0.1:5432" without their ports.
std::string_view without_port(std::string_view peer) {
  if (peer.starts_with('[')) return peer.substr(1, std::min(peer.find(']'), peer.size()) - 1);
  return peer.substr(0, peer.rfind(':'));
}

}  // namespace

std::string LoginBackoff::key(std::string_view address, std::string_view user) {
  std::string key = network_of(without_port(address));
  key.push_back('\0');
  return key.append(user);
}

std::uint32_t LoginBackoff::left(const Entry& entry, Clock::time_point now) {
  const auto halvings = (now - entry.last) / half_life;
  return halvings >= 32 ? 0 : entry.failures >> std::max<std::int64_t>(halvings, 0);
}

void LoginBackoff::forget(Entries::iterator entry) {
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

std::chrono::milliseconds LoginBackoff::delay(const std::string& key, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return {};
  const std::uint32_t failures = left(*found->second, now);
  if (failures == 0) {
    forget(found->second);
    return {};
  }
  if (failures == 1) return {};
  const auto grown = first_delay * (1LL << std::min(failures - 2, 20U));
  return std::min<std::chrono::milliseconds>(grown, longest_delay);
}

void LoginBackoff::failed(const std::string& key, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  std::uint32_t before = 0;
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    before = left(*found->second, now);
    forget(found->second);
  } else if (entries_.size() >= most_entries) {
    forget(std::prev(entries_.end()));
  }
  // Counted no further than what gives the longest delay: it is to decay within minutes.
  entries_.push_front({key, std::min(before + 1, 12U), now});
  by_key_.emplace(entries_.front().key, entries_.begin());
}

void LoginBackoff::succeeded(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) forget(found->second);
}

std::size_t LoginBackoff::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace anabranch::proxy
