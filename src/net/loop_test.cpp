// A loop and what it does to connections of the test's own.
#include "net/loop.hpp"

#include <gtest/gtest.h>

#include <latch>

namespace syncline::net {
namespace {

class TestConnection final : public Connection, public std::enable_shared_from_this<TestConnection> {
 public:
  TestConnection(Loop& loop, int& drained) : loop_(loop), drained_(drained) { loop_.add(*this); }
  ~TestConnection() override { loop_.remove(*this); }

  std::shared_ptr<void> hold() override { return weak_from_this().lock(); }
  void sweep(std::int64_t) override {}
  void drain() override { drained_ += 1; }
  void abort() override {}

 private:
  Loop& loop_;
  int& drained_;
};

/// Runs on the loop's thread and waits for it.
void run_on(Loop& loop, const std::function<void()>& run) {
  std::latch done(1);
  loop.post([&] {
    run();
    done.count_down();
  });
  done.wait();
}

TEST(LoopTest, a_closing_connection_is_skipped) {
  Loop loop;
  loop.start();
  int drained = 0;
  std::shared_ptr<TestConnection> kept;
  std::shared_ptr<TestConnection> released;
  run_on(loop, [&] {
    kept = make_on_loop<TestConnection>(loop, loop, drained);
    released = make_on_loop<TestConnection>(loop, loop, drained);
  });

  std::latch handler_runs(1);
  std::latch let_go(1);
  std::thread other([&] {
    handler_runs.wait();
    released.reset();  // not the loop's thread: the end is posted
    let_go.count_down();
  });
  run_on(loop, [&] {
    handler_runs.count_down();
    let_go.wait();
    EXPECT_EQ(loop.connection_count(), 2U) << "its end waits behind this very handler";
    loop.drain_connections();
  });
  other.join();

  EXPECT_EQ(drained, 1);
  run_on(loop, [&] { EXPECT_EQ(loop.connection_count(), 1U); });
  kept.reset();
  loop.stop();
}

}  // namespace
}  // namespace syncline::net
