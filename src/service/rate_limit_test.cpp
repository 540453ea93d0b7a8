#include "service/rate_limit.hpp"

#include <gtest/gtest.h>

namespace syncline {
namespace {

TEST(RateLimit, allows_the_limit_then_reports_the_wait) {
  RateLimit limit(60);
  const Timestamp now{1'000'000'000};
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(limit.take(1, now).allowed) << i;

  const auto refused = limit.take(1, now);

  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.reset_s, 1);
  EXPECT_TRUE(limit.take(1, now.plus_micros(1'000'001)).allowed) << "one a second comes back";
  EXPECT_TRUE(limit.take(2, now).allowed) << "each key has its own";
}

TEST(RateLimit, a_clock_that_jumps_back_costs_no_allowance) {
  RateLimit limit(1);
  EXPECT_TRUE(limit.take(1, {5'000'000}).allowed);
  EXPECT_FALSE(limit.take(1, {1'000'000}).allowed);
  EXPECT_TRUE(limit.take(1, {70'000'000}).allowed);
}

}  // namespace
}  // namespace syncline
