#include "store/sqlite/commit_mark.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace syncline::sqlite {
namespace {

constexpr std::string_view kHead = "syncline-commit 1 ";
constexpr std::size_t kEpochBytes = 32;
constexpr std::size_t kChecksumDigits = 8;

std::string checksum_of(std::string_view text) {
  std::array<char, kChecksumDigits + 1> digits{};
  (void)std::snprintf(digits.data(), digits.size(), "%08x", crc32(text));
  return {digits.data(), kChecksumDigits};
}

std::string format_line(const std::string& epoch, std::int64_t commit) {
  std::array<char, 24> number{};
  (void)std::snprintf(number.data(), number.size(), "%020lld", static_cast<long long>(commit));
  std::string line(kHead);
  line += epoch;
  line.append(kEpochBytes - std::min(epoch.size(), kEpochBytes), ' ').append(" ").append(number.data()).append(" ");
  return line + checksum_of(line) + '\n';
}

std::optional<CommitMark::Line> parse_line(std::string_view text) {
  if (!text.starts_with(kHead) || !text.ends_with('\n')) return std::nullopt;
  text.remove_suffix(1);
  if (text.size() < kHead.size() + kEpochBytes + kChecksumDigits) return std::nullopt;
  const std::string_view checksum = text.substr(text.size() - kChecksumDigits);
  text.remove_suffix(kChecksumDigits);
  if (checksum != checksum_of(text)) return std::nullopt;
  const auto commit = parse_integer(trim(text.substr(kHead.size() + kEpochBytes)));
  if (!commit) return std::nullopt;
  return CommitMark::Line{std::string(trim(text.substr(kHead.size(), kEpochBytes))), *commit};
}

}  // namespace

Result<std::unique_ptr<CommitMark>> CommitMark::open(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.is_open()) {
    const ErrorCode code = errno == ENOSPC ? ErrorCode::storage_full : ErrorCode::storage_broken;
    return fail(code, "cannot open " + path + ": " + std::strerror(errno));
  }
  std::array<char, 256> bytes{};
  const ssize_t size = ::pread(file.get(), bytes.data(), bytes.size(), 0);
  std::unique_ptr<CommitMark> mark(new CommitMark(path, std::move(file)));
  if (size > 0) {
    mark->found_ = parse_line({bytes.data(), static_cast<std::size_t>(size)});
    if (!mark->found_) log(LogLevel::warning, "commit_mark_unreadable", {{"file", path}});
  }
  return mark;
}

Result<> CommitMark::begin(const Line& line) {
  epoch_ = line.epoch;
  if (found_ && found_->epoch == line.epoch && found_->commit == line.commit) return {};
  const bool is_written = ::ftruncate(file_.get(), 0) == 0 && write(line.commit) && ::fsync(file_.get()) == 0;
  if (is_written) return {};
  const ErrorCode code = errno == ENOSPC ? ErrorCode::storage_full : ErrorCode::storage_broken;
  return fail(code, "cannot write " + path_ + ": " + std::strerror(errno));
}

bool CommitMark::write(std::int64_t commit) const {
  const std::string line = format_line(epoch_, commit);
  return ::pwrite(file_.get(), line.data(), line.size(), 0) == static_cast<ssize_t>(line.size());
}

void CommitMark::note(std::int64_t commit) {
  // Without it a loss could stay unseen, but the commit itself is safe.
  if (!write(commit)) log(LogLevel::warning, "commit_mark_failed", {{"error", std::strerror(errno)}});
  is_synced_ = false;
}

void CommitMark::sync() {
  if (is_synced_.exchange(true)) return;
  if (::fdatasync(file_.get()) != 0) log(LogLevel::warning, "commit_mark_failed", {{"error", std::strerror(errno)}});
}

Result<std::int64_t> read_last_commit(Connection& connection) {
  TRY(const std::int64_t newest, connection.query_integer("SELECT max(commit_number) FROM space"));
  // Of spaces that were erased since.
  TRY(const std::int64_t erased, connection.query_integer("SELECT value FROM meta WHERE name = 'last_commit'"));
  return std::max(newest, erased);
}

}  // namespace syncline::sqlite
