// Stores that kept accounts and keys as records, as version 0.4 wrote them: whoever had access before has it
// afterwards.
#include "service/directory_move.hpp"

#include <gtest/gtest.h>

#include "base/password.hpp"
#include "service/access_records.hpp"
#include "service/device_keys.hpp"
#include "service/pull_progress.hpp"
#include "service/request_meter.hpp"
#include "service/sessions.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"
#include "support/system_records.hpp"

namespace syncline {
namespace {

const std::string kAnnsHash = access::hash_of("YOUR_TOKEN");

class DirectoryMoveTest : public testing::Test {
 protected:
  DirectoryMoveTest() {
    open();
    token_ = access::make_token("k1");
    session_ = access::make_token("k3");
    refresh_ = access::make_token("k3");
    device_ = access::make_token("k5");
    put("accounts", "ann@example.org",
        R"({"number":1,"email":"ann@example.org","plan":"pro","plan_label":"sync_ai","created_at":"2026-11-01T00:00:00Z","ai_cap":5})");
    put("accounts", "bob@example.org",
        R"({"number":3,"email":"bob@example.org","plan":"free","plan_label":"","created_at":"2026-11-02T00:00:00Z"})");
    put("keys", "k1", key("1", "bob@example.org", "read,admin", access::hash_of(token_)));
    put("keys", "k2", key("2", "ann@example.org", "read", kAnnsHash, R"(,"revoked_at":"2026-11-04T00:00:00Z")"));
    put("keys", "k3",
        key("3", "ann@example.org", "read,write,keys", access::hash_of(session_),
            R"(,"expires_at":")" + format_time(later(3600)) + R"(","refresh_hash":")" + access::hash_of(refresh_) +
                R"(","refresh_expires_at":")" + format_time(later(7200)) + '"'));
    put("keys", "k4", key("4", "ann@example.org", "read,write", kAnnsHash, R"(,"prefix":"YOUR","agent":"claire")"));
    put("keys", "k5",
        key("5", "ann@example.org", "read,write", access::hash_of(device_),
            R"(,"expires_at":")" + format_time(later(3600)) + R"(","parent":"k4","agent":"claire")"));
    put("keys", "k6", key("6", "gone@example.org", "read", access::hash_of("of nobody")));
    put("tokens", kAnnsHash, R"({"key":"k4"})");
    put("key_usage", "k1", R"({"last_used_at":"2026-11-05T00:00:00.000007Z"})");
    put("counters", "account", R"({"last":4})");
    put("counters", "key", R"({"last":9})");
    put("passwords", "ann@example.org", R"({"hash":")" + *hash_password("correct horse") + "\"}");
    put("resets", access::hash_of("slreset_x"),
        R"({"email":"ann@example.org","account":1,"expires_at":")" + format_time(later(600)) + "\"}");
    put("api_keys", "ann@example.org", R"({"key":"k4"})");
    put("pull_progress", "4/1/kernle/claire", "17");
    put("request_usage", "1",
        R"({"day":")" + format_time(clock_.now()).substr(0, 10) + R"(","today":3,"this_month":8})");
    put("webhooks", "wh_1", "{}");
  }

  void open() {
    store_ = nullptr;
    auto opened = SqliteStore::open(directory_.path() + "/syncline.db", clock_, {});
    ASSERT_TRUE(opened);
    store_ = *std::move(opened);
  }

  Timestamp later(std::int64_t seconds) const { return clock_.now().plus_micros(seconds * kMicrosPerSecond); }

  static std::string key(const std::string& number, const std::string& account, const std::string& scopes,
                         const std::string& hash, const std::string& more = "") {
    return R"({"number":)" + number + R"(,"account":")" + account + R"(","label":"laptop","scopes":")" + scopes +
           R"(","hash":")" + hash + R"(","created_at":"2026-11-03T00:00:00Z")" + more + "}";
  }

  void put(const std::string& collection, const std::string& id, const std::string& doc) {
    test::put_system_record(*store_, collection, id, doc);
  }

  std::vector<std::string> live_records() { return test::live_system_records(*store_); }

  void move() {
    const auto moved = move_to_directory(*store_);
    ASSERT_TRUE(moved) << moved.error().text;
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  test::TemporaryDirectory directory_;
  std::unique_ptr<SqliteStore> store_;
  std::string token_, session_, refresh_, device_;
};

TEST_F(DirectoryMoveTest, whoever_had_access_has_it_and_nobody_else) {
  move();
  open();
  Access access(*store_, clock_);
  const auto bob = access.authenticate(token_);
  ASSERT_TRUE(bob);
  EXPECT_EQ((*bob)->email, "bob@example.org");
  EXPECT_EQ((*bob)->account, AccountNumber{3});
  const auto ann = access.authenticate("YOUR_TOKEN");
  ASSERT_TRUE(ann);
  EXPECT_EQ((*ann)->key_id, "k4");
  EXPECT_EQ((*ann)->agent, "claire");
  EXPECT_EQ((*ann)->plan_label, "sync_ai");
  EXPECT_EQ((*ann)->ai_cap, 5);
  EXPECT_TRUE(access.authenticate(session_));
  ASSERT_TRUE(access.authenticate(device_));
  EXPECT_EQ(access.authenticate("of nobody").error().code, ErrorCode::unauthorized);
  ASSERT_TRUE(access.revoke_key("k4"));
  EXPECT_FALSE(access.authenticate(device_)) << "a session ends with its key";
}

TEST_F(DirectoryMoveTest, passwords_sessions_and_reset_tokens_work) {
  move();
  Access access(*store_, clock_);
  Sessions sessions(*store_, access, clock_);
  EXPECT_TRUE(sessions.log_in("ann@example.org", "correct horse", "-"));
  EXPECT_TRUE(sessions.refresh(refresh_));
  const auto key = access.authenticate("YOUR_TOKEN");
  ASSERT_TRUE(key);
  ASSERT_TRUE(sessions.replace_api_key(**key, "new"));
  EXPECT_FALSE(access.authenticate("YOUR_TOKEN")) << "it was the key that POST /auth/api-key replaces";
  ASSERT_TRUE(sessions.reset_password("slreset_x", "another one", std::nullopt, "-"));
  EXPECT_FALSE(sessions.log_in("ann@example.org", "correct horse", "-"));
}

TEST_F(DirectoryMoveTest, what_was_known_of_keys_and_accounts_is_known) {
  move();
  Access access(*store_, clock_);
  const auto keys = access.keys("bob@example.org");
  ASSERT_TRUE(keys && keys->size() == 1);
  EXPECT_EQ(keys->front().last_used_at, parse_time("2026-11-05T00:00:00.000007Z").value());
  EXPECT_EQ(keys->front().created_at, parse_time("2026-11-03T00:00:00Z").value());
  EXPECT_EQ(access.keys("ann@example.org")->front().revoked_at, parse_time("2026-11-04T00:00:00Z").value());
  PullProgress progress(*store_);
  EXPECT_EQ(progress.seen_through({4}, {{1}, "kernle/claire"})->value, 17);
  RequestMeter meter(*store_, clock_);
  ASSERT_TRUE(meter.load());
  EXPECT_EQ(meter.usage({1}).this_month, 8);
  EXPECT_EQ(access.add_account("new@example.org", Plan::pro)->number, AccountNumber{5}) << "4 was used before";
  EXPECT_EQ(access.add_key("new@example.org", "x", {Scope::read}, std::nullopt)->key.id, "k10");
}

TEST_F(DirectoryMoveTest, the_oldest_account_with_an_admin_key_becomes_the_admin) {
  move();
  Access access(*store_, clock_);
  EXPECT_EQ(access.get_account("bob@example.org")->role, Role::admin);
  EXPECT_EQ(access.get_account("ann@example.org")->role, Role::member);
  EXPECT_TRUE((*access.authenticate(token_))->scopes.has(Scope::admin));
}

TEST_F(DirectoryMoveTest, the_records_are_deleted_and_others_stay) {
  move();
  EXPECT_EQ(live_records(), (std::vector<std::string>{"webhooks/wh_1"}));
}

TEST_F(DirectoryMoveTest, a_move_that_ended_before_the_deletion_goes_on_and_moves_nothing_again) {
  const auto before = live_records();
  move();
  Access access(*store_, clock_);
  ASSERT_TRUE(access.revoke_key("k1"));
  ASSERT_TRUE(store_->directory().write([](DirectoryTxn& txn) { return txn.put_mark("moved_from_records", 1); }));
  put("keys", "k7", key("7", "ann@example.org", "read", access::hash_of("left over")));
  open();
  move();
  EXPECT_EQ(live_records(), (std::vector<std::string>{"webhooks/wh_1"}));
  Access again(*store_, clock_);
  EXPECT_FALSE(again.authenticate(token_)) << "it was revoked after the move";
  EXPECT_FALSE(again.authenticate("left over"));
}

TEST_F(DirectoryMoveTest, a_move_that_fails_leaves_everything_as_it_was) {
  put("accounts", "twice@example.org",
      R"({"number":1,"email":"twice@example.org","plan":"pro","plan_label":"","created_at":"2026-11-01T00:00:00Z"})");
  const auto before = live_records();
  store_->close();
  EXPECT_FALSE(move_to_directory(*store_));
  open();
  EXPECT_EQ(live_records(), before);
  EXPECT_FALSE(Access(*store_, clock_).authenticate(token_));
}

}  // namespace
}  // namespace syncline
