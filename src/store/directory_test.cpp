// What every directory must do, in the words of directory.hpp. Each test runs against each implementation.
#include "store/directory.hpp"

#include <gtest/gtest.h>

#include "support/directory_fixture.hpp"

namespace syncline {
namespace {

using Numbers = std::vector<std::int64_t>;
constexpr AccountNumber kFirstAccount{1};
constexpr AccountNumber kSecondAccount{2};
const std::string kToken(32, 't');

AccountRow account_row(AccountNumber number, const std::string& email) {
  return {.number = number,
          .email = email,
          .created_at = Timestamp{7},
          .password = std::string("\0hash", 5),
          .api_key = KeyNumber{3},
          .doc = R"({"plan":"pro"})"};
}

KeyRow key_row(std::int64_t number, AccountNumber account, std::int64_t parent = 0, std::int64_t ends_at = 0) {
  return {.number = {number},
          .account = account,
          .parent = {parent},
          .token_hash = kToken.substr(1) + static_cast<char>(number),
          .created_at = Timestamp{number},
          .revoked_at = {},
          .ends_at = ends_at > 0 ? std::optional(Timestamp{ends_at}) : std::nullopt,
          .last_used_at = {},
          .doc = "{}"};
}

class DirectoryTest : public test::DirectoryFixture {
 protected:
  void put_key(const KeyRow& key) {
    write([&](DirectoryTxn& txn) { return txn.put_key(key); });
  }
  std::optional<KeyRow> find_key(std::int64_t number) {
    std::optional<KeyRow> found;
    read([&](DirectoryView& view) -> Result<> {
      TRY(found, view.find_key({number}));
      return {};
    });
    return found;
  }
  template <typename List>
  Numbers numbers(const List& list) {
    Numbers found;
    read([&](DirectoryView& view) {
      found.clear();
      return list(view, [&](const KeyRow& row) {
        found.push_back(row.number.value);
        return true;
      });
    });
    return found;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, DirectoryTest, test::all_directories(), test::store_name);

TEST_P(DirectoryTest, an_account_comes_back_as_it_was_put) {
  write([](DirectoryTxn& txn) { return txn.put_account(account_row(kFirstAccount, "ann@example.org")); });
  read([](DirectoryView& view) -> Result<> {
    TRY(const auto by_number, view.find_account(kFirstAccount));
    TRY(const auto by_email, view.find_account_by_email("ann@example.org"));
    TRY(const auto other, view.find_account_by_email("bob@example.org"));
    EXPECT_TRUE(by_number && by_email && !other);
    if (!by_email) return {};
    EXPECT_EQ(by_email->number, kFirstAccount);
    EXPECT_EQ(by_email->password, std::string("\0hash", 5));
    EXPECT_EQ(by_email->api_key, KeyNumber{3});
    EXPECT_EQ(by_email->created_at, Timestamp{7});
    EXPECT_EQ(by_email->doc, R"({"plan":"pro"})");
    return {};
  });
}

TEST_P(DirectoryTest, an_address_belongs_to_one_account) {
  write([](DirectoryTxn& txn) { return txn.put_account(account_row(kFirstAccount, "ann@example.org")); });
  const auto second = directory().write(
      [](DirectoryTxn& txn) { return txn.put_account(account_row(kSecondAccount, "ann@example.org")); });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
}

TEST_P(DirectoryTest, a_failing_write_changes_nothing) {
  const auto failed = directory().write([](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(txn.put_key(key_row(1, kFirstAccount)));
    TRY(const auto own, txn.find_key({1}));
    EXPECT_TRUE(own) << "a write sees its own changes";
    return fail(ErrorCode::conflict, "no");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().text, "no");
  EXPECT_FALSE(find_key(1));
}

TEST_P(DirectoryTest, numbers_are_not_used_twice) {
  std::int64_t first = 0;
  std::int64_t second = 0;
  for (std::int64_t* number : {&first, &second}) {
    write([&](DirectoryTxn& txn) -> Result<> {
      TRY(const KeyNumber next, txn.next_key_number());
      *number = next.value;
      CHECK_OK(txn.put_key(key_row(next.value, kFirstAccount)));
      return txn.remove_key(next);
    });
  }
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
}

TEST_P(DirectoryTest, keys_are_listed_by_account_parent_and_end) {
  for (const KeyRow& row : {key_row(1, kFirstAccount), key_row(2, kSecondAccount), key_row(3, kFirstAccount, 1, 300),
                            key_row(4, kFirstAccount, 1, 200), key_row(5, kSecondAccount, 2, 100)}) {
    put_key(row);
  }
  const auto of = [this](std::optional<AccountNumber> account) {
    return numbers([&](DirectoryView& view, const KeyVisitor& visit) { return view.keys(account, visit); });
  };
  EXPECT_EQ(of(std::nullopt), (Numbers{1, 2, 3, 4, 5}));
  EXPECT_EQ(of(kFirstAccount), (Numbers{1, 3, 4}));
  EXPECT_EQ(numbers([](DirectoryView& view, const KeyVisitor& visit) { return view.keys_opened_with({1}, visit); }),
            (Numbers{3, 4}));
  EXPECT_EQ(numbers([](DirectoryView& view, const KeyVisitor& visit) { return view.keys_that_end({200}, visit); }),
            (Numbers{5, 4}));
}

TEST_P(DirectoryTest, the_newest_key_of_a_token_is_found) {
  KeyRow revoked = key_row(1, kFirstAccount);
  revoked.token_hash = kToken;
  revoked.revoked_at = Timestamp{5};
  put_key(revoked);
  KeyRow standing = key_row(2, kFirstAccount);
  standing.token_hash = kToken;
  put_key(standing);
  read([](DirectoryView& view) -> Result<> {
    TRY(const auto found, view.find_key_by_token(kToken));
    EXPECT_EQ(found.value_or(KeyRow{}).number, KeyNumber{2});
    TRY(const auto none, view.find_key_by_token(std::string(32, 'x')));
    EXPECT_FALSE(none);
    return {};
  });
}

TEST_P(DirectoryTest, when_a_key_was_used_stays_when_the_key_changes) {
  put_key(key_row(1, kFirstAccount));
  write([](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(txn.set_last_used({1}, Timestamp{50}));
    CHECK_OK(txn.set_last_used({1}, Timestamp{40}));
    return txn.set_last_used({9}, Timestamp{50});
  });
  put_key(key_row(1, kSecondAccount));
  EXPECT_EQ(find_key(1)->account, kSecondAccount);
  EXPECT_EQ(find_key(1)->last_used_at, Timestamp{50});
  EXPECT_FALSE(find_key(9));
}

TEST_P(DirectoryTest, progress_only_rises) {
  const SpaceName notes{kFirstAccount, "notes"};
  write([&](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(txn.put_pulled({{1}, notes, Seq{7}}));
    return txn.put_pulled({{1}, notes, Seq{5}});
  });
  read([&](DirectoryView& view) -> Result<> {
    TRY(const Seq known, view.find_pulled({1}, notes));
    TRY(const Seq other, view.find_pulled({2}, notes));
    EXPECT_EQ(known, Seq{7});
    EXPECT_EQ(other, Seq{});
    return {};
  });
}

TEST_P(DirectoryTest, reset_tokens_go_with_their_account_and_their_time) {
  write([](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(txn.put_reset({std::string(32, 'a'), kFirstAccount, Timestamp{100}}));
    CHECK_OK(txn.put_reset({std::string(32, 'b'), kSecondAccount, Timestamp{200}}));
    CHECK_OK(txn.put_reset({std::string(32, 'c'), kSecondAccount, Timestamp{100}}));
    CHECK_OK(txn.remove_expired_resets(Timestamp{100}));
    return {};
  });
  const auto has = [this](char token) {
    bool found = false;
    read([&](DirectoryView& view) -> Result<> {
      TRY(const auto reset, view.find_reset(std::string(32, token)));
      found = reset.has_value();
      return {};
    });
    return found;
  };
  EXPECT_FALSE(has('a'));
  EXPECT_TRUE(has('b'));
  EXPECT_FALSE(has('c'));
  write([](DirectoryTxn& txn) { return txn.remove_resets_of(kSecondAccount); });
  EXPECT_FALSE(has('b'));
}

TEST_P(DirectoryTest, grants_are_found_by_owner_and_guest_and_go_with_either) {
  const SpaceName notes{kFirstAccount, "notes"};
  const SpaceName diary{kFirstAccount, "diary"};
  const SpaceName theirs{kSecondAccount, "notes"};
  constexpr AccountNumber kThird{3};
  write([&](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(txn.put_grant({notes, kThird, true, Timestamp{5}}));
    CHECK_OK(txn.put_grant({notes, kSecondAccount, true, Timestamp{5}}));
    CHECK_OK(txn.put_grant({diary, kThird, false, Timestamp{6}}));
    CHECK_OK(txn.put_grant({theirs, kThird, false, Timestamp{7}}));
    return txn.put_grant({notes, kSecondAccount, false, Timestamp{8}});
  });
  using Found = std::vector<std::string>;
  const auto list = [this](const auto& visit_all) {
    Found found;
    read([&](DirectoryView& view) {
      found.clear();
      return visit_all(view, [&](const GrantRow& row) {
        found.push_back(std::to_string(row.space.account.value) + row.space.name + std::to_string(row.guest.value) +
                        (row.may_write ? "w" : "r"));
        return true;
      });
    });
    return found;
  };
  const auto by = [&](AccountNumber owner) {
    return list([&](DirectoryView& view, const GrantVisitor& visit) { return view.grants_by(owner, visit); });
  };
  const auto to = [&](AccountNumber guest) {
    return list([&](DirectoryView& view, const GrantVisitor& visit) { return view.grants_to(guest, visit); });
  };
  EXPECT_EQ(by(kFirstAccount), (Found{"1diary3r", "1notes2r", "1notes3w"}));
  EXPECT_EQ(to(kThird), (Found{"1diary3r", "1notes3w", "2notes3r"}));
  read([&](DirectoryView& view) -> Result<> {
    TRY(const auto known, view.find_grant(notes, kSecondAccount));
    TRY(const auto none, view.find_grant(theirs, kFirstAccount));
    EXPECT_TRUE(known && !known->may_write && known->created_at == Timestamp{8});
    EXPECT_FALSE(none);
    return {};
  });
  write([&](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(txn.remove_grant(diary, kThird));
    CHECK_OK(txn.remove_grant(diary, kSecondAccount));
    return txn.erase_account(kSecondAccount);
  });
  EXPECT_EQ(by(kFirstAccount), (Found{"1notes3w"}));
  EXPECT_EQ(to(kThird), (Found{"1notes3w"}));
  write([&](DirectoryTxn& txn) { return txn.erase_account(kFirstAccount); });
  EXPECT_EQ(to(kThird), Found{});
}

TEST_P(DirectoryTest, an_erased_account_leaves_nothing) {
  write([](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(txn.put_account(account_row(kFirstAccount, "ann@example.org")));
    CHECK_OK(txn.put_key(key_row(1, kFirstAccount)));
    CHECK_OK(txn.put_key(key_row(2, kSecondAccount)));
    CHECK_OK(txn.put_pulled({{1}, {kSecondAccount, "notes"}, Seq{7}}));
    CHECK_OK(txn.put_pulled({{2}, {kFirstAccount, "notes"}, Seq{7}}));
    CHECK_OK(txn.put_reset({kToken, kFirstAccount, Timestamp{100}}));
    CHECK_OK(txn.put_usage({kFirstAccount, "2026-11-22", 1, 2}));
    return txn.erase_account(kFirstAccount);
  });
  read([](DirectoryView& view) -> Result<> {
    TRY(const auto account, view.find_account(kFirstAccount));
    TRY(const auto key, view.find_key({1}));
    TRY(const auto reset, view.find_reset(kToken));
    TRY(const Seq pulled, view.find_pulled({2}, {kFirstAccount, "notes"}));
    EXPECT_FALSE(account || key || reset);
    EXPECT_EQ(pulled, Seq{});
    return view.usage([](const UsageRow&) {
      ADD_FAILURE() << "usage";
      return true;
    });
  });
  EXPECT_TRUE(find_key(2));
}

TEST_P(DirectoryTest, a_revocation_in_the_reserve_is_seen_by_every_read_and_stored_by_the_next_write) {
  put_key(key_row(1, kFirstAccount));
  ASSERT_TRUE(directory().revoke_in_reserve(*find_key(1), Timestamp{90}));
  EXPECT_EQ(find_key(1)->revoked_at, Timestamp{90});
  EXPECT_EQ(directory().revoked_in_reserve().value(), std::vector{KeyNumber{1}});
  put_key(key_row(2, kFirstAccount));
  EXPECT_EQ(find_key(1)->revoked_at, Timestamp{90});
  EXPECT_TRUE(directory().revoked_in_reserve()->empty());
}

AuditRow audit_row(std::int64_t number) {
  return {.number = number,
          .at = Timestamp{number * 10},
          .actor = "ann@example.org",
          .account = "bob@example.org",
          .action = "key.revoked",
          .text = R"({"n":)" + std::to_string(number) + "}"};
}

TEST_P(DirectoryTest, entries_of_the_audit_log_are_listed_both_ways_and_removed_from_their_beginning) {
  write([](DirectoryTxn& txn) -> Result<> {
    for (std::int64_t number = 1; number <= 4; ++number) CHECK_OK(txn.add_audit(audit_row(number)));
    return {};
  });
  const auto list = [this](const auto& visit_all) {
    Numbers found;
    read([&](DirectoryView& view) {
      found.clear();
      return visit_all(view, [&](const AuditRow& row) {
        found.push_back(row.number);
        return found.size() < 3;
      });
    });
    return found;
  };
  const auto after = [&](std::int64_t number) {
    return list([=](DirectoryView& view, const AuditVisitor& visit) { return view.audit_after(number, visit); });
  };
  const auto before = [&](std::int64_t number) {
    return list([=](DirectoryView& view, const AuditVisitor& visit) { return view.audit_before(number, visit); });
  };
  EXPECT_EQ(after(0), (Numbers{1, 2, 3})) << "the visitor stops it";
  EXPECT_EQ(after(2), (Numbers{3, 4}));
  EXPECT_EQ(before(4), (Numbers{3, 2, 1}));
  EXPECT_EQ(before(1), Numbers{});
  write([](DirectoryTxn& txn) { return txn.remove_audit_through(2); });
  EXPECT_EQ(before(100), (Numbers{4, 3}));
  read([](DirectoryView& view) {
    return view.audit_after(3, [](const AuditRow& row) {
      EXPECT_EQ(row.at, Timestamp{40});
      EXPECT_EQ(row.actor, "ann@example.org");
      EXPECT_EQ(row.account, "bob@example.org");
      EXPECT_EQ(row.action, "key.revoked");
      EXPECT_EQ(row.text, R"({"n":4})");
      return true;
    });
  });
}

TEST_P(DirectoryTest, an_entry_of_the_audit_log_is_not_replaced) {
  write([](DirectoryTxn& txn) { return txn.add_audit(audit_row(1)); });
  EXPECT_FALSE(directory().write([](DirectoryTxn& txn) { return txn.add_audit(audit_row(1)); }));
}

TEST_P(DirectoryTest, the_ends_of_the_audit_log_come_back_as_they_were_put) {
  read([](DirectoryView& view) -> Result<> {
    TRY(const auto none, view.find_audit_ends());
    EXPECT_FALSE(none);
    return {};
  });
  write([](DirectoryTxn& txn) { return txn.put_audit_ends({.last = {1, "x"}, .purged = {0, "y"}}); });
  write([](DirectoryTxn& txn) { return txn.put_audit_ends({.last = {7, "aa"}, .purged = {3, "bb"}}); });
  read([](DirectoryView& view) -> Result<> {
    TRY(const auto ends, view.find_audit_ends());
    EXPECT_TRUE(ends);
    if (!ends) return {};
    EXPECT_EQ(ends->last.count, 7);
    EXPECT_EQ(ends->last.hash, "aa");
    EXPECT_EQ(ends->purged.count, 3);
    EXPECT_EQ(ends->purged.hash, "bb");
    return {};
  });
}

TEST_P(DirectoryTest, a_read_may_be_made_inside_a_write_of_a_space) {
  put_key(key_row(1, kFirstAccount));
  bool found = false;
  StoreFixture::write([&](Txn&) -> Result<> {
    found = find_key(1).has_value();
    return {};
  });
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace syncline
