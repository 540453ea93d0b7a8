// What a store notices about itself when it is opened. A crash is a copy of its files while it is open.
#include "store/sqlite/lost_commits.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/cursor.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/durations.hpp"
#include "support/environment.hpp"

namespace syncline {
namespace {

namespace fs = std::filesystem;
const SpaceName kSpace{AccountNumber{1}, "s"};
constexpr int kCommits = 40;
constexpr std::int64_t kNever = 3'600'000;

class LostCommitsTest : public testing::Test {
 protected:
  using Store = SqliteStore;

  [[nodiscard]] std::string directory(const std::string& name) const { return directory_.path() + '/' + name; }

  std::unique_ptr<Store> open(const std::string& name) {
    fs::create_directories(directory(name));
    auto store = Store::open(directory(name) + "/syncline.db", clock_, {.empty_log_after_ms = kNever});
    EXPECT_TRUE(store) << store.error().text;
    return *std::move(store);
  }

  static void put(Store& store, int number) {
    EXPECT_TRUE(write_and_wait(store, kSpace, {}, [&](Txn& txn) -> Result<> {
      Record record;
      record.collection = "c";
      record.id = std::to_string(number);
      record.doc = std::string(3000, 'x');
      txn.put(std::move(record), nullptr);
      return {};
    }));
  }

  /// The files of a store whose process was killed after so many commits, all of them in the log.
  void crash(const std::string& name, int commits = kCommits) {
    auto store = open("origin-" + name);
    epoch_ = store->epoch();
    for (int i = 0; i < commits; ++i) put(*store, i);
    copy("origin-" + name, name);
  }

  void copy(const std::string& from, const std::string& to) {
    fs::create_directories(directory(to));
    for (const char* file : {"/syncline.db", "/syncline.db-wal", "/syncline.db-commit"}) {
      fs::copy_file(directory(from) + file, directory(to) + file, fs::copy_options::overwrite_existing);
    }
  }

  [[nodiscard]] std::string log_of(const std::string& name) const { return directory(name) + "/syncline.db-wal"; }

  void flip_bit(const std::string& name, double part) {
    flip_bit_at(name, static_cast<std::streamoff>(static_cast<double>(fs::file_size(log_of(name))) * part));
  }

  void flip_bit_at(const std::string& name, std::streamoff at) {
    std::fstream file(log_of(name), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const int byte = file.get();
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 4));
  }

  void expect_noticed(const std::string& name) {
    auto store = open(name);
    EXPECT_NE(store->epoch(), epoch_);
    EXPECT_TRUE(is_restored_epoch(store->epoch()));
    EXPECT_TRUE(store->status().warning.starts_with("a loss was found at ")) << store->status().warning;
    EXPECT_NE(store->status().warning.find("missing"), std::string::npos) << store->status().warning;
    EXPECT_LT(store->head(kSpace).value, kCommits);
    EXPECT_TRUE(store->verify()->empty());
    put(*store, 1000);
  }

  void expect_unharmed(const std::string& name) {
    auto store = open(name);
    EXPECT_EQ(store->epoch(), epoch_);
    EXPECT_EQ(store->status().warning, "");
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  test::TemporaryDirectory directory_;
  std::string epoch_;
};

TEST_F(LostCommitsTest, a_crash_alone_loses_nothing) {
  crash("a");
  expect_unharmed("a");
  EXPECT_EQ(open("a")->head(kSpace).value, kCommits);
}

/// After these the log is long enough to be given room.
constexpr int kCommitsOfABusyStore = 300;

TEST_F(LostCommitsTest, room_at_the_end_of_the_log_is_no_loss) {
  crash("a", kCommitsOfABusyStore);
  std::ifstream log(log_of("a"), std::ios::binary);
  log.seekg(-4096, std::ios::end);
  std::string end(4096, 'x');
  ASSERT_TRUE(log.read(end.data(), 4096));
  ASSERT_EQ(end, std::string(4096, '\0')) << "the log has room";
  expect_unharmed("a");
  auto store = open("a");
  EXPECT_EQ(store->head(kSpace).value, kCommitsOfABusyStore);
  EXPECT_TRUE(store->verify()->empty());
}

TEST_F(LostCommitsTest, a_flipped_bit_before_the_room_is_noticed) {
  crash("a", kCommitsOfABusyStore);
  flip_bit_at("a", 1 << 20);
  fs::remove(directory("a") + "/syncline.db-commit");
  auto store = open("a");
  EXPECT_NE(store->epoch(), epoch_);
  EXPECT_LT(store->head(kSpace).value, kCommitsOfABusyStore);
}

TEST_F(LostCommitsTest, a_flipped_bit_in_the_log_is_noticed) {
  for (const int percent : {20, 50, 90}) {
    const std::string name = std::to_string(percent);
    crash(name);
    flip_bit(name, percent / 100.0);
    expect_noticed(name);
  }
}

TEST_F(LostCommitsTest, a_flipped_bit_is_noticed_by_the_log_alone) {
  for (const int percent : {20, 50, 90}) {
    const std::string name = std::to_string(percent);
    crash(name);
    flip_bit(name, percent / 100.0);
    fs::remove(directory(name) + "/syncline.db-commit");
    expect_noticed(name);
  }
}

TEST_F(LostCommitsTest, a_damaged_head_of_the_log_is_noticed) {
  crash("a");
  flip_bit_at("a", 18);  // in its salt
  fs::remove(directory("a") + "/syncline.db-commit");
  expect_noticed("a");
}

TEST_F(LostCommitsTest, a_log_that_was_cut_or_lost_is_noticed) {
  crash("cut");
  fs::resize_file(log_of("cut"), fs::file_size(log_of("cut")) / 2);
  expect_noticed("cut");
  crash("lost");
  fs::remove(log_of("lost"));
  expect_noticed("lost");
}

TEST_F(LostCommitsTest, an_older_copy_of_the_database_file_is_noticed) {
  {
    auto store = open("a");
    epoch_ = store->epoch();
    put(*store, 1);
  }
  fs::copy_file(directory("a") + "/syncline.db", directory("older.db"));
  {
    auto store = open("a");
    put(*store, 2);
  }
  fs::copy_file(directory("older.db"), directory("a") + "/syncline.db", fs::copy_options::overwrite_existing);
  expect_noticed("a");
}

TEST_F(LostCommitsTest, the_torn_end_that_a_power_cut_leaves_is_no_damage) {
  crash("a");
  // The last commit's pages arrived but one: nobody was told of it, so the mark does not have it either.
  flip_bit("a", 0.999);
  fs::remove(directory("a") + "/syncline.db-commit");
  expect_unharmed("a");
}

TEST_F(LostCommitsTest, the_operator_is_told_for_a_week) {
  crash("a");
  fs::remove(log_of("a"));
  std::string epoch;
  {
    epoch = open("a")->epoch();
  }
  const auto store = open("a");
  EXPECT_EQ(store->epoch(), epoch) << "one loss, one new history";
  EXPECT_NE(store->status().warning, "");
  clock_.advance_micros(8 * test::kDayMicros);
  EXPECT_EQ(store->status().warning, "");
}

TEST_F(LostCommitsTest, a_loss_found_by_a_wrong_clock_is_reported_all_the_same) {
  for (const std::int64_t years : {-12, 12}) {
    const std::string name = years < 0 ? "behind" : "ahead";
    crash(name);
    fs::remove(log_of(name));
    const std::int64_t off = years * test::kYearMicros;
    clock_.advance_micros(off);
    const auto store = open(name);
    clock_.advance_micros(-off);
    EXPECT_NE(store->status().warning, "") << name;
  }
}

TEST_F(LostCommitsTest, a_loss_dated_by_a_clock_that_was_ahead_is_not_reported_for_years) {
  crash("a");
  fs::remove(log_of("a"));
  clock_.advance_micros(12 * test::kYearMicros);
  EXPECT_NE(open("a")->status().warning, "");
  clock_.advance_micros(-12 * test::kYearMicros);
  EXPECT_EQ(open("a")->status().warning, "");
}

TEST_F(LostCommitsTest, an_erased_account_is_no_loss) {
  const SpaceName other{AccountNumber{2}, "s"};
  {
    auto store = open("a");
    epoch_ = store->epoch();
    put(*store, 1);
    EXPECT_TRUE(write_and_wait(*store, other, {}, [](Txn& txn) -> Result<> {
      txn.put_value("n", "1");
      return {};
    }));
    EXPECT_TRUE(store->erase_account(other.account));
  }
  expect_unharmed("a");
}

TEST_F(LostCommitsTest, a_scan_counts_what_the_log_holds) {
  crash("a");
  const sqlite::LogScan whole = sqlite::scan_log(directory("a") + "/syncline.db");
  EXPECT_GE(whole.good_frames, kCommits);
  EXPECT_EQ(whole.commits_past_damage, 0);
  flip_bit("a", 0.5);
  const sqlite::LogScan damaged = sqlite::scan_log(directory("a") + "/syncline.db");
  EXPECT_LT(damaged.good_frames, whole.good_frames);
  EXPECT_GT(damaged.commits_past_damage, kCommits / 4);
  EXPECT_FALSE(sqlite::scan_log(directory("none")).is_damaged());
}

}  // namespace
}  // namespace syncline
