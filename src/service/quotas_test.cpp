// What accounts may store and ask by their plan, over the store that counts what they have.
#include "service/quotas.hpp"

#include <future>

#include <gtest/gtest.h>

#include "service/spaces.hpp"
#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"
#include "support/manual_scheduler.hpp"
#include "support/proving_store.hpp"

namespace syncline {
namespace {

class QuotasTest : public testing::Test {
 protected:
  /// A push of one document of so many bytes; none deletes. By the account, into the space of that name.
  Result<> put(const std::string& id, std::size_t bytes, const std::string& space = "notes") {
    clock_.advance_micros(kMicrosPerSecond);
    const std::string doc = bytes == 0 ? "" : "{\"t\":\"" + std::string(bytes - 8, 'x') + "\"}";
    const auto written = spaces_.write_and_wait({kAccount, space}, KeyNumber{1}, [&](SpaceWriter& writer) -> Result<> {
      TRY([[maybe_unused]] const OpResult result,
          writer.apply({.collection = "c", .id = id, .updated_at = clock_.now(), .deleted = doc.empty(), .doc = doc}));
      return {};
    });
    if (!written) return std::unexpected(written.error());
    return {};
  }
  RateLimit::Verdict ask(Plan plan) { return quotas_.take_request({.account = kAccount, .plan = plan}, clock_.now()); }

  static constexpr AccountNumber kAccount{7};
  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  MemoryStore memory_{clock_, "e"};
  test::TwiceStore store_{memory_};
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  PullProgress progress_{store_};
  const RuleBook rules_{{}};
  Quotas quotas_{store_, {{{.bytes = 1000, .records = 3, .requests_per_minute = 2}, {.bytes = 5000}, {}, {}}}};
  Spaces spaces_{store_, clock_, live_, progress_, rules_, nullptr, &quotas_};
};

TEST_F(QuotasTest, a_write_beyond_the_bytes_of_the_plan_is_refused_whole_and_says_why) {
  EXPECT_TRUE(ask(Plan::free).allowed);
  EXPECT_TRUE(put("a", 600));
  EXPECT_TRUE(put("b", 400, "tasks"));
  const auto refused = put("c", 10, "more");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::quota_exceeded);
  EXPECT_NE(refused.error().text.find("the plan free stores at most 1.0 kB"), std::string::npos)
      << refused.error().text;
  EXPECT_EQ(spaces_.head({kAccount, "more"}).value, 0);
  EXPECT_EQ(quotas_.refusals().writes, 1);
}

TEST_F(QuotasTest, what_guests_write_counts_to_an_account_that_asks_for_nothing) {
  quotas_.expect_write(kAccount, Plan::free);
  EXPECT_TRUE(put("a", 600));
  EXPECT_EQ(put("b", 600).error().code, ErrorCode::quota_exceeded);
  quotas_.expect_write(kAccount, Plan::companion);
  EXPECT_TRUE(put("b", 600)) << "the plan has changed";
}

TEST_F(QuotasTest, what_makes_the_account_smaller_is_always_written) {
  EXPECT_TRUE(put("a", 600));
  EXPECT_TRUE(put("b", 700)) << "nobody knows the plan yet";
  EXPECT_TRUE(ask(Plan::free).allowed);
  EXPECT_FALSE(put("a", 601));
  EXPECT_TRUE(put("a", 500));
  EXPECT_TRUE(put("b", 0));
  EXPECT_TRUE(put("a", 900)) << "there is room again";
  EXPECT_FALSE(put("b", 200));
}

TEST_F(QuotasTest, records_are_counted_too) {
  EXPECT_TRUE(ask(Plan::free).allowed);
  for (const char* id : {"a", "b", "c"}) EXPECT_TRUE(put(id, 10));
  EXPECT_FALSE(put("d", 10));
  EXPECT_TRUE(put("a", 20));
  EXPECT_TRUE(put("b", 0));
  EXPECT_TRUE(put("d", 10));
}

TEST_F(QuotasTest, a_larger_plan_counts_from_the_next_request) {
  EXPECT_TRUE(ask(Plan::free).allowed);
  EXPECT_FALSE(put("a", 2000));
  EXPECT_TRUE(ask(Plan::companion).allowed);
  EXPECT_TRUE(put("a", 2000));
  EXPECT_FALSE(put("b", 4000));
  EXPECT_TRUE(ask(Plan::pro).allowed);
  EXPECT_TRUE(put("b", 4000));
}

TEST_F(QuotasTest, a_write_between_a_refresh_and_the_next_request_is_refused_too) {
  EXPECT_TRUE(ask(Plan::free).allowed);
  EXPECT_TRUE(put("a", 600));
  quotas_.forget_idle();
  EXPECT_FALSE(put("b", 600));
}

TEST_F(QuotasTest, replaced_versions_count_until_they_are_purged) {
  EXPECT_TRUE(ask(Plan::free).allowed);
  int replaced = 0;
  while (replaced < 100 && put("a", 400 + static_cast<std::size_t>(replaced % 2))) ++replaced;
  // 2,000 bytes; each is 400 of the document, one of the id and 64 beside them. The first write replaces nothing.
  EXPECT_EQ(replaced, 1 + 4);
  const auto refused = put("a", 399);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::quota_exceeded);
  EXPECT_NE(refused.error().text.find("earlier and conflicting versions"), std::string::npos) << refused.error().text;

  EXPECT_TRUE(put("b", 100)) << "there is room yet, and what is new replaces nothing";
  EXPECT_TRUE(put("a", 0)) << "deletions are always written";
  EXPECT_FALSE(put("a", 400)) << "what is deleted and added again would be without end";
  EXPECT_FALSE(put("c", 10));
  EXPECT_TRUE(put("b", 0));

  ASSERT_TRUE(store_.purge({.history = clock_.now().plus_micros(1), .tombstones = {}, .receipts = {}}));
  EXPECT_FALSE(put("a", 400)) << "nobody has looked yet";
  quotas_.read_again();
  EXPECT_TRUE(ask(Plan::free).allowed);
  EXPECT_TRUE(put("a", 400)) << "there is room again";
  EXPECT_TRUE(put("a", 401));
}

/// On SQLite, where writes that wait together are committed together.
class GroupQuotasTest : public testing::Test {
 protected:
  GroupQuotasTest() {
    EXPECT_TRUE(quotas_.take_request({.account = kAccount, .plan = Plan::free}, clock_.now()).allowed);
  }

  /// Pushes into spaces of these names that wait for the disk together; the sizes that were stored.
  std::vector<std::size_t> put_together(const std::vector<std::pair<std::string, std::size_t>>& pushes) {
    std::promise<void> may_run;
    std::promise<void> runs;
    spaces_.write(
        {AccountNumber{99}, "other"}, KeyNumber{1},
        [&, opened = may_run.get_future().share()](SpaceWriter&) -> Result<> {
          runs.set_value();
          opened.wait();
          return {};
        },
        [](const Result<Cursor>&) {});
    runs.get_future().wait();
    std::vector<std::size_t> stored;
    std::vector<std::future<bool>> results;
    for (const auto& [space, bytes] : pushes) {
      auto done = std::make_shared<std::promise<bool>>();
      results.push_back(done->get_future());
      spaces_.write(
          {kAccount, space}, KeyNumber{1},
          [this, doc = "{\"t\":\"" + std::string(bytes - 8, 'x') + "\"}"](SpaceWriter& writer) -> Result<> {
            TRY([[maybe_unused]] const OpResult result,
                writer.apply({.collection = "c", .id = "r", .updated_at = clock_.now(), .doc = doc}));
            return {};
          },
          [done](const Result<Cursor>& result) { done->set_value(result.has_value()); });
    }
    may_run.set_value();
    for (std::size_t i = 0; i < pushes.size(); ++i) {
      if (results[i].get()) stored.push_back(pushes[i].second);
    }
    return stored;
  }

  std::int64_t stored_bytes() {
    std::int64_t bytes = 0;
    const auto spaces = store_->spaces(kAccount);
    EXPECT_TRUE(spaces);
    for (const SpaceInfo& space : *spaces) bytes += space.bytes;
    return bytes;
  }

  static constexpr AccountNumber kAccount{7};
  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  test::TemporaryDirectory directory_;
  std::unique_ptr<SqliteStore> store_ = *SqliteStore::open(directory_.path() + "/syncline.db", clock_, {});
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  PullProgress progress_{*store_};
  const RuleBook rules_{{}};
  Quotas quotas_{*store_, {{{.bytes = 1000}, {}, {}, {}}}};
  Spaces spaces_{*store_, clock_, live_, progress_, rules_, nullptr, &quotas_};
};

TEST_F(GroupQuotasTest, writes_that_are_committed_together_do_not_pass_the_limit_together) {
  EXPECT_EQ(put_together({{"a", 600}, {"b", 600}, {"c", 300}}), (std::vector<std::size_t>{600, 300}));
  EXPECT_LE(stored_bytes(), 1000);
  EXPECT_TRUE(put_together({{"d", 600}}).empty());
}

TEST_F(GroupQuotasTest, what_was_refused_takes_no_room) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(put_together({{"a", 1200}}).empty());
  EXPECT_EQ(put_together({{"a", 900}}), (std::vector<std::size_t>{900}));
}

TEST_F(QuotasTest, requests_of_an_account_are_limited_by_its_plan) {
  EXPECT_TRUE(ask(Plan::free).allowed);
  EXPECT_TRUE(ask(Plan::free).allowed);
  const auto refused = ask(Plan::free);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.reset_s, 30);
  EXPECT_EQ(quotas_.refusals().requests, 1);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(ask(Plan::team).allowed);
}

TEST(FormatBytes, has_the_largest_unit_that_leaves_a_whole_number_before_the_point) {
  for (const auto& [bytes, text] :
       std::vector<std::pair<std::int64_t, std::string>>{{0, "0 bytes"},
                                                         {1, "1 byte"},
                                                         {999, "999 bytes"},
                                                         {1000, "1.0 kB"},
                                                         {1550, "1.6 kB"},
                                                         {999'949, "999.9 kB"},
                                                         {999'950, "1.0 MB"},
                                                         {104'857'600, "104.9 MB"},
                                                         {2'000'000'000, "2.0 GB"},
                                                         {5'000'000'000'000'000, "5000.0 TB"}}) {
    EXPECT_EQ(format_bytes(bytes), text);
  }
}

}  // namespace
}  // namespace syncline
