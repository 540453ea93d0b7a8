#include "service/access.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "store/memory/memory_store.hpp"
#include "support/failing_store.hpp"
#include "support/proving_store.hpp"

namespace syncline {
namespace {

class AccessTest : public testing::Test {
 protected:
  AccessTest() { EXPECT_TRUE(access_.add_account("Ann@Example.org", Plan::pro)); }

  NewKey add_key(ScopeSet scopes = {Scope::read}, std::optional<std::string_view> token = std::nullopt) {
    auto made = access_.add_key("ann@example.org", "laptop", scopes, token);
    EXPECT_TRUE(made) << made.error().text;
    return *made;
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  MemoryStore memory_{clock_, "e"};
  test::TwiceStore twice_{memory_};  // every write function may run again
  test::FailingStore store_{twice_};
  int changes_ = 0;
  Access access_{store_, clock_, {.on_change = [this] { ++changes_; }}};
};

TEST_F(AccessTest, a_key_identifies_its_account_and_scopes) {
  const NewKey made = add_key({Scope::read, Scope::commands_run});

  const auto principal = access_.authenticate(made.token);

  ASSERT_TRUE(principal);
  EXPECT_EQ((*principal)->email, "ann@example.org");
  EXPECT_EQ((*principal)->plan, Plan::pro);
  EXPECT_TRUE((*principal)->scopes.has(Scope::commands_run));
  EXPECT_FALSE((*principal)->scopes.has(Scope::write));
}

TEST_F(AccessTest, stores_only_the_hash_of_a_token) {
  const NewKey made = add_key();
  const std::string secret = made.token.substr(made.token.size() - 51);
  EXPECT_TRUE(store_.directory().read([&](DirectoryView& view) {
    return view.keys(std::nullopt, [&](const KeyRow& row) {
      EXPECT_EQ(row.doc.find(secret), std::string::npos);
      EXPECT_EQ(row.token_hash, as_text(sha256(made.token)));
      return true;
    });
  }));
}

TEST_F(AccessTest, a_revoked_key_stops_working_at_once_even_if_cached) {
  const NewKey made = add_key();
  const auto principal = *access_.authenticate(made.token);
  changes_ = 0;

  ASSERT_TRUE(access_.revoke_key(made.key.id));

  EXPECT_EQ(access_.authenticate(made.token).error().code, ErrorCode::unauthorized);
  EXPECT_EQ(access_.check_still(*principal, {}).error().code, ErrorCode::unauthorized);
  EXPECT_EQ(changes_, 1);
}

TEST_F(AccessTest, no_mutated_token_is_accepted) {
  const std::string token = add_key().token;
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'a', 'Z', '0', '_', '\xff'}) {
      std::string mutated = token;
      if (mutated[i] == c) continue;
      mutated[i] = c;
      EXPECT_FALSE(access_.authenticate(mutated)) << mutated;
    }
    EXPECT_FALSE(access_.authenticate(token.substr(0, i)));
  }
  EXPECT_FALSE(access_.authenticate(token + "0"));
  EXPECT_TRUE(access_.authenticate(token));
}

TEST_F(AccessTest, a_custom_token_works_and_must_be_unique) {
  const NewKey made = add_key({Scope::read}, "YOUR_TOKEN");
  EXPECT_EQ(made.token, "YOUR_TOKEN");
  EXPECT_TRUE(access_.authenticate("YOUR_TOKEN"));
  EXPECT_EQ(access_.add_key("ann@example.org", "x", {Scope::read}, "YOUR_TOKEN").error().code, ErrorCode::conflict);
  ASSERT_TRUE(access_.revoke_key(made.key.id));
  EXPECT_FALSE(access_.authenticate("YOUR_TOKEN"));
  add_key({Scope::read}, "YOUR_TOKEN");
  EXPECT_TRUE(access_.authenticate("YOUR_TOKEN"));
}

TEST_F(AccessTest, rejects_invalid_accounts_and_keys) {
  EXPECT_EQ(access_.add_account("ann@example.org", Plan::free).error().code, ErrorCode::conflict);
  EXPECT_EQ(access_.add_account("nobody", Plan::free).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(access_.add_key("bob@example.org", "x", {Scope::read}, std::nullopt).error().code, ErrorCode::not_found);
  EXPECT_EQ(access_.add_key("ann@example.org", "", {Scope::read}, std::nullopt).error().code,
            ErrorCode::invalid_argument);
  EXPECT_EQ(access_.add_key("ann@example.org", "x", {}, std::nullopt).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(access_.add_key("ann@example.org", "x", {Scope::read}, "short").error().code, ErrorCode::invalid_argument);
  EXPECT_FALSE(parse_scopes("read,everything"));
}

TEST_F(AccessTest, the_only_admin_among_others_cannot_be_removed) {
  ASSERT_TRUE(access_.add_account("bob@example.org", Plan::free));
  EXPECT_EQ(access_.remove_account("ann@example.org").error().code, ErrorCode::conflict);
  ASSERT_TRUE(access_.set_role("bob@example.org", Role::admin));
  EXPECT_TRUE(access_.remove_account("ann@example.org"));
  EXPECT_TRUE(access_.remove_account("bob@example.org")) << "the last account leaves nobody without an admin";
}

TEST_F(AccessTest, removing_an_account_revokes_its_keys) {
  const NewKey made = add_key();
  const auto principal = *access_.authenticate(made.token);
  ASSERT_TRUE(access_.remove_account("ann@example.org"));
  EXPECT_FALSE(access_.authenticate(made.token));
  EXPECT_EQ(access_.check_still(*principal, {}).error().code, ErrorCode::unauthorized);
  EXPECT_TRUE(access_.accounts()->empty());
  const auto again = access_.add_account("ann@example.org", Plan::free);
  EXPECT_NE(again->number, principal->account) << "numbers are not used twice";
}

TEST_F(AccessTest, reports_when_a_key_was_last_used) {
  const NewKey made = add_key();
  EXPECT_FALSE(access_.keys(std::nullopt)->front().last_used_at);
  ASSERT_TRUE(access_.authenticate(made.token));
  EXPECT_EQ(access_.keys(std::nullopt)->front().last_used_at, clock_.now());
}

TEST_F(AccessTest, usage_that_could_not_be_written_is_written_later) {
  const NewKey made = add_key();
  ASSERT_TRUE(access_.authenticate(made.token));
  const Timestamp used_at = clock_.now();
  clock_.advance_micros(kMicrosPerSecond);
  store_.fail_reads_after(0);
  EXPECT_FALSE(access_.store_usage());
  store_.stop_failing();
  ASSERT_TRUE(access_.store_usage());
  EXPECT_EQ(access_.keys(std::nullopt)->front().last_used_at, used_at);
}

TEST_F(AccessTest, a_store_that_cannot_be_read_says_nothing_of_a_key) {
  const NewKey made = add_key();
  const auto principal = *access_.authenticate(made.token);
  const NewKey other = add_key();
  store_.fail_reads_after(0);
  EXPECT_EQ(access_.authenticate(other.token).error().code, ErrorCode::storage_damaged);
  EXPECT_EQ(access_.check_still(*principal, {}).error().code, ErrorCode::storage_damaged);
  EXPECT_EQ(access_.find_account("ann@example.org").error().code, ErrorCode::storage_damaged);
  EXPECT_EQ(access_.label_of(made.key.number).error().code, ErrorCode::storage_damaged);
}

}  // namespace
}  // namespace syncline
