#pragma once

#include <cstddef>

namespace anabranch::net {

/// Memory for coroutine frames: per-thread free lists in steps of 64 bytes up to 4 KiB, so that a
/// session in its steady state does not call malloc. Frames may be freed on another thread than
/// they came from. Address-sanitizer builds go to malloc, so that stale frames are found.
void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

}  // namespace anabranch::net
