#include "sim/disk.hpp"

#include <cstdlib>
#include <future>

#include "base/bytes.hpp"
#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace syncline::sim {
namespace {

namespace fs = std::filesystem;

class MemoryDisk final : public Disk {
 public:
  explicit MemoryDisk(std::unique_ptr<MemoryStore> store) : store_(std::move(store)) {}
  Store& store() override { return *store_; }
  void reopen() override {}
  std::unique_ptr<Disk> restore(const std::string& epoch) override {
    return std::make_unique<MemoryDisk>(store_->restore(epoch));
  }

 private:
  std::unique_ptr<MemoryStore> store_;
};

/// A SQLite store whose writes are over when write() returns, for a simulation of one thread.
class WaitingStore final : public Store {
 public:
  explicit WaitingStore(std::unique_ptr<SqliteStore> store) : store_(std::move(store)) {}

  void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) override {
    std::promise<Result<Committed>> promise;
    store_->write(space, options, std::move(run), [&](Result<Committed> result) { promise.set_value(result); });
    done(promise.get_future().get());
  }
  Result<> read(const SpaceName& space, const ReadFunction& run) override { return store_->read(space, run); }
  const std::string& epoch() const override { return store_->epoch(); }
  Seq head(const SpaceName& space) const override { return store_->head(space); }
  Result<std::vector<SpaceInfo>> spaces(std::optional<AccountNumber> account) override {
    return store_->spaces(account);
  }
  Result<std::vector<Event>> events(EventNumber after, std::size_t count_max) override {
    return store_->events(after, count_max);
  }
  Result<> forget_events(EventNumber through) override { return store_->forget_events(through); }
  Result<> erase_account(AccountNumber account) override { return store_->erase_account(account); }
  Result<> purge(const PurgeCutoffs& cutoffs) override { return store_->purge(cutoffs); }
  Result<std::vector<std::string>> verify() override { return store_->verify(); }
  Result<> backup(const std::string& path) override { return store_->backup(path); }
  StoreStatus status() const override { return store_->status(); }

 private:
  const std::unique_ptr<SqliteStore> store_;
};

class SqliteDisk final : public Disk {
 public:
  SqliteDisk(fs::path file, const Clock& clock) : file_(std::move(file)), clock_(clock) { reopen(); }

  Store& store() override { return *store_; }

  void reopen() override {
    store_.reset();
    auto opened = SqliteStore::open(file_.string(), clock_, {});
    if (!opened) std::abort();
    store_ = std::make_unique<WaitingStore>(*std::move(opened));
  }

  std::unique_ptr<Disk> restore(const std::string& epoch) override {
    const fs::path copy = file_.parent_path() / to_hex(random_bytes(8));
    const std::string backup = copy.string() + ".backup";
    if (!store_->backup(backup) || !restore_backup(backup, copy.string(), epoch)) std::abort();
    return std::make_unique<SqliteDisk>(copy, clock_);
  }

 private:
  const fs::path file_;
  const Clock& clock_;
  std::unique_ptr<WaitingStore> store_;
};

}  // namespace

Disks::Disks(Kind kind) : kind_(kind) {
  if (kind == Kind::memory) return;
  // In memory too, if there is such a place: it is the store that is meant, not the disk of this machine.
  const fs::path fast = "/dev/shm";
  directory_ =
      (fs::is_directory(fast) ? fast : fs::temp_directory_path()) / ("syncline-sim-" + to_hex(random_bytes(8)));
  fs::create_directories(directory_);
}

Disks::~Disks() {
  std::error_code ignored;
  if (!directory_.empty()) fs::remove_all(directory_, ignored);
}

std::unique_ptr<Disk> Disks::make(const Clock& clock, const std::string& epoch) {
  if (kind_ == Kind::memory) return std::make_unique<MemoryDisk>(std::make_unique<MemoryStore>(clock, epoch));
  // A store makes up its own epoch: one that is restored gets the one that is wanted.
  SqliteDisk empty(directory_ / to_hex(random_bytes(8)), clock);
  return empty.restore(epoch);
}

}  // namespace syncline::sim
