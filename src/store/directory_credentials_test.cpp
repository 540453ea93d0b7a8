// What every directory must do with what people sign in with, in the words of directory.hpp. Each test runs against
// each implementation.
#include <gtest/gtest.h>

#include "store/directory.hpp"
#include "support/directory_fixture.hpp"

namespace syncline {
namespace {

using CredentialNumbers = std::vector<std::int64_t>;
constexpr AccountNumber kAnnsAccount{1};
constexpr AccountNumber kBobsAccount{2};

class DirectoryCredentialsTest : public test::DirectoryFixture {};

INSTANTIATE_TEST_SUITE_P(Stores, DirectoryCredentialsTest, test::all_directories(), test::store_name);

TEST_P(DirectoryCredentialsTest, a_passkey_is_found_by_its_credential_and_listed_by_its_account) {
  const auto passkey = [](std::int64_t number, AccountNumber account, const std::string& credential) {
    return PasskeyRow{{number}, account, credential, Timestamp{number}, R"({"label":"phone"})"};
  };
  const std::string credential("\0cred", 5);
  write([&](DirectoryTxn& txn) -> Result<> {
    TRY(const PasskeyNumber first, txn.next_passkey_number());
    EXPECT_EQ(first, PasskeyNumber{1});
    CHECK_OK(txn.put_passkey(passkey(1, kAnnsAccount, credential)));
    CHECK_OK(txn.put_passkey(passkey(2, kBobsAccount, "other")));
    return txn.put_passkey(passkey(3, kAnnsAccount, "third"));
  });
  read([&](DirectoryView& view) -> Result<> {
    TRY(const auto found, view.find_passkey(credential));
    TRY(const auto unknown, view.find_passkey("cred"));
    EXPECT_TRUE(found && !unknown);
    EXPECT_EQ(found.value_or(PasskeyRow{}).credential, credential);
    EXPECT_EQ(found.value_or(PasskeyRow{}).doc, R"({"label":"phone"})");
    EXPECT_EQ(found.value_or(PasskeyRow{}).created_at, Timestamp{1});
    CredentialNumbers of_first;
    CHECK_OK(view.passkeys(kAnnsAccount, [&](const PasskeyRow& row) {
      of_first.push_back(row.number.value);
      return true;
    }));
    EXPECT_EQ(of_first, (CredentialNumbers{1, 3}));
    return {};
  });
  const auto taken =
      directory().write([&](DirectoryTxn& txn) { return txn.put_passkey(passkey(4, kBobsAccount, credential)); });
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::conflict);
  write([&](DirectoryTxn& txn) -> Result<> {
    PasskeyRow changed = passkey(1, kAnnsAccount, credential);
    changed.doc = "{}";
    CHECK_OK(txn.put_passkey(changed));
    CHECK_OK(txn.remove_passkey({3}));
    TRY(const PasskeyNumber next, txn.next_passkey_number());
    EXPECT_EQ(next, PasskeyNumber{2}) << "numbers are not used twice";
    return txn.erase_account(kBobsAccount);
  });
  read([&](DirectoryView& view) -> Result<> {
    TRY(const auto changed, view.find_passkey(credential));
    TRY(const auto removed, view.find_passkey("third"));
    TRY(const auto erased, view.find_passkey("other"));
    EXPECT_EQ(changed.value_or(PasskeyRow{}).doc, "{}");
    EXPECT_FALSE(removed || erased);
    return {};
  });
}

TEST_P(DirectoryCredentialsTest, an_identity_is_found_by_its_subject_and_listed_by_its_account) {
  const auto identity = [](std::int64_t number, AccountNumber account, const std::string& subject) {
    return IdentityRow{{number}, account, subject, Timestamp{number}, R"({"email":"ann@example.org"})"};
  };
  const std::string subject("https://id.example.org 7");
  write([&](DirectoryTxn& txn) -> Result<> {
    TRY(const IdentityNumber first, txn.next_identity_number());
    EXPECT_EQ(first, IdentityNumber{1});
    CHECK_OK(txn.put_identity(identity(1, kAnnsAccount, subject)));
    CHECK_OK(txn.put_identity(identity(2, kBobsAccount, "other")));
    return txn.put_identity(identity(3, kAnnsAccount, "third"));
  });
  read([&](DirectoryView& view) -> Result<> {
    TRY(const auto found, view.find_identity(subject));
    TRY(const auto unknown, view.find_identity("https://id.example.org 70"));
    EXPECT_TRUE(found && !unknown);
    EXPECT_EQ(found.value_or(IdentityRow{}).subject, subject);
    EXPECT_EQ(found.value_or(IdentityRow{}).doc, R"({"email":"ann@example.org"})");
    EXPECT_EQ(found.value_or(IdentityRow{}).created_at, Timestamp{1});
    CredentialNumbers of_first;
    CHECK_OK(view.identities(kAnnsAccount, [&](const IdentityRow& row) {
      of_first.push_back(row.number.value);
      return true;
    }));
    EXPECT_EQ(of_first, (CredentialNumbers{1, 3}));
    return {};
  });
  const auto taken =
      directory().write([&](DirectoryTxn& txn) { return txn.put_identity(identity(4, kBobsAccount, subject)); });
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::conflict);
  write([&](DirectoryTxn& txn) -> Result<> {
    IdentityRow changed = identity(1, kAnnsAccount, subject);
    changed.doc = "{}";
    CHECK_OK(txn.put_identity(changed));
    CHECK_OK(txn.remove_identity({3}));
    TRY(const IdentityNumber next, txn.next_identity_number());
    EXPECT_EQ(next, IdentityNumber{2}) << "numbers are not used twice";
    return txn.erase_account(kBobsAccount);
  });
  read([&](DirectoryView& view) -> Result<> {
    TRY(const auto changed, view.find_identity(subject));
    TRY(const auto removed, view.find_identity("third"));
    TRY(const auto erased, view.find_identity("other"));
    EXPECT_EQ(changed.value_or(IdentityRow{}).doc, "{}");
    EXPECT_FALSE(removed || erased);
    return {};
  });
}

}  // namespace
}  // namespace syncline
