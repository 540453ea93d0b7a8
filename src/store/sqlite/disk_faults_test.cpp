// What a failing disk and a power cut leave of a store that uses all it has: records with versions in place, keys that
// wait for their table, conflicts, values, tables of the directory, reclaimed rows, purges, a second opening.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"
#include "support/faulty_disk.hpp"

namespace syncline {
namespace {

namespace fs = std::filesystem;
using test::FaultyDisk;

const SpaceName kFaultySpace{AccountNumber{1}, "faulty"};
constexpr int kOpenings = 2;
/// Each of so many calls fails once in a run of CI; all of them if SYNCLINE_EVERY_FAULT is set.
constexpr std::int64_t kFaultsInCi = 40;
constexpr int kImagesInCi = 60;

bool is_full_form() { return std::getenv("SYNCLINE_EVERY_FAULT") != nullptr; }

std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What was told to those who wrote.
class Ledger {
 public:
  static constexpr const char* kNothing = "(nothing)";

  /// May be stored from now on, whatever the answer will be.
  void note_attempt(const std::string& id, const std::string& doc) {
    auto& docs = possible_[id];
    if (docs.empty()) docs.emplace_back(kNothing);
    docs.push_back(doc);
  }
  void note_answer(const std::string& id, const std::string& doc) { possible_[id] = {doc}; }
  [[nodiscard]] const std::map<std::string, std::vector<std::string>>& possible() const { return possible_; }

 private:
  std::map<std::string, std::vector<std::string>> possible_;
};

class DiskFaultsTest : public testing::Test {
 protected:
  struct Moment {
    std::size_t changes = 0;
    Ledger ledger;
    std::string mark;
    std::string epoch;
  };

  static SqliteStore::Options small_store() {
    return {.empty_log_after_ms = 2,
            .merge_keys_after_ms = 1,
            .keys = {.generation_keys = 8, .slice_keys_min = 2},
            .reclaim = {.idle_percent = 5, .busy_percent = 10, .rows_each = 8}};
  }

  /// Puts all of `docs` in one write. True if that was acknowledged.
  bool put(Store& store, const std::map<std::string, std::string>& docs) {
    clock_.advance_micros(1000);
    for (const auto& [id, doc] : docs) ledger_.note_attempt(id, doc);
    const auto written = write_and_wait(store, kFaultySpace, {}, [&](Txn& txn) -> Result<> {
      for (const auto& [id, doc] : docs) {
        TRY(const auto stored, txn.find("c", id));
        Record record;
        record.collection = "c";
        record.id = id;
        record.doc = doc;
        record.deleted = doc.empty();
        record.updated_at = record.effective_at = txn.stamp();
        txn.put(std::move(record), stored ? &*stored : nullptr);
      }
      return {};
    });
    if (!written) return false;
    for (const auto& [id, doc] : docs) ledger_.note_answer(id, doc);
    moments_.push_back({disk_->changes(), ledger_, read_bytes(path_ + "-commit"), store.epoch()});
    return true;
  }

  /// Whatever else changes the files. Its answers do not matter here.
  void write_other_things(Store& store, int turn) {
    (void)write_and_wait(store, kFaultySpace, {}, [&](Txn& txn) -> Result<> {
      Conflict conflict{.rule = Rule::later_stamp, .at = txn.stamp()};
      conflict.loser.collection = "c";
      conflict.loser.id = "r1";
      conflict.loser.doc = "lost in turn " + std::to_string(turn);
      TRY([[maybe_unused]] const auto kept, txn.add_conflict(conflict));
      txn.put_value("count", std::to_string(turn));
      txn.put_receipt("key" + std::to_string(turn), Receipt{});
      txn.add_event("turn", "{}");
      return {};
    });
    (void)store.directory().write([&](DirectoryTxn& txn) -> Result<> {
      return txn.put_lease({kFaultySpace, "c" + std::to_string(turn), "k1", Timestamp{turn}});
    });
    (void)store.purge({.history = clock_.now().plus_micros(-10'000)});
    (void)store.read(kFaultySpace,
                     [](Snapshot& snapshot) { return snapshot.feed({}, [](const RecordView&) { return true; }); });
  }

  void work(Store& store, int opening) {
    for (int turn = 0; turn < 4; ++turn) {
      const std::string doc = std::to_string(opening) + '.' + std::to_string(turn);
      std::map<std::string, std::string> batch;
      for (int i = 0; i < 12; ++i) batch["b" + doc + '.' + std::to_string(i)] = doc;
      (void)put(store, batch);
      for (int i = 0; i < 5; ++i) (void)put(store, {{"r" + std::to_string(i), doc + std::string(700, 'x')}});
      (void)put(store, {{"r0", ""}});
      write_other_things(store, turn);
    }
  }

  /// The whole script; a fault may end it early.
  void run_script(bool must_recover) {
    ledger_ = {};
    moments_.clear();
    for (int opening = 0; opening < kOpenings; ++opening) {
      auto opened = SqliteStore::open(path_, clock_, small_store());
      if (!opened) continue;
      work(**opened, opening);
      if (must_recover && opening + 1 == kOpenings) {
        disk_->heal();
        EXPECT_TRUE(put(**opened, {{"after", "the disk has room again"}})) << "without a restart";
      }
    }
  }

  /// Opens the store at `path` on a disk without faults and compares it with what was said.
  void check(const std::string& path, const Ledger& ledger) {
    auto opened = SqliteStore::open(path, clock_, {});
    ASSERT_TRUE(opened) << opened.error().text;
    Store& store = **opened;
    const auto findings = store.verify();
    ASSERT_TRUE(findings);
    EXPECT_EQ(*findings, std::vector<std::string>{});
    std::map<std::string, std::string> stored;
    Seq last{};
    ASSERT_TRUE(store.read(kFaultySpace, [&](Snapshot& snapshot) {
      return snapshot.feed({}, [&](const RecordView& record) {
        EXPECT_GT(record.seq, last);
        last = record.seq;
        EXPECT_TRUE(stored.emplace(record.id, record.doc).second) << record.id << " twice in the feed";
        return true;
      });
    }));
    for (const auto& [id, docs] : ledger.possible()) {
      const auto found = stored.find(id);
      const std::string doc = found == stored.end() ? Ledger::kNothing : found->second;
      EXPECT_TRUE(std::ranges::find(docs, doc) != docs.end())
          << id << " is " << doc.substr(0, 20) << " but was last acknowledged as " << docs.front().substr(0, 20);
    }
    EXPECT_TRUE(write_and_wait(store, kFaultySpace, {}, [](Txn& txn) -> Result<> {
      Record record;
      record.collection = "c";
      record.id = "afterwards";
      record.doc = "{}";
      txn.put(std::move(record), nullptr);
      return {};
    })) << "the store takes writes again";
  }

  void new_store() {
    directory_.emplace(test::TemporaryDirectory::Place::memory);
    path_ = directory_->path() + "/store";
  }

  void fail_each_call(FaultyDisk::Fault fault, bool for_good) {
    const bool must_recover = fault != FaultyDisk::Fault::io_error;
    new_store();
    disk_->fail(fault, 0, false);
    run_script(false);
    const std::int64_t calls = disk_->calls();
    ASSERT_GT(calls, 200);
    const std::int64_t step = is_full_form() ? 1 : std::max<std::int64_t>(1, calls / kFaultsInCi);
    int faults = 0;
    // The threads of the store take turns as they like, so the same number is not the same call in each run.
    for (std::int64_t nth = 1; nth <= calls && !HasFailure(); nth += step) {
      SCOPED_TRACE("call " + std::to_string(nth) + " of " + std::to_string(calls));
      new_store();
      disk_->fail(fault, nth, for_good);
      run_script(must_recover);
      faults += disk_->has_failed() ? 1 : 0;
      disk_->heal();
      check(path_, ledger_);
    }
    EXPECT_GT(faults, kFaultsInCi / 2);
    RecordProperty("calls", std::to_string(calls));
    RecordProperty("faults", std::to_string(faults));
  }

  ManualClock clock_{Timestamp{1'700'000'000'000'000}};
  std::optional<test::TemporaryDirectory> directory_;
  std::string path_;
  std::optional<FaultyDisk> disk_ = std::make_optional<FaultyDisk>();
  Ledger ledger_;
  std::vector<Moment> moments_;  // after each acknowledged write
};

TEST_F(DiskFaultsTest, one_call_that_fails_loses_nothing) { fail_each_call(FaultyDisk::Fault::io_error, false); }
TEST_F(DiskFaultsTest, a_disk_that_dies_loses_nothing) { fail_each_call(FaultyDisk::Fault::io_error, true); }
TEST_F(DiskFaultsTest, a_write_without_room_loses_nothing) { fail_each_call(FaultyDisk::Fault::full, false); }
TEST_F(DiskFaultsTest, a_full_disk_loses_nothing) { fail_each_call(FaultyDisk::Fault::full, true); }
TEST_F(DiskFaultsTest, a_short_write_loses_nothing) { fail_each_call(FaultyDisk::Fault::short_write, false); }

TEST_F(DiskFaultsTest, a_power_cut_at_any_moment_loses_nothing_acknowledged) {
  new_store();
  run_script(false);
  ASSERT_GT(moments_.size(), 50U);
  std::mt19937_64 random(20'261'130);  // NOLINT: the same cuts each time
  const int images = is_full_form() ? 5000 : kImagesInCi;
  for (int i = 0; i < images && !HasFailure(); ++i) {
    const std::size_t at = random() % (moments_.size() - 1);
    const Moment& moment = moments_[at];
    // Anywhere between this acknowledgement and the next one.
    const std::size_t changes = moment.changes + random() % (moments_[at + 1].changes - moment.changes + 1);
    const double survival = std::array{0.0, 0.5, 0.9, 1.0}.at(random() % 4);
    SCOPED_TRACE("after " + std::to_string(changes) + " changes, of which " + std::to_string(survival) + " survive");
    const test::TemporaryDirectory image(test::TemporaryDirectory::Place::memory);
    disk_->write_image(image.path(), changes, survival, random);
    std::ofstream(image.path() + "/store-commit", std::ios::binary) << moment.mark;
    Ledger ledger = moment.ledger;
    for (const auto& [id, docs] : moments_[at + 1].ledger.possible()) ledger.note_attempt(id, docs.front());
    check(image.path() + "/store", ledger);
    auto opened = SqliteStore::open(image.path() + "/store", clock_, {});
    ASSERT_TRUE(opened);
    EXPECT_EQ((*opened)->epoch(), moment.epoch) << "nothing is missing, so no client must pull again";
  }
}

}  // namespace
}  // namespace syncline
