#include "merge/spill.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "values/errors.h"

namespace anabranch::merge {

namespace {

/// For file systems that know no files without a name.
int open_and_unlink(const std::string& directory) {
  std::string path = directory + "/anabranch-XXXXXX";
  const int file = ::mkostemp(path.data(), O_CLOEXEC);
  if (file >= 0) ::unlink(path.c_str());
  return file;
}

}  // namespace

Spill::~Spill() {
  if (file_ >= 0) ::close(file_);
}

void Spill::fail(const char* what, int code) const {
  if (code == ENOSPC || code == EDQUOT)
    throw values::make_error(values::ErrorId::spill_full, what, directory_, std::strerror(code));
  throw values::make_error(values::ErrorId::spill_failed, what, directory_, std::strerror(code));
}

void Spill::open() {
  file_ = ::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) file_ = open_and_unlink(directory_);
  if (file_ < 0) fail("make", errno);
}

Spill::Extent Spill::write(std::string_view bytes) {
  if (bytes.size() > limit_ - held_) throw values::make_error(values::ErrorId::spill_budget, limit_);
  if (file_ < 0) open();
  const Extent extent{end_, bytes.size()};
  std::uint64_t at = end_;
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("write", errno);
    at += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  end_ = at;
  held_ += extent.length;
  return extent;
}

void Spill::read(const Extent& extent, std::string& bytes) const {
  bytes.resize(extent.length);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(file_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(extent.offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", errno);
    if (count == 0) fail("read", EIO);
    done += static_cast<std::size_t>(count);
  }
}

void Spill::release(const Extent& extent) {
  held_ -= extent.length;
  // Where holes cannot be made the space comes back with the file.
  ::fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(extent.offset),
              static_cast<off_t>(extent.length));
}

}  // namespace anabranch::merge
