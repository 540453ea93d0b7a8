// Accounts and keys on a real file: when the disk is full, when rows are damaged, and what it costs with many keys.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "service/access.hpp"
#include "service/pull_progress.hpp"
#include "service/sessions.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"

namespace syncline {
namespace {

class AccessOnDiskTest : public testing::Test {
 protected:
  void open(std::int64_t bytes_max = 0) {
    access_.reset();
    store_ = nullptr;
    auto opened = SqliteStore::open(path_, clock_, {.file_bytes_max = bytes_max});
    ASSERT_TRUE(opened) << opened.error().text;
    store_ = *std::move(opened);
    access_.emplace(*store_, clock_);
  }

  /// Until nothing more goes in, not even a small row.
  void fill() {
    for (std::size_t bytes = 100'000; bytes > 10; bytes /= 4) {
      for (int i = 0;; ++i) {
        ASSERT_LT(i, 10'000);
        const auto written = write_and_wait(*store_, {{1}, "s"}, {}, [&](Txn& txn) -> Result<> {
          Record record;
          record.collection = "c";
          record.id = std::to_string(bytes) + '/' + std::to_string(i);
          record.doc = std::string(bytes, 'x');
          record.updated_at = record.effective_at = txn.stamp();
          txn.put(std::move(record), nullptr);
          return {};
        });
        if (written) continue;
        ASSERT_EQ(written.error().code, ErrorCode::storage_full) << written.error().text;
        break;
      }
    }
  }

  NewKey add_key(ScopeSet scopes = {Scope::read}) {
    auto made = access_->add_key("ann@example.org", "laptop", scopes, std::nullopt);
    EXPECT_TRUE(made) << made.error().text;
    return *made;
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/syncline.db";
  std::unique_ptr<SqliteStore> store_;
  std::optional<Access> access_;
};

constexpr std::int64_t kSmall = 1L << 20U;

TEST_F(AccessOnDiskTest, a_key_can_be_revoked_and_listed_on_a_full_disk) {
  open(kSmall);
  ASSERT_TRUE(access_->add_account("ann@example.org", Plan::pro));
  // Enough rows that storing a revocation needs new pages.
  std::vector<NewKey> keys;
  keys.reserve(200);
  for (int i = 0; i < 200; ++i) keys.push_back(add_key());
  for (const NewKey& key : keys) ASSERT_TRUE(access_->authenticate(key.token));
  fill();

  const auto listed = access_->keys(std::nullopt);
  ASSERT_TRUE(listed) << listed.error().text;
  EXPECT_EQ(listed->front().last_used_at, clock_.now());
  bool is_reserve_used = false;
  for (const NewKey& key : keys) {
    const auto revoked = access_->revoke_key(key.key.id);
    ASSERT_TRUE(revoked) << revoked.error().text;
    EXPECT_TRUE(revoked->revoked_at);
    EXPECT_FALSE(access_->authenticate(key.token));
    std::ifstream reserve(path_ + "-revoked", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(reserve), {}};
    is_reserve_used = is_reserve_used || bytes.find_first_not_of('\0') != std::string::npos;
  }
  EXPECT_TRUE(is_reserve_used) << "the disk was not full";

  EXPECT_TRUE(access_->audit().has_waiting());
  open(kSmall);
  for (const NewKey& key : keys) EXPECT_FALSE(access_->authenticate(key.token)) << "after a restart, still full";
  open();
  ASSERT_TRUE(access_->audit().adopt_reserve());
  ASSERT_TRUE(access_->add_account("bob@example.org", Plan::pro)) << "any write stores what the reserve has";
  const auto logged = access_->audit().list({.account = {}, .action = "key.revoked", .since = {}, .limit = 1000});
  ASSERT_TRUE(logged);
  std::set<std::string> logged_keys;
  for (const AuditEntry& entry : logged->entries) logged_keys.insert(entry.event.target);
  EXPECT_EQ(logged->entries.size(), keys.size()) << "each revocation has one entry, whoever could store it";
  EXPECT_EQ(logged_keys.size(), keys.size());
  EXPECT_EQ(access_->audit().verify()->fault, "");
  EXPECT_TRUE(store_->directory().revoked_in_reserve()->empty());
  store_ = nullptr;
  std::filesystem::remove(path_ + "-revoked");
  open();
  for (const NewKey& key : keys) EXPECT_FALSE(access_->authenticate(key.token)) << "from its row";
}

TEST_F(AccessOnDiskTest, a_session_ends_with_a_key_that_is_revoked_in_the_reserve) {
  open();
  ASSERT_TRUE(access_->add_account("ann@example.org", Plan::pro));
  const NewKey key = add_key();
  KeyRow session{.number = {77},
                 .account = {1},
                 .parent = key.key.number,
                 .token_hash = std::string(32, 's'),
                 .created_at = clock_.now(),
                 .revoked_at = {},
                 .ends_at = {},
                 .last_used_at = {},
                 .doc = R"({"label":"l","scopes":"read"})"};
  ASSERT_TRUE(store_->directory().write([&](DirectoryTxn& txn) { return txn.put_key(session); }));
  Principal device{.account = {1}, .key = {77}, .opened_with = key.key.number, .key_id = "k77"};
  ASSERT_TRUE(access_->check_still(device, {}));

  ASSERT_TRUE(store_->directory().read([&](DirectoryView& view) -> Result<> {
    TRY(const auto row, view.find_key(key.key.number));
    return store_->directory().revoke_in_reserve(*row, clock_.now());
  }));

  EXPECT_EQ(access_->check_still(device, {}).error().code, ErrorCode::unauthorized);
}

TEST_F(AccessOnDiskTest, a_damaged_row_is_said_to_be_damaged_and_never_believed) {
  open();
  ASSERT_TRUE(access_->add_account("ann@example.org", Plan::pro));
  const NewKey key = add_key();
  const NewKey other = add_key();
  access_.reset();
  store_ = nullptr;
  {
    auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
    ASSERT_TRUE(
        file.execute("UPDATE api_key SET doc = CAST(replace(CAST(doc AS TEXT), 'read', 'admi') AS BLOB) "
                     "WHERE number = " +
                     std::to_string(key.key.number.value)));
  }
  open();
  EXPECT_EQ(access_->authenticate(key.token).error().code, ErrorCode::damaged);
  EXPECT_TRUE(access_->authenticate(other.token));
  EXPECT_EQ(access_->keys(std::nullopt)->size(), 1U);
  const auto problems = store_->verify();
  ASSERT_TRUE(problems);
  ASSERT_EQ(problems->size(), 1U);
  EXPECT_NE(problems->front().find("key " + std::to_string(key.key.number.value)), std::string::npos);
}

TEST_F(AccessOnDiskTest, a_lost_revocation_is_noticed_as_a_lost_commit) {
  open();
  ASSERT_TRUE(access_->add_account("ann@example.org", Plan::pro));
  const std::string epoch = store_->epoch();
  access_.reset();
  store_->close();
  store_ = nullptr;
  std::filesystem::copy_file(path_, path_ + ".old");
  open();
  ASSERT_EQ(store_->epoch(), epoch);
  const NewKey key = add_key();
  ASSERT_TRUE(access_->revoke_key(key.key.id));
  access_.reset();
  store_ = nullptr;
  std::filesystem::rename(path_ + ".old", path_);
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  open();
  EXPECT_NE(store_->epoch(), epoch);
}

/// SYNCLINE_KEYS sets how many are many; 200,000 take a second to make.
TEST_F(AccessOnDiskTest, revoking_logging_in_and_progress_cost_the_same_with_many_keys) {
  const char* wanted = std::getenv("SYNCLINE_KEYS");
  const std::int64_t many = wanted != nullptr ? parse_integer(wanted).value_or(0) : 20'000;
  open();
  ASSERT_TRUE(access_->add_account("ann@example.org", Plan::pro));
  Sessions sessions(*store_, *access_, clock_);
  PullProgress progress(*store_);
  ASSERT_TRUE(sessions.set_password("ann@example.org", "correct horse"));
  const auto median_ms = [](auto&& run) {
    std::vector<double> times;
    for (int i = 0; i < 21; ++i) {
      const auto start = std::chrono::steady_clock::now();
      run(i);
      times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
    std::ranges::nth_element(times, times.begin() + 10);
    return times[10];
  };
  struct Costs {
    double revoke, log_in, progress, authenticate;
  };
  const auto measure = [&](std::int64_t round) {
    std::vector<NewKey> keys;
    keys.reserve(21);
    for (int i = 0; i < 21; ++i) keys.push_back(add_key());
    Costs costs{};
    costs.authenticate =
        median_ms([&](int i) { EXPECT_TRUE(access_->authenticate(keys.at(static_cast<std::size_t>(i)).token)); });
    costs.revoke =
        median_ms([&](int i) { EXPECT_TRUE(access_->revoke_key(keys.at(static_cast<std::size_t>(i)).key.id)); });
    costs.log_in = median_ms([&](int) { EXPECT_TRUE(sessions.log_in("ann@example.org", "correct horse", "-")); });
    costs.progress = median_ms([&](int i) {
      progress.note({i + 1}, {{1}, "s"}, Seq{round + i});
      EXPECT_TRUE(progress.save());
    });
    return costs;
  };
  const Costs few = measure(1);
  constexpr std::int64_t kEach = 10'000;
  for (std::int64_t at = 0; at < many; at += kEach) {
    ASSERT_TRUE(store_->directory().write([&](DirectoryTxn& txn) -> Result<> {
      for (std::int64_t i = at; i < at + kEach; ++i) {
        TRY(const KeyNumber number, txn.next_key_number());
        // Ann's own are the hardest case: they are in her list.
        CHECK_OK(txn.put_key({.number = number,
                              .account = {i % 2 == 0 ? 1 : 2 + i % 1000},
                              .parent = {},
                              .token_hash = std::string(as_text(sha256(std::to_string(i)))),
                              .created_at = clock_.now(),
                              .revoked_at = {},
                              .ends_at = {},
                              .last_used_at = {},
                              .doc = R"({"label":"l","scopes":"read,write"})"}));
        CHECK_OK(txn.put_pulled({number, {{1}, "s"}, Seq{i}}));
      }
      return {};
    }));
  }
  const Costs with_many = measure(1000);
  const auto print = [](std::string_view what, double before, double after) {
    std::printf("  %-22.*s %8.3f ms %8.3f ms\n", static_cast<int>(what.size()), what.data(), before, after);
  };
  std::printf("  %-22s %11s %11s\n", "median of 21", "10 keys", (std::to_string(many) + " keys").c_str());
  print("key revoke", few.revoke, with_many.revoke);
  print("login", few.log_in, with_many.log_in);
  print("progress", few.progress, with_many.progress);
  print("authenticate, uncached", few.authenticate, with_many.authenticate);
  // A scan of the keys would cost a hundred times as much; a disk and its neighbours may cost three times as much.
  EXPECT_LT(with_many.revoke, 4 * few.revoke + 5);
  EXPECT_LT(with_many.log_in, 4 * few.log_in + 5);
  EXPECT_LT(with_many.progress, 4 * few.progress + 5);
  EXPECT_LT(with_many.authenticate, 4 * few.authenticate + 5);
}

}  // namespace
}  // namespace syncline
