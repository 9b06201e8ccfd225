#pragma once

namespace anabranch::net {

// Pools would hide stale pointers from the sanitizers.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool checked_memory = true;
#else
inline constexpr bool checked_memory = false;
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool checked_memory = true;
#else
inline constexpr bool checked_memory = false;
#endif

}  // namespace anabranch::net
