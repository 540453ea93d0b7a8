#include "store/sqlite/log_room.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace syncline::sqlite {
namespace {

/// A log of fewer bytes gets no room, and a longer one always has that much.
constexpr std::int64_t kFromBytes = 1LL << 20U;
/// Made at a time: less than a millisecond of copying zeros.
constexpr std::int64_t kStepBytes = 2LL << 20U;
/// Written at once. The kernel keeps what one call writes in pages of that size, and a change of any part of such a
/// page makes the disk write all of it: with 256 KiB, each commit wrote six times as much.
constexpr std::int64_t kZerosBytes = 4LL << 10U;

}  // namespace

bool LogRoom::after_commit(std::int64_t log_bytes) {
  if (log_bytes < last_bytes_) end_ = 0;
  last_bytes_ = log_bytes;
  if (log_bytes < kFromBytes || log_bytes + kFromBytes <= end_ || log_bytes >= kLogFileBytes) return false;
  if (!log_.is_open()) log_ = FileDescriptor(::open(log_path_.c_str(), O_WRONLY | O_CLOEXEC));
  struct stat status{};
  if (!log_.is_open() || ::fstat(log_.get(), &status) != 0) return false;
  end_ = status.st_size;
  return log_bytes + kFromBytes > end_ && extend();
}

bool LogRoom::extend() {
  static const std::vector<char> kZeros(kZerosBytes);
  const std::int64_t until = std::min(end_ + kStepBytes, kLogFileBytes);
  bool has_written = false;
  while (end_ < until) {
    const auto count = static_cast<std::size_t>(std::min(kZerosBytes, until - end_));
    const ::ssize_t written = ::pwrite(log_.get(), kZeros.data(), count, end_);
    if (written <= 0) {
      end_ = kLogFileBytes;  // the disk is full: no other attempt before the log begins anew
      break;
    }
    end_ += written;
    has_written = true;
  }
  return has_written;
}

void LogRoom::sync() const { (void)::fdatasync(log_.get()); }

}  // namespace syncline::sqlite
