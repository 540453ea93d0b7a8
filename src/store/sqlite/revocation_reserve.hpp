// Room on the disk that is set aside for revocations, in a file beside the store: a key can be revoked while the disk
// takes nothing else. The file has its full size from the start, and an entry overwrites a free slot in it; that needs
// no new block, except on file systems that never overwrite in place (btrfs, ZFS). Safe from any thread.
//
//   key number (8 bytes) · time of the revocation, microseconds (8) · start of the token's hash (8) · XXH3-64 of these
//   (8)
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "base/file_descriptor.hpp"
#include "base/mutex.hpp"
#include "store/directory.hpp"

namespace syncline::sqlite {

/// Follows the name of the store.
inline constexpr std::string_view kRevocationReserveSuffix = "-revoked";

class RevocationReserve {
 public:
  static constexpr std::size_t kSlots = 2048;

  struct Entry {
    KeyNumber key;
    Timestamp at;
  };

  /// Opens the file, or makes it. Without room for it there is no reserve, and note() says so.
  explicit RevocationReserve(const std::string& path);

  /// Durable when it returns. storage_full without a free slot, storage_broken if the disk fails.
  [[nodiscard]] Result<> note(const KeyRow& key, Timestamp at) EXCLUDES(mutex_);
  /// When the key was revoked, if the file says that it was. The number alone does not tell: a store that was restored
  /// from a backup gives numbers again.
  [[nodiscard]] std::optional<Timestamp> find(const KeyRow& key) const EXCLUDES(mutex_);
  [[nodiscard]] std::vector<Entry> entries() const EXCLUDES(mutex_);
  /// These are stored elsewhere now.
  void forget(const std::vector<Entry>& stored) EXCLUDES(mutex_);

 private:
  struct Slot {
    std::int64_t key = 0;
    std::int64_t at = 0;
    std::int64_t token = 0;
    std::int64_t hash = 0;
  };
  [[nodiscard]] Result<> prepare();
  void load() REQUIRES(mutex_);
  [[nodiscard]] Result<> write(std::size_t index, const Slot& slot) const;

  const std::string path_;
  FileDescriptor file_;
  bool is_ready_ = false;
  std::atomic<bool> any_ = false;
  mutable Mutex mutex_;
  std::map<std::size_t, Slot> used_ GUARDED_BY(mutex_);  // by place
};

}  // namespace syncline::sqlite
