// The runner's threads against a hub of the test's own. Also run under ThreadSanitizer.
#include "runner/runner.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <fstream>
#include <set>

#include "base/mutex.hpp"
#include "runner/plain_launcher.hpp"
#include "support/environment.hpp"

namespace syncline::runner {
namespace {

using namespace std::chrono_literals;

/// What all links of a test share. Tests also read it without the mutex, when nothing changes it any more.
struct FakeHub {
  Mutex mutex;
  StoppableCondVar changed;
  std::deque<RawOrder> orders;
  std::vector<std::pair<std::string, Outcome>> reports;
  std::set<std::string> cancelled;
  std::string live_output;
  int reports_to_lose = 0;
  bool key_counts = true;
  Approval approval = Approval::held;

  void add(const std::string& id, const std::string& line, const std::string& type = "execute_bash") {
    JsonObject fields;
    fields.set_text("type", type);
    fields.set_text("command", line);
    fields.set_text("path", line);
    fields.set_integer("leaseMs", 3000);
    const MutexLock lock(mutex);
    orders.push_back({id, std::move(fields)});
    changed.notify_all();
  }
  void change(const std::function<void()>& how) {
    const MutexLock lock(mutex);
    how();
    changed.notify_all();
  }
  /// False after a minute: a sanitized build on a busy machine starts programs slowly.
  bool wait(const std::function<bool()>& until) {
    const MutexLock lock(mutex);
    const Deadline deadline = Deadline::clock::now() + 60s;
    while (!until()) {
      if (Deadline::clock::now() > deadline) return false;
      changed.wait_until(mutex, Deadline::clock::now() + 20ms);  // files tell nobody
    }
    return true;
  }
  bool wait_for_reports(std::size_t count) {
    return wait([&] { return reports.size() >= count; });
  }
};

class FakeLink final : public HubLink {
 public:
  explicit FakeLink(FakeHub& hub) : hub_(hub) {}

  Result<std::optional<RawOrder>> next(std::stop_token stop) override {
    const MutexLock lock(hub_.mutex);
    const Deadline deadline = Deadline::clock::now() + 1s;
    while (hub_.orders.empty() && hub_.key_counts && hub_.changed.wait_until(hub_.mutex, stop, deadline)) {
    }
    if (!hub_.key_counts) return fail(ErrorCode::unauthorized, "revoked");
    if (hub_.orders.empty()) return std::nullopt;
    RawOrder order = std::move(hub_.orders.front());
    hub_.orders.pop_front();
    return order;
  }
  Result<Receipt> report(const std::string& id, const Outcome& outcome, std::stop_token) override {
    const MutexLock lock(hub_.mutex);
    if (!hub_.key_counts) return fail(ErrorCode::unauthorized, "revoked");
    if (hub_.reports_to_lose > 0) {
      --hub_.reports_to_lose;
      return fail(ErrorCode::unavailable, "lost");
    }
    hub_.reports.emplace_back(id, outcome);
    hub_.changed.notify_all();
    return Receipt::accepted;
  }
  Result<Standing> renew(const std::string& id, std::stop_token) override {
    const MutexLock lock(hub_.mutex);
    if (!hub_.key_counts) return fail(ErrorCode::unauthorized, "revoked");
    return Standing{true, hub_.cancelled.contains(id)};
  }
  Result<Standing> watch(const std::string& id, std::int64_t, std::stop_token stop) override {
    const MutexLock lock(hub_.mutex);
    const Deadline deadline = Deadline::clock::now() + 1s;
    while (!hub_.cancelled.contains(id) && hub_.key_counts && hub_.changed.wait_until(hub_.mutex, stop, deadline)) {
    }
    if (!hub_.key_counts) return fail(ErrorCode::unauthorized, "revoked");
    return Standing{true, hub_.cancelled.contains(id)};
  }
  Result<> send_output(const std::string&, Stream, std::string_view text, std::stop_token) override {
    hub_.change([&] { hub_.live_output += text; });
    return {};
  }
  Result<Approval> ask(const std::string&, const Question&, std::stop_token) override {
    const MutexLock lock(hub_.mutex);
    return hub_.approval;
  }

 private:
  FakeHub& hub_;
};

class RunnerTest : public testing::Test {
 protected:
  RunnerTest() {
    policy_.roots = {{directory_.path(), true, "roots[0]"}};
    for (auto& rules : policy_.rules) rules = {{Verdict::allow, std::nullopt, "all"}};
    // Until it has started its program, a child counts as large as this process, which is large with a sanitizer.
    policy_.limits.memory_mib = 1LL << 20U;
  }

  void start(std::int64_t concurrency = 4, std::int64_t drain_ms = 500) {
    intents_ = *IntentLog::open(logs_.path() + "/runner.db");
    audit_ = *AuditLog::open(logs_.path() + "/audit.log", *intents_, clock_);
    auto workplace = std::make_shared<Workplace>();
    workplace->policy = policy_;
    workplace->roots = *Roots::open(policy_, {});
    workplace->launcher = make_plain_launcher();
    runner_ = std::make_unique<Runner>(
        RunnerOptions{concurrency, drain_ms}, workplace, [this] { return std::make_unique<FakeLink>(hub_); }, *intents_,
        *audit_, clock_);
    ASSERT_TRUE(
        runner_->start([] {}, [this](const Error& error) { hub_.change([&] { fatal_.push_back(error.code); }); }));
  }
  std::string content(const std::string& name) {
    std::ifstream file(directory_.path() + '/' + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  test::TemporaryDirectory directory_;
  test::TemporaryDirectory logs_;
  Policy policy_;
  SystemClock clock_;
  FakeHub hub_;
  std::vector<ErrorCode> fatal_;
  std::unique_ptr<IntentLog> intents_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<Runner> runner_;
};

TEST_F(RunnerTest, orders_spread_over_several_slots_run_once_each) {
  start();
  constexpr int kCount = 60;
  for (int i = 0; i < kCount; ++i) hub_.add("cmd-" + std::to_string(i), "echo x >> count");
  for (int i = 0; i < kCount; ++i) hub_.add("cmd-" + std::to_string(i), "echo x >> count");
  // A command that comes twice is reported twice: what counts is that each has been reported.
  ASSERT_TRUE(hub_.wait([&] {
    std::set<std::string> reported;
    for (const auto& [id, outcome] : hub_.reports) reported.insert(id);
    return hub_.orders.empty() && reported.size() == kCount;
  }));
  runner_->stop();
  EXPECT_EQ(content("count").size(), 2U * kCount);
  for (const auto& [id, outcome] : hub_.reports) {
    if (outcome.error == "already executed; not run again") continue;
    EXPECT_EQ(outcome.status, CommandStatus::completed) << id << ": " << outcome.error << '\n' << outcome.result;
    EXPECT_EQ(outcome.exit_code, 0) << id << '\n' << outcome.result;
  }
  EXPECT_EQ(verify_audit_log(logs_.path() + "/audit.log", std::nullopt)->fault, "");
}

TEST_F(RunnerTest, a_lost_report_is_sent_again) {
  hub_.reports_to_lose = 1;
  start(1);
  hub_.add("cmd-1", "echo done");
  ASSERT_TRUE(hub_.wait_for_reports(1));
  EXPECT_EQ(hub_.reports[0].second.exit_code, 0);
  runner_->stop();
}

TEST_F(RunnerTest, a_cancelled_command_ends_at_once_and_keeps_its_output) {
  start(2);
  hub_.add("cmd-1", "echo part; sleep 60");
  ASSERT_TRUE(hub_.wait([&] { return hub_.live_output == "part\n"; }));
  hub_.change([&] { hub_.cancelled.insert("cmd-1"); });
  ASSERT_TRUE(hub_.wait_for_reports(1));
  EXPECT_EQ(hub_.reports[0].second.error, "cancelled");
  EXPECT_NE(hub_.reports[0].second.result.find("part"), std::string::npos);
  runner_->stop();
}

TEST_F(RunnerTest, a_revoked_key_stops_everything_and_is_reported_once) {
  start(4);
  for (int i = 0; i < 4; ++i) hub_.add("cmd-" + std::to_string(i), "echo x >> count; sleep 60");
  ASSERT_TRUE(hub_.wait([&] { return content("count").size() == 8; }));
  std::this_thread::sleep_for(200ms);  // until they are attended
  hub_.change([&] { hub_.key_counts = false; });
  ASSERT_TRUE(hub_.wait([&] { return !fatal_.empty(); }));
  runner_->stop();
  EXPECT_EQ(fatal_, std::vector<ErrorCode>{ErrorCode::unauthorized});
  EXPECT_EQ(intents_->unreported()->size(), 4U) << "kept for when there is a key again";
}

TEST_F(RunnerTest, leftover_commands_are_reported_and_not_run) {
  (void)(*IntentLog::open(logs_.path() + "/runner.db"))->begin("cmd-1", CommandType::execute_bash, 1);
  start();
  ASSERT_TRUE(hub_.wait_for_reports(1));
  EXPECT_EQ(hub_.reports[0].second.error, "runner restarted");
  runner_->stop();
}

TEST_F(RunnerTest, an_order_that_needs_approval_waits_or_runs_as_the_hub_decides) {
  policy_.rules[0] = {{Verdict::ask, std::nullopt, "ask"}};
  start(1);
  hub_.add("cmd-1", "echo x >> count");
  hub_.add("cmd-2", "nothing", "read_file");
  ASSERT_TRUE(hub_.wait_for_reports(1));
  EXPECT_EQ(hub_.reports[0].first, "cmd-2");
  hub_.change([&] { hub_.approval = Approval::granted; });
  hub_.add("cmd-1", "echo x >> count");
  ASSERT_TRUE(hub_.wait_for_reports(2));
  EXPECT_EQ(content("count"), "x\n");
  runner_->stop();
}

TEST_F(RunnerTest, stopping_waits_for_commands_that_end_soon) {
  start(2, 60'000);
  hub_.add("cmd-short", "sleep 0.2; echo done");
  ASSERT_TRUE(hub_.wait([&] { return hub_.orders.empty(); }));
  runner_->stop();
  ASSERT_EQ(hub_.reports.size(), 1U);
  EXPECT_EQ(hub_.reports[0].second.status, CommandStatus::completed);
}

TEST_F(RunnerTest, stopping_ends_commands_that_take_longer_than_it_waits) {
  start(2, 500);
  hub_.add("cmd-long", "sleep 600");
  ASSERT_TRUE(hub_.wait([&] { return hub_.orders.empty(); }));
  runner_->stop();
  ASSERT_EQ(hub_.reports.size(), 1U);
  EXPECT_EQ(hub_.reports[0].second.error, "stopped: the runner is stopping");
}

}  // namespace
}  // namespace syncline::runner
