// Backups that fail, that are late, and that succeed again.
#include "service/backup_watch.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"
#include "store/memory/memory_store.hpp"
#include "support/failing_store.hpp"

namespace syncline {
namespace {

constexpr std::int64_t kHour = 3600;

class BackupWatchTest : public testing::Test {
 protected:
  BackupWatchTest() { start(); }

  /// Another process, with what is stored.
  void start(BackupWatch::Terms terms = {.every_s = 24 * kHour, .tolerance_s = 2 * kHour}) {
    watch_.emplace(store_.directory(), clock_,
                   BackupWatch::Announcer{.queue =
                                              [this](DirectoryTxn& txn, EventType type, const std::string& data) {
                                                queued_ = {std::string(type.name()), data};
                                                return txn.put_mark("queued", txn.now().micros);
                                              },
                                          .committed = [this] { told_.push_back(queued_); }});
    ASSERT_TRUE(watch_->load());
    watch_->expect(terms);
    watch_->check();
  }
  void pass(std::int64_t hours, std::int64_t seconds = 0) {
    clock_.advance_micros((hours * kHour + seconds) * kMicrosPerSecond);
    watch_->check();
  }
  /// Types of the events since the last call.
  std::string told() {
    std::string types;
    for (const Told& event : std::exchange(told_, {})) types += (types.empty() ? "" : " ") + event.type;
    return types;
  }
  void fail_with(const char* text) { watch_->note_failure("/b/1.db", Error{ErrorCode::unavailable, text}); }

  struct Told {
    std::string type;
    std::string data;
  };
  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  MemoryStore memory_{clock_, "e1"};
  test::FailingStore store_{memory_};
  Told queued_;
  std::vector<Told> told_;
  std::optional<BackupWatch> watch_;
};

TEST_F(BackupWatchTest, a_late_backup_is_told_once_also_over_a_restart_and_its_end_too) {
  watch_->note_success("/b/0.db");
  pass(26);
  EXPECT_EQ(told(), "") << "to the second in time";
  EXPECT_EQ(watch_->warning(), "");
  pass(0, 1);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(JsonView(told_[0].data).text_of("due_at"), "2027-01-16T10:00:00.000000Z");
  EXPECT_EQ(JsonView(told_[0].data).text_of("last_ok_at"), "2027-01-15T08:00:00.000000Z");
  EXPECT_EQ(told(), "backup.overdue");
  EXPECT_TRUE(watch_->is_overdue());
  EXPECT_TRUE(watch_->warning().contains("overdue since 2027-01-16T10:00:00")) << watch_->warning();
  pass(48);
  start();
  pass(48);
  EXPECT_EQ(told(), "");
  EXPECT_TRUE(watch_->is_overdue());
  watch_->note_success("/b/1.db");
  EXPECT_EQ(told(), "backup.ok");
  EXPECT_FALSE(watch_->is_overdue());
  watch_->note_success("/b/2.db");
  EXPECT_EQ(told(), "") << "nothing was wrong";
  pass(27);
  EXPECT_EQ(told(), "backup.overdue") << "the next occurrence";
}

TEST_F(BackupWatchTest, a_hub_that_never_had_a_backup_counts_from_when_it_expected_the_first) {
  pass(25);
  EXPECT_EQ(told(), "");
  start();
  pass(2);
  EXPECT_EQ(told(), "backup.overdue");
  EXPECT_TRUE(watch_->warning().contains("no backup has succeeded yet"));
}

TEST_F(BackupWatchTest, nobody_who_expects_none_is_told_of_a_late_one) {
  start({});
  pass(1000);
  EXPECT_EQ(told(), "");
  EXPECT_EQ(watch_->warning(), "");
  start();
  pass(26);
  EXPECT_EQ(told(), "") << "it counts from now";
  pass(1);
  EXPECT_EQ(told(), "backup.overdue");
}

TEST_F(BackupWatchTest, each_failure_is_told_and_the_next_success) {
  fail_with("the disk is gone");
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(JsonView(told_[0].data).text_of("error"), "the disk is gone");
  EXPECT_EQ(JsonView(told_[0].data).text_of("path"), "/b/1.db");
  fail_with("the disk is gone");
  EXPECT_EQ(told(), "backup.failed backup.failed");
  EXPECT_EQ(watch_->status().failures, 2);
  start();
  EXPECT_TRUE(watch_->warning().contains("failed; no backup has succeeded yet")) << watch_->warning();
  watch_->note_success("/b/2.db");
  EXPECT_EQ(told(), "backup.ok");
  EXPECT_EQ(watch_->warning(), "");
}

TEST_F(BackupWatchTest, a_failure_that_cannot_be_stored_is_told_later) {
  store_.fail_reads_after(0);
  fail_with("the disk is full");
  EXPECT_EQ(told(), "");
  EXPECT_TRUE(watch_->warning().contains("failed"));
  store_.stop_failing();
  pass(0, 60);
  EXPECT_EQ(told(), "backup.failed");
  pass(0, 60);
  EXPECT_EQ(told(), "");
}

TEST_F(BackupWatchTest, nothing_is_late_by_a_clock_that_is_in_doubt) {
  clock_.doubt(100 * kHour * kMicrosPerSecond);
  pass(100);
  EXPECT_EQ(told(), "");
  clock_.doubt(0);
  pass(0);
  EXPECT_EQ(told(), "backup.overdue");
}

}  // namespace
}  // namespace syncline
