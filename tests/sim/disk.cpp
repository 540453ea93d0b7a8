#include "sim/disk.hpp"

#include <cstdio>
#include <cstdlib>
#include <future>
#include <optional>

#include "base/bytes.hpp"
#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/proving_store.hpp"
#include "support/stored_rows.hpp"

namespace syncline::sim {
namespace {

namespace fs = std::filesystem;

/// So few that a run puts keys into the table again and again, and leaves some in memory when a process ends.
constexpr std::size_t kKeysInMemory = 16;
/// So few that replaced versions are moved again and again.
constexpr std::int64_t kRowsReclaimed = 16;

/// The last digit of a document is another one then, so that it can still be read.
void rot_record(std::string& doc, std::int64_t& updated_at) {
  const auto digit = doc.find_last_of("0123456789");
  if (digit == std::string::npos) {
    updated_at ^= 1;
  } else {
    doc[digit] = static_cast<char>(doc[digit] ^ 1);
  }
}

class MemoryDisk final : public Disk {
 public:
  explicit MemoryDisk(std::unique_ptr<MemoryStore> store) : store_(std::move(store)) {}
  Store& store() override { return *store_; }
  void reopen(IncarnationId incarnation) override {
    store_->forget_found_damage();
    store_->reopen(incarnation);
  }
  void rot(const SpaceName& space, std::string_view collection, std::string_view id) override {
    store_->rot(space, collection, id, [](Record& record) { rot_record(record.doc, record.updated_at.micros); });
  }
  std::unique_ptr<Disk> restore(const std::string& epoch) override {
    if (!store_->verify()) std::abort();  // as a backup does
    return std::make_unique<MemoryDisk>(store_->restore(epoch));
  }

 private:
  std::unique_ptr<MemoryStore> store_;
};

Result<> rot_in(sqlite::Connection& file, const SpaceName& space, std::string_view collection, std::string_view id) {
  TRY(sqlite::Statement find, file.prepare("SELECT space.number, collection.number FROM space JOIN collection "
                                           "ON collection.space = space.number WHERE account = ? AND space.name = ? "
                                           "AND collection.name = ?"));
  find.bind(1, space.account.value);
  find.bind_text(2, space.name);
  find.bind_text(3, collection);
  TRY(const bool found, find.step());
  if (!found) return {};
  const auto is_meant = [&](const test::StoredRow& row) {
    return sqlite::space_of_pos(row.pos) == find.integer(0) && row.collection == find.integer(1) &&
           row.version.id == id;
  };
  test::alter_newest(file, is_meant, [](Record& record) { rot_record(record.doc, record.updated_at.micros); });
  return {};
}

/// A SQLite store whose writes are over when write() returns, for a simulation of one thread.
class WaitingStore final : public test::ForwardingStore {
 public:
  explicit WaitingStore(std::unique_ptr<SqliteStore> store) : ForwardingStore(*store), store_(std::move(store)) {}

  void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) override {
    std::promise<Result<Committed>> promise;
    store_->write(space, options, std::move(run), [&](Result<Committed> result) { promise.set_value(result); });
    done(promise.get_future().get());
  }

 private:
  const std::unique_ptr<SqliteStore> store_;
};

class SqliteDisk final : public Disk {
 public:
  SqliteDisk(fs::path file, const Clock& clock) : file_(std::move(file)), clock_(clock) {
    reopen(IncarnationId{1});  // until the process opens it that is to write
  }

  Store& store() override { return *store_; }

  void reopen(IncarnationId incarnation) override {
    store_.reset();
    auto opened = SqliteStore::open(file_.string(), clock_,
                                    {.incarnation = incarnation,
                                     .merge_keys_after_ms = std::nullopt,
                                     .keys = {.generation_keys = kKeysInMemory, .slice_keys_min = 4},
                                     .reclaim = {.busy_percent = 0, .rows_each = kRowsReclaimed}});
    if (!opened) std::abort();
    store_ = std::make_unique<WaitingStore>(*std::move(opened));
  }

  void rot(const SpaceName& space, std::string_view collection, std::string_view id) override {
    auto file = sqlite::Connection::open(file_.string(), sqlite::Connection::Mode::read_write);
    if (!file || !rot_in(*file, space, collection, id)) std::abort();
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

/// A disk whose write functions are held to their contract.
class ProvingDisk final : public Disk {
 public:
  ProvingDisk(std::unique_ptr<Disk> disk, Proof proof) : disk_(std::move(disk)), proof_(proof) { wrap(); }

  Store& store() override { return *store_; }
  void reopen(IncarnationId incarnation) override {
    disk_->reopen(incarnation);
    wrap();
  }
  void rot(const SpaceName& space, std::string_view collection, std::string_view id) override {
    disk_->rot(space, collection, id);
  }
  std::unique_ptr<Disk> restore(const std::string& epoch) override {
    return std::make_unique<ProvingDisk>(disk_->restore(epoch), proof_);
  }

 private:
  void wrap() {
    store_ = &disk_->store();
    if (proof_.twice) store_ = &twice_.emplace(*store_);
    if (proof_.strict) {
      store_ = &strict_.emplace(*store_, [](const std::string& fault) {
        std::fprintf(stderr, "%s\n", fault.c_str());
        std::abort();
      });
    }
  }

  const std::unique_ptr<Disk> disk_;
  const Proof proof_;
  std::optional<test::TwiceStore> twice_;
  std::optional<test::StrictStore> strict_;
  Store* store_ = nullptr;
};

}  // namespace

Disks::Disks(Kind kind, Proof proof) : kind_(kind), proof_(proof) {
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

std::unique_ptr<Disk> Disks::make(Owner owner, const Clock& clock, const std::string& epoch) {
  auto disk = make_plain(clock, epoch);
  const Proof proof{.twice = proof_.twice, .strict = proof_.strict && owner == Owner::hub};
  if (!proof.any()) return disk;
  return std::make_unique<ProvingDisk>(std::move(disk), proof);
}

std::unique_ptr<Disk> Disks::make_plain(const Clock& clock, const std::string& epoch) const {
  if (kind_ == Kind::memory) return std::make_unique<MemoryDisk>(std::make_unique<MemoryStore>(clock, epoch));
  // A store makes up its own epoch: one that is restored gets the one that is wanted.
  SqliteDisk empty(directory_ / to_hex(random_bytes(8)), clock);
  return empty.restore(epoch);
}

}  // namespace syncline::sim
