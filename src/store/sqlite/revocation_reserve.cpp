#include "store/sqlite/revocation_reserve.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/log.hpp"

namespace syncline::sqlite {
namespace {

std::int64_t start_of(std::string_view token_hash) {
  std::int64_t start = 0;
  std::memcpy(&start, token_hash.data(), std::min(sizeof start, token_hash.size()));
  return start;
}

template <typename Slot>
std::int64_t hash_of_slot(const Slot& slot) {
  return std::bit_cast<std::int64_t>(XXH3_64bits(&slot, sizeof slot - sizeof slot.hash));
}

}  // namespace

RevocationReserve::RevocationReserve(const std::string& path) : path_(path) {
  if (const auto prepared = prepare(); !prepared) {
    log(LogLevel::warning, "no_revocation_reserve", {{"error", prepared.error().text}});
  }
}

Result<> RevocationReserve::prepare() {
  constexpr auto kBytes = static_cast<off_t>(kSlots * sizeof(Slot));
  file_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file_.is_open()) return fail(ErrorCode::unavailable, "cannot open " + path_ + ": " + std::strerror(errno));
  if (const int error = ::posix_fallocate(file_.get(), 0, kBytes); error != 0) {
    return fail(ErrorCode::storage_full, "cannot set room aside in " + path_ + ": " + std::strerror(error));
  }
  if (::fsync(file_.get()) != 0) return fail(ErrorCode::storage_broken, "cannot sync " + path_);
  const MutexLock lock(mutex_);
  load();
  is_ready_ = true;
  return {};
}

void RevocationReserve::load() {
  std::vector<Slot> slots(kSlots);
  const ssize_t bytes = ::pread(file_.get(), slots.data(), slots.size() * sizeof(Slot), 0);
  const std::size_t count = bytes > 0 ? static_cast<std::size_t>(bytes) / sizeof(Slot) : 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (slots[i].key != 0 && slots[i].hash == hash_of_slot(slots[i])) used_[i] = slots[i];
  }
  any_ = !used_.empty();
}

Result<> RevocationReserve::write(std::size_t index, const Slot& slot) const {
  const auto offset = static_cast<off_t>(index * sizeof slot);
  if (::pwrite(file_.get(), &slot, sizeof slot, offset) != static_cast<ssize_t>(sizeof slot) ||
      ::fdatasync(file_.get()) != 0) {
    const ErrorCode code = errno == ENOSPC ? ErrorCode::storage_full : ErrorCode::storage_broken;
    return fail(code, "cannot write " + path_ + ": " + std::strerror(errno));
  }
  return {};
}

Result<> RevocationReserve::note(const KeyRow& key, Timestamp at) {
  if (!is_ready_) return fail(ErrorCode::storage_full, "no room was set aside for revocations");
  const MutexLock lock(mutex_);
  std::size_t free = 0;
  while (used_.contains(free)) ++free;
  if (free == kSlots) return fail(ErrorCode::storage_full, "the room for revocations is used up");
  Slot slot{key.number.value, at.micros, start_of(key.token_hash), 0};
  slot.hash = hash_of_slot(slot);
  CHECK_OK(write(free, slot));
  used_[free] = slot;
  any_ = true;
  return {};
}

std::optional<Timestamp> RevocationReserve::find(const KeyRow& key) const {
  if (!any_) return std::nullopt;
  const MutexLock lock(mutex_);
  for (const auto& [index, slot] : used_) {
    if (slot.key == key.number.value && slot.token == start_of(key.token_hash)) return Timestamp{slot.at};
  }
  return std::nullopt;
}

std::vector<RevocationReserve::Entry> RevocationReserve::entries() const {
  if (!any_) return {};
  const MutexLock lock(mutex_);
  std::vector<Entry> entries;
  entries.reserve(used_.size());
  for (const auto& [index, slot] : used_) entries.push_back({{slot.key}, {slot.at}});
  return entries;
}

void RevocationReserve::forget(const std::vector<Entry>& stored) {
  const MutexLock lock(mutex_);
  for (const Entry& entry : stored) {
    std::erase_if(used_, [&](const auto& used) {
      const bool is_stored = used.second.key == entry.key.value && used.second.at == entry.at.micros;
      // A slot that stays is read again at the next opening, and stored again: that changes nothing.
      return is_stored && write(used.first, Slot{}).has_value();
    });
  }
  any_ = !used_.empty();
}

}  // namespace syncline::sqlite
