// The tables of webhooks, deliveries and leases in a SQLite file: rows that rot, indexes, backups.
#include <gtest/gtest.h>

#include "store/sqlite/directory_tables.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"

namespace syncline {
namespace {

using sqlite::Connection;
constexpr AccountNumber kHookOwner{1};
const SpaceName kSpaceOfLease{kHookOwner, "s"};

class WebhookTablesTest : public testing::Test {
 protected:
  WebhookTablesTest() {
    store_ = open(path());
    write([](DirectoryTxn& txn) -> Result<> {
      CHECK_OK(txn.put_webhook({"wh_a", kHookOwner, Timestamp{1}, "{}"}));
      for (const char* message : {"m1", "m2", "m3"}) {
        CHECK_OK(txn.add_delivery({.account = kHookOwner,
                                   .webhook = "wh_a",
                                   .message = message,
                                   .type = "t",
                                   .body = "{}",
                                   .created_at = Timestamp{1},
                                   .next_at = Timestamp{5},
                                   .last_at = {},
                                   .last_error = {}}));
      }
      return txn.put_lease({kSpaceOfLease, "c1", "k1", Timestamp{9}});
    });
  }

  [[nodiscard]] std::string path() const { return directory_.path() + "/syncline.db"; }
  std::unique_ptr<SqliteStore> open(const std::string& at) {
    auto opened = SqliteStore::open(at, clock_, {});
    EXPECT_TRUE(opened);
    return opened ? *std::move(opened) : nullptr;
  }
  void write(const DirectoryWriteFunction& run) {
    const auto written = store_->directory().write(run);
    ASSERT_TRUE(written) << written.error().text;
  }
  /// What a failing disk does.
  void alter(const std::string& sql) {
    auto connection = Connection::open(path(), Connection::Mode::read_write);
    ASSERT_TRUE(connection && connection->execute(sql));
  }
  static Result<std::string> next_in(SqliteStore& store) {
    std::string message = "(none)";
    CHECK_OK(store.directory().read([&](DirectoryView& view) -> Result<> {
      TRY(const auto next, view.find_next_delivery({"wh_a"}));
      if (next) message = next->message;
      return {};
    }));
    return message;
  }
  std::string plan_of(const std::string& sql) {
    auto connection = Connection::open(path(), Connection::Mode::read_only);
    EXPECT_TRUE(connection);
    auto rows = connection->prepare("EXPLAIN QUERY PLAN " + sql);
    EXPECT_TRUE(rows);
    std::string plan;
    while (rows->step().value_or(false)) plan += std::string(rows->bytes(3)) + '\n';
    return plan;
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  test::TemporaryDirectory directory_;
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(WebhookTablesTest, a_damaged_delivery_is_passed_over_and_named) {
  alter("UPDATE delivery SET body = '{\"a\":1}' WHERE number = 1");
  EXPECT_EQ(next_in(*store_).value(), "m2");
  const auto looked = store_->directory().read([](DirectoryView& view) -> Result<> {
    TRY([[maybe_unused]] const auto row, view.find_delivery("wh_a", 1));
    return {};
  });
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().code, ErrorCode::damaged);
  std::size_t listed = 0;
  ASSERT_TRUE(store_->directory().read([&](DirectoryView& view) {
    return view.deliveries("wh_a", 10, [&](const DeliveryRow&) { return ++listed > 0; });
  }));
  EXPECT_EQ(listed, 2U);
  EXPECT_EQ(store_->verify().value(),
            (std::vector<std::string>{"the row of delivery 1 is damaged; run 'syncline verify'"}));
}

TEST_F(WebhookTablesTest, damaged_webhooks_and_leases_are_left_out_and_named) {
  alter("UPDATE webhook SET doc = '{\"url\":\"https://evil.example/\"}'; UPDATE lease SET holder = 'k2'");
  ASSERT_TRUE(store_->directory().read([](DirectoryView& view) -> Result<> {
    CHECK_OK(view.webhooks(std::nullopt, [](const WebhookRow& row) {
      ADD_FAILURE() << row.id;
      return true;
    }));
    return view.leases_that_end(kTimestampMax, [](const LeaseRow& row) {
      ADD_FAILURE() << row.command;
      return true;
    });
  }));
  for (const DirectoryReadFunction& look : std::initializer_list<DirectoryReadFunction>{
           [](DirectoryView& view) -> Result<> {
             TRY([[maybe_unused]] const auto row, view.find_webhook("wh_a"));
             return {};
           },
           [](DirectoryView& view) -> Result<> {
             TRY([[maybe_unused]] const auto row, view.find_lease(kSpaceOfLease, "c1"));
             return {};
           }}) {
    const auto looked = store_->directory().read(look);
    ASSERT_FALSE(looked);
    EXPECT_EQ(looked.error().code, ErrorCode::damaged);
  }
  EXPECT_EQ(store_->verify()->size(), 2U);
  write([](DirectoryTxn& txn) { return txn.put_lease({kSpaceOfLease, "c1", "k1", Timestamp{9}}); });
  write([](DirectoryTxn& txn) { return txn.remove_webhook("wh_a"); });
  EXPECT_TRUE(store_->verify()->empty()) << "replaced and removed";
}

TEST_F(WebhookTablesTest, what_is_due_and_what_is_purged_is_found_by_an_index) {
  const std::string waiting = plan_of(sqlite::kWaitingDeliveries);
  EXPECT_NE(waiting.find("USING COVERING INDEX delivery_due (webhook=? AND state=?)"), std::string::npos) << waiting;
  EXPECT_EQ(waiting.find("B-TREE"), std::string::npos) << waiting;
  const std::string ended = plan_of(sqlite::kRemoveEndedDeliveries);
  EXPECT_NE(ended.find("INDEX delivery_ended (last_at<?)"), std::string::npos) << ended;
  EXPECT_EQ(ended.find("SCAN"), std::string::npos) << ended;
}

TEST_F(WebhookTablesTest, a_backup_has_webhooks_what_is_queued_for_them_and_leases) {
  const std::string copy = directory_.path() + "/copy";
  const std::string restored_path = directory_.path() + "/restored.db";
  ASSERT_TRUE(store_->backup(copy));
  write([](DirectoryTxn& txn) { return txn.remove_webhook("wh_a"); });
  ASSERT_TRUE(restore_backup(copy, restored_path, "newepoch"));
  const auto restored = open(restored_path);
  EXPECT_EQ(next_in(*restored).value(), "m1");
  ASSERT_TRUE(restored->directory().read([](DirectoryView& view) -> Result<> {
    TRY(const auto webhook, view.find_webhook("wh_a"));
    TRY(const auto lease, view.find_lease(kSpaceOfLease, "c1"));
    EXPECT_TRUE(webhook && lease);
    return {};
  }));
}

}  // namespace
}  // namespace syncline
