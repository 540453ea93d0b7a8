#include "support/faulty_disk.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace syncline::test {
namespace {

constexpr std::size_t kSectorBytes = 512;

/// What SQLite allocates for an open file: this, and behind it the file of the VFS below.
struct DiskFile {
  sqlite3_file base;
  FaultyDisk* disk;
  std::string* path;
};
static_assert(sizeof(DiskFile) % alignof(sqlite3_int64) == 0, "the file behind it must be aligned");

DiskFile& disk_file(sqlite3_file* file) { return *reinterpret_cast<DiskFile*>(file); }
sqlite3_file* below(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(&disk_file(file) + 1); }

template <auto kMethod, typename... Args>
auto pass(sqlite3_file* file, Args... args) {
  return (below(file)->pMethods->*kMethod)(below(file), args...);
}

int disk_close(sqlite3_file* file) {
  const int code = pass<&sqlite3_io_methods::xClose>(file);
  delete disk_file(file).path;
  return code;
}

int disk_read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  if (disk_file(file).disk->fails(FaultyDisk::Call::read)) return SQLITE_IOERR_READ;
  return pass<&sqlite3_io_methods::xRead>(file, to, size, offset);
}

int disk_write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  const auto write = [&](int count) {
    disk_file(file).disk->note(FaultyDisk::Call::write, *disk_file(file).path, offset,
                               {static_cast<const char*>(bytes), static_cast<std::size_t>(count)});
    return pass<&sqlite3_io_methods::xWrite>(file, bytes, count, offset);
  };
  if (!disk_file(file).disk->fails(FaultyDisk::Call::write)) return write(size);
  switch (disk_file(file).disk->fault()) {
    case FaultyDisk::Fault::io_error: return SQLITE_IOERR_WRITE;
    case FaultyDisk::Fault::short_write: (void)write(size / 2); [[fallthrough]];
    case FaultyDisk::Fault::full: return SQLITE_FULL;
  }
  return SQLITE_IOERR_WRITE;
}

int disk_truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (disk_file(file).disk->fails(FaultyDisk::Call::truncate)) return SQLITE_IOERR_TRUNCATE;
  disk_file(file).disk->note(FaultyDisk::Call::truncate, *disk_file(file).path, size);
  return pass<&sqlite3_io_methods::xTruncate>(file, size);
}

int disk_sync(sqlite3_file* file, int flags) {
  if (disk_file(file).disk->fails(FaultyDisk::Call::sync)) return SQLITE_IOERR_FSYNC;
  const int code = pass<&sqlite3_io_methods::xSync>(file, flags);
  if (code == SQLITE_OK) disk_file(file).disk->note(FaultyDisk::Call::sync, *disk_file(file).path);
  return code;
}

constexpr sqlite3_io_methods kMethods{
    .iVersion = 3,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = pass<&sqlite3_io_methods::xFileSize, sqlite3_int64*>,
    .xLock = pass<&sqlite3_io_methods::xLock, int>,
    .xUnlock = pass<&sqlite3_io_methods::xUnlock, int>,
    .xCheckReservedLock = pass<&sqlite3_io_methods::xCheckReservedLock, int*>,
    .xFileControl = pass<&sqlite3_io_methods::xFileControl, int, void*>,
    .xSectorSize = pass<&sqlite3_io_methods::xSectorSize>,
    .xDeviceCharacteristics = pass<&sqlite3_io_methods::xDeviceCharacteristics>,
    .xShmMap = pass<&sqlite3_io_methods::xShmMap, int, int, int, void volatile**>,
    .xShmLock = pass<&sqlite3_io_methods::xShmLock, int, int, int>,
    .xShmBarrier = pass<&sqlite3_io_methods::xShmBarrier>,
    .xShmUnmap = pass<&sqlite3_io_methods::xShmUnmap, int>,
    .xFetch = pass<&sqlite3_io_methods::xFetch, sqlite3_int64, int, void**>,
    .xUnfetch = pass<&sqlite3_io_methods::xUnfetch, sqlite3_int64, void*>,
};

/// SQLite asks the VFS that it gave for the disk that is meant; there is one at a time.
FaultyDisk* the_disk = nullptr;

sqlite3_vfs* vfs_below(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

int disk_open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_taken) {
  DiskFile& opened = *new (file) DiskFile{{}, the_disk, nullptr};
  const int code = vfs_below(vfs)->xOpen(vfs_below(vfs), path, below(file), flags, flags_taken);
  // SQLite closes what has methods, even if opening it fails.
  if (below(file)->pMethods == nullptr) return code;
  opened.path = new std::string(path == nullptr ? "" : path);
  opened.base.pMethods = &kMethods;
  return code;
}

int disk_delete(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  if (the_disk->fails(FaultyDisk::Call::remove)) return SQLITE_IOERR_DELETE;
  the_disk->note(FaultyDisk::Call::remove, path);
  return vfs_below(vfs)->xDelete(vfs_below(vfs), path, sync_directory);
}

sqlite3_vfs& faulty_vfs(sqlite3_vfs* original) {
  static sqlite3_vfs vfs = [&] {
    sqlite3_vfs made = *original;
    made.pNext = nullptr;
    made.zName = "syncline-faulty-disk";
    made.szOsFile = original->szOsFile + static_cast<int>(sizeof(DiskFile));
    made.pAppData = original;
    made.xOpen = disk_open;
    made.xDelete = disk_delete;
    return made;
  }();
  return vfs;
}

/// A file in the memory of the test that writes an image.
struct Image {
  std::string bytes;
  std::size_t synced_until = 0;  // the number of the change that synced it last
  bool exists = false;

  void write(std::int64_t offset, std::string_view what) {
    const auto at = static_cast<std::size_t>(offset);
    bytes.resize(std::max(bytes.size(), at + what.size()));
    std::memcpy(bytes.data() + at, what.data(), what.size());
    exists = true;
  }
};

}  // namespace

FaultyDisk::FaultyDisk() : before_(sqlite3_vfs_find(nullptr)) {
  the_disk = this;
  sqlite3_vfs_register(&faulty_vfs(before_), 1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&faulty_vfs(before_));
  sqlite3_vfs_register(before_, 1);
  the_disk = nullptr;
}

void FaultyDisk::fail(Fault fault, std::int64_t nth, bool for_good) {
  const MutexLock lock(mutex_);
  fault_ = fault;
  nth_ = nth;
  for_good_ = for_good;
  calls_ = 0;
  has_failed_ = false;
}

void FaultyDisk::heal() {
  const MutexLock lock(mutex_);
  nth_ = 0;
}

bool FaultyDisk::has_failed() const {
  const MutexLock lock(mutex_);
  return has_failed_;
}

std::int64_t FaultyDisk::calls() const {
  const MutexLock lock(mutex_);
  return calls_;
}

FaultyDisk::Fault FaultyDisk::fault() const {
  const MutexLock lock(mutex_);
  return fault_;
}

bool FaultyDisk::fails(Call call) {
  const MutexLock lock(mutex_);
  if (fault_ != Fault::io_error && call != Call::write) return false;
  calls_ += 1;
  const bool now = nth_ > 0 && (for_good_ ? calls_ >= nth_ : calls_ == nth_);
  has_failed_ = has_failed_ || now;
  return now;
}

void FaultyDisk::note(Call call, const std::string& path, std::int64_t offset, std::string bytes) {
  const MutexLock lock(mutex_);
  changes_.push_back({call, path, offset, std::move(bytes)});
}

std::size_t FaultyDisk::changes() const {
  const MutexLock lock(mutex_);
  return changes_.size();
}

void FaultyDisk::write_image(const std::string& directory, std::size_t changes, double survival,
                             std::mt19937_64& random) const {
  const MutexLock lock(mutex_);
  std::map<std::string, Image> images;
  for (std::size_t i = 0; i < changes; ++i) {
    if (changes_[i].call == Call::sync) images[changes_[i].path].synced_until = i;
  }
  std::bernoulli_distribution survives(survival);
  for (std::size_t i = 0; i < changes; ++i) {
    const Change& change = changes_[i];
    Image& image = images[change.path];
    if (change.call == Call::remove) image = {.synced_until = image.synced_until};
    if (change.call == Call::truncate) image.bytes.resize(static_cast<std::size_t>(change.offset));
    if (change.call != Call::write) continue;
    for (std::size_t at = 0; at < change.bytes.size();) {
      const std::size_t place = static_cast<std::size_t>(change.offset) + at;
      const std::size_t count = std::min(kSectorBytes - place % kSectorBytes, change.bytes.size() - at);
      if (i < image.synced_until || survives(random)) {
        image.write(static_cast<std::int64_t>(place), std::string_view(change.bytes).substr(at, count));
      }
      at += count;
    }
  }
  for (const auto& [path, image] : images) {
    if (!image.exists) continue;
    std::ofstream file(directory + "/" + std::filesystem::path(path).filename().string(), std::ios::binary);
    file.write(image.bytes.data(), static_cast<std::streamsize>(image.bytes.size()));
  }
}

}  // namespace syncline::test
