// What the simulation does not reach: it knows no link that is slow for one document.
#include "replica/space_replica.hpp"

#include <gtest/gtest.h>

#include "store/memory/memory_store.hpp"
#include "support/manual_scheduler.hpp"
#include "support/proving_store.hpp"

namespace syncline::replica {
namespace {

/// Of a service that keeps none of the spaces here.
class LimitedDialect final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "limited"; }
  [[nodiscard]] std::string_view title() const override { return "a limited"; }
  [[nodiscard]] bool carries_space(std::string_view) const override { return false; }
  [[nodiscard]] std::unique_ptr<Exchange> make_exchange(LocalSpace&, const Limits&) const override { return nullptr; }
  [[nodiscard]] Result<std::optional<HubAccount>> recognise(const Inquiry&) const override { return std::nullopt; }
};

class SpaceReplicaTest : public testing::Test {
 protected:
  SpaceReplicaTest() {
    EXPECT_TRUE(replica_.load());
    EXPECT_TRUE(replica_.connect(native_dialect(), true, now_ms_));
  }

  /// How long the next request may take; it ends with `outcome`.
  std::int64_t ask(const Result<http::ClientResponse>& outcome) {
    now_ms_ += 3'600'000;
    const auto request = replica_.next(now_ms_, 0);
    if (!request) return 0;
    replica_.finish(request->ticket, outcome, now_ms_, 0);
    return request->http.timeout_ms;
  }

  SystemClock clock_;
  MemoryStore memory_{clock_, "n"};
  test::TwiceStore store_{memory_};  // every write function may run again
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  PullProgress progress_{store_};
  const RuleBook rules_{{}};
  Spaces spaces_{store_, clock_, live_, progress_, rules_};
  std::int64_t now_ms_ = 0;
  SpaceReplica replica_{spaces_, {AccountNumber{1}, "notes"}, {}, {.page_max = 4}};
};

TEST_F(SpaceReplicaTest, a_pull_that_cannot_shrink_gets_more_time) {
  const auto late = fail(ErrorCode::timed_out, "no answer came in time");
  EXPECT_EQ(ask(late), 60'000);  // 4 records
  EXPECT_EQ(ask(late), 60'000);  // 2
  EXPECT_EQ(ask(late), 60'000);  // 1
  EXPECT_EQ(ask(late), 120'000);
  EXPECT_EQ(ask(late), 240'000);
  EXPECT_EQ(ask(late), 480'000);
  EXPECT_EQ(ask(late), 600'000);
  EXPECT_EQ(ask(late), 600'000);
  // A hub that is away is no slow link.
  EXPECT_EQ(ask(fail(ErrorCode::unavailable, "connection refused")), 600'000);
  EXPECT_EQ(ask(http::ClientResponse{503, "", std::nullopt}), 600'000);
  EXPECT_EQ(ask(late), 60'000);
}

TEST_F(SpaceReplicaTest, a_space_unsupported_by_the_hub_stays_off) {
  const LimitedDialect limited;
  ASSERT_TRUE(replica_.connect(limited, true, now_ms_));
  EXPECT_TRUE(replica_.machine().is_off());
  EXPECT_EQ(ask(fail(ErrorCode::unavailable, "")), 0);
  ASSERT_TRUE(replica_.connect(native_dialect(), true, now_ms_));
  EXPECT_EQ(ask(fail(ErrorCode::unavailable, "")), 60'000);
}

TEST_F(SpaceReplicaTest, counts_what_it_pulls_once_though_its_write_runs_again) {
  LocalSpace local(spaces_, {AccountNumber{1}, "counted"}, {});
  ASSERT_TRUE(local.load());
  Page page;
  page.cursor.epoch = "h1";
  page.cursor.seq = Seq{2};
  page.versions = {{"c", "a", Seq{1}, Timestamp{1}, false, "{}"}, {"c", "b", Seq{2}, Timestamp{2}, true, ""}};
  ASSERT_TRUE(local.apply(page));
  EXPECT_EQ(local.transfer().pulled_live, 1);
  EXPECT_EQ(local.transfer().pulled_deleted, 1);
}

}  // namespace
}  // namespace syncline::replica
