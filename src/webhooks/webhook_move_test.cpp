// Stores whose webhooks were records and whose deliveries were in a file of their own: nothing that was on its way is
// lost, whenever the process ends.
#include "webhooks/webhook_move.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "service/access.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"
#include "support/system_records.hpp"
#include "webhooks/delivery_queue.hpp"
#include "webhooks/subscriptions.hpp"

namespace syncline::webhooks {
namespace {

constexpr int kOldDeliveries = 7;
constexpr std::size_t kListed = 100;

class WebhookMoveTest : public testing::Test {
 protected:
  WebhookMoveTest() {
    open();
    put_record("webhooks", "wh_1",
               R"({"account":1,"url":"https://a.example/","events":"record.changed","secret":"whsec_x",)"
               R"("previous_secret":"","previous_until":0,"enabled":true,"disabled_because":"","created_at":77})");
    put_record("webhooks", "wh_2",
               R"({"account":2,"url":"https://b.example/","events":"record.changed","secret":"whsec_y",)"
               R"("previous_secret":"whsec_z","previous_until":9,"enabled":false,"disabled_because":"gone",)"
               R"("created_at":78})");
    put_record("clock", "other", "{}");
    make_old_file();
  }

  [[nodiscard]] std::string store_path() const { return directory_.path() + "/syncline.db"; }
  [[nodiscard]] std::string file_path() const { return directory_.path() + "/webhooks.db"; }
  [[nodiscard]] bool has_file() const { return std::filesystem::exists(file_path()); }

  void open() {
    store_ = nullptr;
    auto opened = SqliteStore::open(store_path(), clock_, {});
    ASSERT_TRUE(opened);
    store_ = *std::move(opened);
  }

  void put_record(const std::string& collection, const std::string& id, const std::string& doc) {
    test::put_system_record(*store_, collection, id, doc);
  }

  /// As the versions wrote it that had it.
  void make_old_file() {
    auto made = sqlite::Connection::open(file_path(), sqlite::Connection::Mode::create);
    ASSERT_TRUE(made);
    std::string sql =
        "PRAGMA journal_mode = WAL;"
        "CREATE TABLE message (id TEXT PRIMARY KEY, type TEXT NOT NULL, body BLOB NOT NULL,"
        " at INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE delivery (number INTEGER PRIMARY KEY AUTOINCREMENT, webhook TEXT NOT NULL,"
        " message TEXT NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL,"
        " next_at INTEGER NOT NULL, last_at INTEGER NOT NULL, last_status INTEGER NOT NULL,"
        " last_error TEXT NOT NULL, UNIQUE (webhook, message));"
        "PRAGMA application_id = 1398361681; PRAGMA user_version = 1;";
    for (int number = 1; number <= kOldDeliveries; ++number) {
      const std::string text = std::to_string(number);
      sql += "INSERT INTO message VALUES ('msg_" + text + "', 'record.changed', CAST('{\"n\":" + text +
             "}' AS BLOB), " + text + ");";
      sql += "INSERT INTO delivery VALUES (" + std::to_string(number * 10) + ", 'wh_1', 'msg_" + text + "', " +
             std::to_string(number % 3) + ", " + text + ", 1" + text + ", 2" + text + ", 500, 'answered 500');";
    }
    sql += "INSERT INTO delivery VALUES (71, 'wh_2', 'msg_1', 0, 0, 5, 0, 0, '');";
    sql += "INSERT INTO delivery VALUES (72, 'wh_removed', 'msg_1', 0, 0, 5, 0, 0, '');";
    ASSERT_TRUE(made->execute(sql));
  }

  /// "number message state attempts" of each delivery, newest first.
  std::vector<std::string> deliveries_of(const std::string& webhook) {
    const auto listed = DeliveryQueue(*store_).list(webhook, kListed);
    EXPECT_TRUE(listed);
    std::vector<std::string> found;
    for (const Delivery& delivery : *listed) {
      found.push_back(std::to_string(delivery.number) + ' ' + delivery.message + ' ' +
                      std::string(to_text(delivery.state)) + ' ' + std::to_string(delivery.attempts));
    }
    return found;
  }

  std::vector<std::string> live_system_records() { return test::live_system_records(*store_); }

  void move() {
    const auto moved = move_webhooks(*store_, file_path());
    ASSERT_TRUE(moved) << moved.error().text;
  }

  void expect_everything_moved() {
    EXPECT_EQ(deliveries_of("wh_1"),
              (std::vector<std::string>{"70 msg_7 delivered 7", "60 msg_6 waiting 6", "50 msg_5 failed 5",
                                        "40 msg_4 delivered 4", "30 msg_3 waiting 3", "20 msg_2 failed 2",
                                        "10 msg_1 delivered 1"}));
    EXPECT_EQ(deliveries_of("wh_2"), (std::vector<std::string>{"71 msg_1 waiting 0"}));
    EXPECT_TRUE(deliveries_of("wh_removed").empty());
    EXPECT_EQ(live_system_records(), (std::vector<std::string>{"clock/other"}));
    EXPECT_FALSE(has_file());
    EXPECT_TRUE(store_->verify()->empty());
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  test::TemporaryDirectory directory_;
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(WebhookMoveTest, webhooks_and_deliveries_are_as_they_were) {
  move();
  open();
  expect_everything_moved();
  Subscriptions subscriptions(*store_, {kRecordChanged});
  ASSERT_TRUE(subscriptions.load());
  const auto first = subscriptions.find(AccountNumber{1}, "wh_1");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->url, "https://a.example/");
  EXPECT_EQ(first->secret, "whsec_x");
  EXPECT_EQ(first->created_at, Timestamp{77});
  EXPECT_TRUE(first->enabled);
  EXPECT_TRUE(subscriptions.wanted({1}).has(kRecordChanged));
  const auto second = subscriptions.find(AccountNumber{2}, "wh_2");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->secrets(Timestamp{8}), (std::vector<std::string>{"whsec_y", "whsec_z"}));
  EXPECT_FALSE(second->enabled);
  EXPECT_EQ(second->disabled_because, "gone");
  const auto listed = DeliveryQueue(*store_).list("wh_1", 2);
  ASSERT_TRUE(listed && listed->size() == 2);
  const Delivery& waiting = listed->back();
  EXPECT_EQ(waiting.account, AccountNumber{1});
  EXPECT_EQ(waiting.type, "record.changed");
  EXPECT_EQ(waiting.body, R"({"n":6})");
  EXPECT_EQ(waiting.created_at, Timestamp{6});
  EXPECT_EQ(waiting.next_at, Timestamp{16});
  EXPECT_EQ(waiting.last_at, Timestamp{26});
  EXPECT_EQ(waiting.last_status, 500);
  EXPECT_EQ(waiting.last_error, "answered 500");
}

TEST_F(WebhookMoveTest, a_process_that_ends_after_any_step_loses_nothing_and_moves_nothing_twice) {
  int steps = 0;
  for (bool is_done = false; !is_done; ++steps) {
    ASSERT_LT(steps, 20);
    // Each opening gets one step further, and what the rows say of it is true.
    const auto moved = move_webhooks(*store_, file_path(), {.deliveries_each = 2, .after_each = [] -> Result<> {
                                                              return fail(ErrorCode::unavailable, "killed");
                                                            }});
    is_done = moved.has_value();
    if (!is_done) {
      EXPECT_EQ(moved.error().text, "killed");
    }
    open();
  }
  EXPECT_GE(steps, 6) << "webhooks, five times deliveries, the file";
  expect_everything_moved();
}

TEST_F(WebhookMoveTest, what_has_changed_since_a_move_is_not_moved_over) {
  move();
  ASSERT_TRUE(store_->directory().write([](DirectoryTxn& txn) { return txn.remove_webhook("wh_1"); }));
  put_record("webhooks", "wh_1", R"({"account":1,"url":"https://a.example/"})");
  open();
  move();
  Subscriptions subscriptions(*store_, {kRecordChanged});
  ASSERT_TRUE(subscriptions.load());
  EXPECT_EQ(subscriptions.list(std::nullopt).size(), 1U);
}

TEST_F(WebhookMoveTest, a_file_that_cannot_be_read_stays_and_keeps_nobody_from_starting) {
  {
    std::ofstream file(file_path(), std::ios::trunc | std::ios::binary);
    file << std::string(8192, 'x');
  }
  move();
  EXPECT_TRUE(has_file());
  Subscriptions subscriptions(*store_, {kRecordChanged});
  ASSERT_TRUE(subscriptions.load());
  EXPECT_EQ(subscriptions.list(std::nullopt).size(), 2U);
  // What is queued before the file is there again takes numbers that the file has, too.
  constexpr std::size_t kNew = 12;
  for (std::size_t i = 0; i < kNew; ++i) {
    ASSERT_TRUE(DeliveryQueue(*store_).add(
        {{.id = "msg_new_" + std::to_string(i), .account = {1}, .type = "t", .body = "{}", .webhooks = {"wh_1"}}}));
  }
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file_path() + suffix);
  make_old_file();
  open();
  move();
  EXPECT_FALSE(has_file());
  EXPECT_EQ(deliveries_of("wh_1").size(), kOldDeliveries + kNew);
}

TEST_F(WebhookMoveTest, a_store_without_either_is_done_at_once) {
  std::filesystem::remove(file_path());
  store_ = nullptr;
  for (const char* suffix : {"", "-wal", "-shm", "-commit", "-revoked"}) std::filesystem::remove(store_path() + suffix);
  open();
  int steps = 0;
  ASSERT_TRUE(move_webhooks(*store_, file_path(), {.after_each = [&] -> Result<> {
    steps += 1;
    return {};
  }}));
  EXPECT_EQ(steps, 1);
  EXPECT_FALSE(has_file());
}

}  // namespace
}  // namespace syncline::webhooks
