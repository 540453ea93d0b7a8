// What waits and locks promise beyond the standard library's own: when a wait says that it is over. Also run under
// ThreadSanitizer.
#include "base/mutex.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace syncline {
namespace {

using namespace std::chrono_literals;

constexpr auto kLong = 30s;  // no test waits so long unless it fails

/// For another thread.
bool is_free(Mutex& mutex) {
  bool is_taken = false;
  std::thread([&] {
    if (!mutex.try_lock()) return;
    is_taken = true;
    mutex.unlock();
  }).join();
  return is_taken;
}

TEST(MutexTest, a_wait_ends_with_a_notification) {
  Mutex mutex;
  CondVar changed;
  bool is_ready = false;
  std::jthread other([&] {
    const MutexLock lock(mutex);
    is_ready = true;
    changed.notify_one();
  });

  const MutexLock lock(mutex);
  const Deadline deadline = Deadline::clock::now() + kLong;
  while (!is_ready && changed.wait_until(mutex, deadline)) {
  }

  EXPECT_TRUE(is_ready);
}

TEST(MutexTest, a_wait_ends_at_its_deadline) {
  Mutex mutex;
  CondVar changed;
  StoppableCondVar stoppable;
  const std::stop_source nobody_stops;
  const MutexLock lock(mutex);
  const Deadline now = Deadline::clock::now();

  EXPECT_FALSE(changed.wait_until(mutex, now));
  EXPECT_FALSE(stoppable.wait_until(mutex, now));
  EXPECT_FALSE(stoppable.wait_until(mutex, nobody_stops.get_token(), now));
}

TEST(MutexTest, a_requested_stop_ends_a_wait) {
  Mutex mutex;
  StoppableCondVar changed;
  std::stop_source stop;
  std::jthread other([&] { stop.request_stop(); });
  const MutexLock lock(mutex);
  const std::stop_token token = stop.get_token();

  while (changed.wait(mutex, token)) {
  }

  EXPECT_TRUE(token.stop_requested());
  EXPECT_FALSE(changed.wait_until(mutex, token, Deadline::clock::now() + kLong));
}

TEST(MutexTest, a_notification_ends_a_wait_for_a_stop) {
  Mutex mutex;
  StoppableCondVar changed;
  const std::stop_source nobody_stops;
  bool is_ready = false;
  std::jthread other([&] {
    const MutexLock lock(mutex);
    is_ready = true;
    changed.notify_all();
  });

  const MutexLock lock(mutex);
  const Deadline deadline = Deadline::clock::now() + kLong;
  while (!is_ready && changed.wait_until(mutex, nobody_stops.get_token(), deadline)) {
  }

  EXPECT_TRUE(is_ready);
}

TEST(MutexTest, unlocking_a_lock_frees_its_mutex) {
  Mutex mutex;

  MutexLock lock(mutex);
  EXPECT_FALSE(is_free(mutex));
  lock.unlock();
  EXPECT_TRUE(is_free(mutex));
  lock.lock();
  EXPECT_FALSE(is_free(mutex));
}

TEST(MutexTest, an_adopted_lock_frees_the_mutex_at_scope_exit) {
  Mutex mutex;
  const bool is_taken = mutex.try_lock();
  if (is_taken) {
    const MutexLock lock(mutex, std::adopt_lock);
    EXPECT_FALSE(is_free(mutex));
  }

  EXPECT_TRUE(is_taken);
  EXPECT_TRUE(is_free(mutex));
}

}  // namespace
}  // namespace syncline
