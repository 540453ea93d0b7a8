#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "runner/audit_log.hpp"
#include "runner/intent_log.hpp"
#include "support/environment.hpp"

namespace syncline::runner {
namespace {

class LogsTest : public testing::Test {
 protected:
  std::unique_ptr<IntentLog> open_intents() { return *IntentLog::open(directory_.path() + "/runner.db"); }
  std::unique_ptr<AuditLog> open_audit() {
    if (!intents_) intents_ = open_intents();
    return *AuditLog::open(audit_path_, *intents_, clock_);
  }
  void write_audit(int lines) {
    const auto log = open_audit();
    for (int i = 0; i < lines; ++i) ASSERT_TRUE(log->append({.what = "ended", .id = "cmd-" + std::to_string(i)}));
  }
  std::string fault() { return verify_audit_log(audit_path_, std::nullopt)->fault; }
  /// With what the intent log knows.
  std::string fault_by_intents() {
    return verify_audit_log(audit_path_, *IntentLog::read_audit_head(directory_.path() + "/runner.db"))->fault;
  }
  std::vector<std::string> lines() {
    std::ifstream file(audit_path_);
    std::vector<std::string> read;
    for (std::string line; std::getline(file, line);) read.push_back(line);
    return read;
  }
  void put(const std::vector<std::string>& lines) {
    std::ofstream file(audit_path_, std::ios::trunc);
    for (const std::string& line : lines) file << line << '\n';
  }

  test::TemporaryDirectory directory_;
  const std::string audit_path_ = directory_.path() + "/audit.log";
  std::unique_ptr<IntentLog> intents_;  // of the audit log
  ManualClock clock_{Timestamp::from_millis(1'700'000'000'000)};
};

TEST_F(LogsTest, a_command_starts_once) {
  const auto log = open_intents();
  EXPECT_TRUE(*log->begin("cmd-1", CommandType::execute_bash, 1));
  EXPECT_FALSE(*log->begin("cmd-1", CommandType::execute_bash, 2));
  EXPECT_TRUE(*log->begin("cmd-2", CommandType::write_file, 3));
  EXPECT_FALSE(*log->find("cmd-3"));
}

TEST_F(LogsTest, started_commands_are_remembered_across_a_restart_until_reported) {
  (void)open_intents()->begin("cmd-1", CommandType::execute_bash, 1);
  {
    const auto log = open_intents();
    ASSERT_EQ(log->unreported()->size(), 1U);
    EXPECT_EQ(log->unreported()->front().state, IntentLog::State::begun);
    Outcome outcome = completed(R"({"stdout":"x"})");
    outcome.exit_code = 7;
    ASSERT_TRUE(log->end("cmd-1", outcome));
    ASSERT_TRUE(log->end("cmd-1", failed("too late")));  // the first end counts
  }
  const auto log = open_intents();
  const auto entry = **log->find("cmd-1");
  EXPECT_EQ(entry.state, IntentLog::State::ended);
  EXPECT_EQ(entry.outcome.result, R"({"stdout":"x"})");
  EXPECT_EQ(entry.outcome.exit_code, 7);
  EXPECT_EQ(entry.outcome.status, CommandStatus::completed);
  ASSERT_TRUE(log->set_reported("cmd-1"));
  EXPECT_TRUE(log->unreported()->empty());
  EXPECT_FALSE(*log->begin("cmd-1", CommandType::execute_bash, 9));
  ASSERT_TRUE(log->purge(2, 0));
  EXPECT_TRUE(*log->begin("cmd-1", CommandType::execute_bash, 9));
}

TEST_F(LogsTest, the_newest_commands_are_remembered_whatever_the_clock_says) {
  const auto log = open_intents();
  for (const std::string id : {"old", "new"}) {
    ASSERT_TRUE(*log->begin(id, CommandType::execute_bash, id == "old" ? 1 : 2));
    ASSERT_TRUE(log->end(id, failed("x")));
    ASSERT_TRUE(log->set_reported(id));
  }
  constexpr std::int64_t kIn2038 = 2'147'483'648'000;
  ASSERT_TRUE(log->purge(kIn2038, 1));
  EXPECT_FALSE(*log->begin("new", CommandType::execute_bash, 3)) << "a hub from a backup may order it again";
  EXPECT_TRUE(*log->begin("old", CommandType::execute_bash, 3));
}

TEST_F(LogsTest, a_foreign_database_is_left_unchanged) {
  std::ofstream(directory_.path() + "/runner.db")
      << "not a database, but somebody's text that is long enough to be one";
  EXPECT_FALSE(IntentLog::open(directory_.path() + "/runner.db"));
}

TEST_F(LogsTest, an_untouched_audit_log_verifies) {
  write_audit(3);
  write_audit(2);
  EXPECT_EQ(fault(), "");
  EXPECT_EQ(verify_audit_log(audit_path_, std::nullopt)->lines, 5);
}

TEST_F(LogsTest, every_change_to_an_audit_log_is_detected) {
  write_audit(6);
  const auto whole = lines();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto changed = whole;
    changed[at].replace(changed[at].find("ended"), 5, "other");
    put(changed);
    EXPECT_NE(fault(), "") << "changed line " << at;
    auto removed = whole;
    removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(at));
    put(removed);
    EXPECT_NE(fault(), "") << "removed line " << at;
    auto swapped = whole;
    std::swap(swapped[at], swapped[(at + 1) % swapped.size()]);
    put(swapped);
    EXPECT_NE(fault(), "") << "swapped line " << at;
  }
  put({whole.begin(), whole.begin() + 4});
  EXPECT_EQ(fault(), "lines at the end are missing: 6 were written, 4 remain");
  put(whole);
  EXPECT_EQ(fault(), "");
}

TEST_F(LogsTest, truncated_lines_stay_detectable_after_the_log_continues) {
  write_audit(6);
  const auto whole = lines();
  put({whole.begin(), whole.begin() + 3});
  write_audit(5);
  EXPECT_EQ(fault(), "line 4 records that lines before it were missing");
}

TEST_F(LogsTest, lines_cut_together_with_the_head_are_missed_by_the_intent_log) {
  write_audit(6);
  const auto whole = lines();
  std::filesystem::remove(audit_path_ + ".head");
  put({whole.begin(), whole.begin() + 4});
  EXPECT_EQ(fault(), "") << "the log alone cannot tell";
  EXPECT_EQ(fault_by_intents(), "lines at the end are missing: 6 were written, 4 remain");
  std::filesystem::remove(audit_path_);
  EXPECT_EQ(fault_by_intents(), "lines at the end are missing: 6 were written, 0 remain");
  write_audit(1);
  EXPECT_EQ(fault_by_intents(), "line 1 records that lines before it were missing");
}

TEST_F(LogsTest, an_unsynced_line_is_written_immediately) {
  const auto log = open_audit();
  ASSERT_TRUE(log->append({.what = "started", .id = "cmd-1"}));
  ASSERT_TRUE(log->append({.what = "ended", .id = "cmd-1"}, AuditLog::Sync::with_the_next));
  EXPECT_EQ(verify_audit_log(audit_path_, std::nullopt)->lines, 2);
  EXPECT_EQ(fault(), "");
}

TEST_F(LogsTest, a_line_truncated_by_a_crash_is_closed_and_recorded) {
  write_audit(3);
  std::filesystem::resize_file(audit_path_, std::filesystem::file_size(audit_path_) - 20);
  std::filesystem::remove(audit_path_ + ".head");  // as it is when the crash came before the heads were written
  ASSERT_TRUE(intents_->set_audit_head({0, ""}));
  write_audit(1);
  EXPECT_EQ(fault(), "");
  EXPECT_EQ(lines().size(), 5U);
  EXPECT_NE(lines()[3].find("recovered"), std::string::npos);
}

}  // namespace
}  // namespace syncline::runner
