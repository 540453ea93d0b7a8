#include "store/read_health.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace syncline {
namespace {

using namespace std::chrono_literals;

class ReadHealthTest : public testing::Test {
 protected:
  void fail_read(ReadKind kind, std::chrono::seconds at, ErrorCode code = ErrorCode::storage_damaged) {
    health_.note(kind, {code, "malformed"}, start_ + at);
  }

  const ReadHealth::Time start_ = std::chrono::steady_clock::now();
  std::vector<ErrorCode> reported_;
  ReadHealth health_{[this](const Error& error) { reported_.push_back(error.code); }};
};

TEST_F(ReadHealthTest, a_failed_read_shows_for_a_minute) {
  EXPECT_EQ(health_.recent_failure(start_), "");
  fail_read(ReadKind::spaces, 0s);
  EXPECT_EQ(health_.recent_failure(start_ + 59s), "malformed");
  EXPECT_EQ(health_.recent_failure(start_ + 60s), "");
}

TEST_F(ReadHealthTest, a_full_disk_and_a_busy_lock_are_no_damage) {
  for (const ErrorCode code :
       {ErrorCode::storage_full, ErrorCode::busy, ErrorCode::unavailable, ErrorCode::not_found}) {
    for (int i = 0; i < 10; ++i) fail_read(ReadKind::spaces, 0s, code);
  }
  EXPECT_EQ(health_.recent_failure(start_), "");
  EXPECT_EQ(health_.counts(), FailedReads{});
  EXPECT_TRUE(reported_.empty());
}

TEST_F(ReadHealthTest, five_failures_of_one_kind_in_a_minute_are_reported_once) {
  for (const auto at : {0s, 10s, 20s, 59s}) fail_read(ReadKind::accounts, at);
  EXPECT_TRUE(reported_.empty());
  fail_read(ReadKind::accounts, 59s, ErrorCode::storage_broken);
  EXPECT_EQ(reported_, std::vector{ErrorCode::storage_damaged});
  for (int i = 0; i < 10; ++i) fail_read(ReadKind::accounts, 59s);
  EXPECT_EQ(reported_.size(), 1U);
}

TEST_F(ReadHealthTest, failures_far_apart_or_of_several_kinds_are_not_reported) {
  for (int minute = 0; minute < 100; ++minute) fail_read(ReadKind::spaces, minute * 16s);
  EXPECT_TRUE(reported_.empty());
  for (const ReadKind kind : {ReadKind::accounts, ReadKind::tables}) {
    for (int i = 0; i < 4; ++i) fail_read(kind, 1600s);
  }
  EXPECT_TRUE(reported_.empty());
  EXPECT_EQ(health_.counts(), (FailedReads{4, 100, 4}));
}

}  // namespace
}  // namespace syncline
