#include "service/password_queue.hpp"

#include <gtest/gtest.h>

#include "support/manual_scheduler.hpp"

namespace syncline {
namespace {

TEST(PasswordQueueTest, a_client_has_only_some_of_the_places) {
  test::ManualScheduler threads;
  PasswordQueue queue(threads, {.all = 5, .per_client = 2});
  int ran = 0;
  const auto post = [&](const std::string& client) { return queue.post(client, [&] { ++ran; }).has_value(); };
  EXPECT_TRUE(post("a"));
  EXPECT_TRUE(post("a"));
  EXPECT_FALSE(post("a"));
  EXPECT_TRUE(post("b"));
  EXPECT_TRUE(post(""));
  EXPECT_TRUE(post(""));
  EXPECT_EQ(queue.post("c", [] {}).error().code, ErrorCode::busy) << "all of them together";
  threads.run_posted();
  EXPECT_EQ(ran, 5);
  EXPECT_TRUE(post("a"));
  EXPECT_TRUE(post("a"));
}

TEST(PasswordQueueTest, what_is_dropped_frees_its_place) {
  struct Stopped final : Executor {
    void post(std::move_only_function<void()>) override {}
  } threads;
  PasswordQueue queue(threads, {.all = 1, .per_client = 1});
  EXPECT_TRUE(queue.post("a", [] {}));
  EXPECT_TRUE(queue.post("a", [] {}));
}

}  // namespace
}  // namespace syncline
