// Epochs of single spaces: of a space that came from another store together with its history.
#include <gtest/gtest.h>

#include <filesystem>

#include "store/sqlite/connection.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"

namespace syncline {
namespace {

const SpaceName kHomeSpace{AccountNumber{1}, "s"};

/// As a snapshot and the store itself say it.
std::string epoch_of(Store& store, const SpaceName& space) {
  std::string epoch;
  EXPECT_TRUE(store.read(space, [&](Snapshot& snapshot) -> Result<> {
    epoch = snapshot.info().epoch;
    return {};
  }));
  EXPECT_EQ(store.epoch(space), epoch);
  return epoch;
}

Result<Committed> write_one(Store& store, const SpaceName& space) {
  return write_and_wait(store, space, {}, [&](Txn& txn) -> Result<> {
    txn.put({.collection = "c", .id = "a"}, nullptr);
    EXPECT_EQ(txn.info().epoch, store.epoch(space));
    return {};
  });
}

/// As if the space had been brought from another store. Nobody has the file open.
void bring(const std::string& path, const SpaceName& space) {
  auto connection = *sqlite::Connection::open(path, sqlite::Connection::Mode::read_write);
  ASSERT_TRUE(connection.execute("INSERT INTO meta SELECT 'epoch/' || number, 'brought' FROM space WHERE account = " +
                                 std::to_string(space.account.value)));
}

TEST(SpaceEpochTest, a_space_may_have_an_epoch_of_its_own) {
  const SpaceName moved{AccountNumber{2}, "s"};
  const SystemClock clock;
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/syncline.db";
  const auto open = [&] { return *SqliteStore::open(path, clock, {}); };
  {
    auto store = open();
    ASSERT_TRUE(write_one(*store, kHomeSpace));
    ASSERT_TRUE(write_one(*store, moved));
  }
  bring(path, moved);
  const std::string copy = directory.path() + "/copy";
  {
    auto store = open();
    EXPECT_EQ(epoch_of(*store, moved), "brought");
    EXPECT_EQ(epoch_of(*store, kHomeSpace), store->epoch());
    EXPECT_EQ(store->spaces(moved.account)->front().epoch, "brought");
    ASSERT_TRUE(write_one(*store, {moved.account, "other"}));
    EXPECT_EQ(epoch_of(*store, {moved.account, "other"}), store->epoch());
    ASSERT_TRUE(store->backup(copy));
    ASSERT_TRUE(store->erase_account(moved.account));
    ASSERT_TRUE(write_one(*store, moved));
    EXPECT_EQ(epoch_of(*store, moved), store->epoch()) << "another space of that name";
  }
  auto store = open();
  EXPECT_EQ(epoch_of(*store, moved), store->epoch());
  const std::string target = directory.path() + "/restored.db";
  ASSERT_TRUE(restore_backup(copy, target, "newepoch"));
  auto restored = *SqliteStore::open(target, clock, {});
  EXPECT_EQ(epoch_of(*restored, moved), "newepoch") << "a backup is another history for every space";
}

TEST(SpaceEpochTest, lost_commits_end_the_epoch_of_every_space) {
  const SpaceName moved{AccountNumber{2}, "s"};
  const SystemClock clock;
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/syncline.db";
  const auto open = [&] { return *SqliteStore::open(path, clock, {}); };
  ASSERT_TRUE(write_one(*open(), moved));
  bring(path, moved);
  const std::string older = directory.path() + "/older";
  std::filesystem::copy_file(path, older);
  {
    auto store = open();
    EXPECT_EQ(epoch_of(*store, moved), "brought");
    ASSERT_TRUE(write_one(*store, kHomeSpace));
  }
  std::filesystem::copy_file(older, path, std::filesystem::copy_options::overwrite_existing);
  auto store = open();
  EXPECT_NE(store->status().warning, "") << "the commit is missing";
  EXPECT_EQ(epoch_of(*store, moved), store->epoch());
}

}  // namespace
}  // namespace syncline
