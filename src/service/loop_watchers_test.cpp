// Watchers on loops whose turns the test decides.
#include "service/loop_watchers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>

#include "support/manual_scheduler.hpp"

namespace syncline {
namespace {

const SpaceName kNotes{AccountNumber{1}, "notes"};

class ManualLoop final : public EventLoop {
 public:
  void post(std::move_only_function<void()> run) override { posted_.push_back(std::move(run)); }
  [[nodiscard]] std::size_t posted() const { return posted_.size(); }
  void turn() {
    auto run = std::move(posted_.front());
    posted_.pop_front();
    run();
  }
  void run_all() {
    while (!posted_.empty()) turn();
  }

 private:
  std::deque<std::move_only_function<void()>> posted_;
};

class Told final : public Watcher {
 public:
  void on_change(const SpaceName&, Seq) override { ADD_FAILURE() << "not on the thread that commits"; }
  void on_notice(Notice& notice) override {
    heads.push_back(notice.head.value);
    if (!notice.text) notice.text = std::make_shared<const std::string>(std::to_string(notice.head.value));
    text = notice.text;
    if (then) then();
  }

  std::vector<std::int64_t> heads;
  std::shared_ptr<const std::string> text;
  std::function<void()> then;
};

class LoopWatchersTest : public testing::Test {
 protected:
  std::vector<Told>& watch(std::size_t count, ManualLoop& loop) {
    auto& made = watchers_.emplace_back(count);
    for (Told& watcher : made) live_.watch(kNotes, watcher, &loop);
    return made;
  }

  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  ManualLoop loop_;
  ManualLoop other_;
  std::deque<std::vector<Told>> watchers_;
};

using Heads = std::vector<std::int64_t>;

TEST_F(LoopWatchersTest, changes_cost_one_post_a_loop_however_many_watch) {
  const auto& here = watch(30, loop_);
  const auto& there = watch(20, other_);

  for (std::int64_t head = 1; head <= 3; ++head) live_.notify(kNotes, {head});

  EXPECT_EQ(loop_.posted(), 1U);
  EXPECT_EQ(other_.posted(), 1U);
  loop_.run_all();
  other_.run_all();
  for (const auto* some : {&here, &there}) {
    for (const Told& watcher : *some) EXPECT_EQ(watcher.heads, Heads{3});
  }
  EXPECT_EQ(here.front().text, here.back().text) << "what says the change is made once";
}

TEST_F(LoopWatchersTest, a_loop_serves_others_between_parts_of_a_round) {
  const auto& watchers = watch(1000, loop_);
  live_.notify(kNotes, {1});
  loop_.turn();
  const auto told = std::ranges::count_if(watchers, [](const Told& watcher) { return !watcher.heads.empty(); });

  EXPECT_GT(told, 0);
  EXPECT_LT(told, 200);
  loop_.run_all();
  EXPECT_TRUE(std::ranges::all_of(watchers, [](const Told& watcher) { return watcher.heads == Heads{1}; }));
}

TEST_F(LoopWatchersTest, a_change_during_a_round_is_told_after_it) {
  const auto& watchers = watch(1000, loop_);
  live_.notify(kNotes, {1});
  loop_.turn();
  live_.notify(kNotes, {2});
  EXPECT_EQ(loop_.posted(), 1U) << "the round goes on; nothing is posted beside it";
  loop_.run_all();

  EXPECT_TRUE(std::ranges::all_of(watchers, [](const Told& watcher) { return watcher.heads.back() == 2; }));
  EXPECT_EQ(loop_.posted(), 0U);
}

TEST_F(LoopWatchersTest, an_older_head_replaces_no_newer_one) {
  const auto& watchers = watch(1, loop_);
  live_.notify(kNotes, {7});
  live_.notify(kNotes, {6});
  loop_.run_all();
  EXPECT_EQ(watchers.front().heads, Heads{7});
}

TEST_F(LoopWatchersTest, a_watcher_that_has_left_is_not_told) {
  auto& watchers = watch(1000, loop_);
  // The first one takes half of the others along, which is told and which is not.
  watchers[0].then = [&] {
    for (std::size_t i = 0; i < 1000; i += 2) live_.unwatch(kNotes, watchers[i], &loop_);
  };
  live_.notify(kNotes, {1});
  loop_.run_all();
  live_.notify(kNotes, {2});
  loop_.run_all();

  EXPECT_EQ(watchers[0].heads, Heads{1});
  for (std::size_t i = 1; i < 1000; ++i) EXPECT_EQ(watchers[i].heads, (i % 2 == 0 ? Heads{} : Heads{1, 2})) << i;
}

TEST_F(LoopWatchersTest, the_last_watcher_may_leave_while_a_change_is_on_its_way) {
  auto& watchers = watch(1, loop_);
  live_.notify(kNotes, {1});
  live_.unwatch(kNotes, watchers[0], &loop_);
  loop_.run_all();
  EXPECT_EQ(watchers[0].heads, Heads{});

  live_.watch(kNotes, watchers[0], &loop_);
  live_.notify(kNotes, {2});
  loop_.run_all();
  EXPECT_EQ(watchers[0].heads, Heads{2});
}

TEST_F(LoopWatchersTest, one_that_throws_keeps_no_other_from_being_told) {
  auto& watchers = watch(10, loop_);
  watchers[4].then = [] { throw std::runtime_error("full"); };
  live_.notify(kNotes, {1});
  EXPECT_THROW(loop_.run_all(), std::runtime_error);
  loop_.run_all();
  EXPECT_TRUE(std::ranges::all_of(watchers, [](const Told& watcher) { return watcher.heads == Heads{1}; }));

  watchers[4].then = nullptr;
  live_.notify(kNotes, {2});
  loop_.run_all();
  EXPECT_TRUE(std::ranges::all_of(watchers, [](const Told& watcher) { return watcher.heads.back() == 2; }));
}

}  // namespace
}  // namespace syncline
