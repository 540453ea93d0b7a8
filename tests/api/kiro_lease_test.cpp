// Leases of commands as rows: what is stored of them and when, and what several hubs or a restart make of them.
#include "api/kiro/routes.hpp"
#include "support/kiro_fixture.hpp"

namespace syncline {
namespace {

constexpr std::int64_t kLeaseSecond = 1'000'000;

class KiroLeaseTest : public test::KiroFixture {
 protected:
  /// Seconds from now until the lease of that command ends, as its row says.
  std::optional<std::int64_t> stored_seconds(const std::string& id) {
    std::optional<std::int64_t> seconds;
    EXPECT_TRUE(store_.directory().read([&](DirectoryView& view) {
      return view.leases_that_end(kTimestampMax, [&](const LeaseRow& row) {
        if (row.command == id) seconds = (row.until.micros - clock_.now().micros + kLeaseSecond / 2) / kLeaseSecond;
        return true;
      });
    }));
    return seconds;
  }
  void pass_seconds(std::int64_t seconds) {
    clock_.advance_micros(seconds * kLeaseSecond);
    each_second();
  }
  std::string claim() { return as(agent_, http::Method::post, "/command/claim").at("commandId"); }
  std::string status(const std::string& id) { return state("commands." + id + ".status"); }
  /// What another hub with the same store has, or this one after a restart.
  std::unique_ptr<kiro::Face> make_other() {
    auto face =
        std::make_unique<kiro::Face>(spaces_, store_.directory(), access_, scheduler_, kiro::CommandTimes{}, 30);
    EXPECT_TRUE(face->start());
    return face;
  }
};

TEST_F(KiroLeaseTest, a_lease_is_stored_within_a_second_and_goes_with_the_end_of_its_command) {
  const std::string id = submit();
  claim();
  EXPECT_EQ(stored_seconds(id), std::nullopt) << "nobody waits for it";
  each_second();
  EXPECT_EQ(stored_seconds(id), 60);
  patch(agent_, id, R"({"status":"completed","result":1})");
  each_second();
  EXPECT_EQ(stored_seconds(id), std::nullopt);
}

TEST_F(KiroLeaseTest, a_renewed_lease_is_stored_when_a_fifth_of_it_has_passed) {
  const std::string id = submit();
  claim();
  each_second();
  clock_.advance_micros(11 * kLeaseSecond);
  patch(agent_, id, R"({"status":"processing"})");
  each_second();
  EXPECT_EQ(stored_seconds(id), 49);
  clock_.advance_micros(2 * kLeaseSecond);
  patch(agent_, id, R"({"status":"processing"})");
  each_second();
  EXPECT_EQ(stored_seconds(id), 60);
}

TEST_F(KiroLeaseTest, a_lease_counts_as_long_as_it_was_renewed_for_and_not_as_its_row_says) {
  const std::string id = submit();
  claim();
  each_second();
  clock_.advance_micros(11 * kLeaseSecond);
  patch(agent_, id, R"({"status":"processing"})");
  pass_seconds(55);
  EXPECT_EQ(status(id), "processing");
  pass_seconds(6);
  EXPECT_EQ(status(id), "failed");
}

TEST_F(KiroLeaseTest, a_lease_that_another_hub_has_renewed_is_not_over) {
  const std::string id = submit();
  claim();
  each_second();
  ASSERT_TRUE(store_.directory().write([&](DirectoryTxn& txn) -> Result<> {
    std::optional<LeaseRow> lease;
    CHECK_OK(txn.leases_that_end(kTimestampMax, [&](const LeaseRow& row) {
      lease = row;
      return false;
    }));
    if (!lease) return fail(ErrorCode::not_found, "no lease");
    lease->until = txn.now().plus_micros(100 * kLeaseSecond);
    return txn.put_lease(*lease);
  }));
  pass_seconds(70);
  EXPECT_EQ(status(id), "processing");
  pass_seconds(31);
  EXPECT_EQ(status(id), "failed");
}

TEST_F(KiroLeaseTest, a_lease_of_a_hub_that_is_gone_ends_at_another_one) {
  const auto other = make_other();
  const std::string id = submit();
  claim();
  each_second();  // the last that is heard of the hub that gave it
  clock_.advance_micros(59 * kLeaseSecond);
  other->each_second();
  EXPECT_EQ(status(id), "processing");
  clock_.advance_micros(2 * kLeaseSecond);
  other->each_second();
  EXPECT_EQ(status(id), "failed");
  EXPECT_EQ(state("commands." + id + ".error"), "runner lost");
  other->each_second();
  EXPECT_EQ(stored_seconds(id), std::nullopt);
}

TEST_F(KiroLeaseTest, after_a_restart_every_running_command_has_a_full_lease_whatever_was_stored) {
  const std::string stored = submit();
  claim();
  each_second();
  const std::string never_stored = submit();
  claim();
  clock_.advance_micros(300 * kLeaseSecond);
  const auto restarted = make_other();
  restarted->each_second();
  EXPECT_EQ(stored_seconds(stored), 60);
  EXPECT_EQ(stored_seconds(never_stored), 60);
  clock_.advance_micros(59 * kLeaseSecond);
  restarted->each_second();
  EXPECT_EQ(status(stored), "processing");
  clock_.advance_micros(2 * kLeaseSecond);
  restarted->each_second();
  EXPECT_EQ(status(stored), "failed");
  EXPECT_EQ(status(never_stored), "failed");
}

TEST_F(KiroLeaseTest, a_row_without_a_running_command_goes_at_the_next_start) {
  const std::string id = submit();
  claim();
  each_second();
  patch(agent_, id, R"({"status":"failed","error":"x"})");
  const auto restarted = make_other();
  restarted->each_second();
  EXPECT_EQ(stored_seconds(id), std::nullopt);
  EXPECT_EQ(state("commands." + id + ".error"), "x");
}

TEST_F(KiroLeaseTest, leases_that_cannot_be_read_end_nothing) {
  const std::string id = submit();
  claim();
  store_.fail_reads_after(0);
  pass_seconds(61);
  store_.stop_failing();
  EXPECT_EQ(status(id), "processing");
  each_second();
  EXPECT_EQ(status(id), "failed");
}

}  // namespace
}  // namespace syncline
