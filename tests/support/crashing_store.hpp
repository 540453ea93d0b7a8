// A SQLite store whose process is killed: another one opens the files as they lay on the disk while it was open.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "store/sqlite/connection.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"

namespace syncline::test {

class CrashingStoreTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteStore> open(SqliteStore::Options options) {
    auto opened = SqliteStore::open(path_, clock_, std::move(options));
    EXPECT_TRUE(opened) << opened.error().text;
    return *std::move(opened);
  }
  /// What is opened from now on are the files that a kill leaves at this moment. The store may still be open.
  void crash() {
    const std::string copy = directory_.path() + "/copy" + std::to_string(++copies_);
    for (const char* suffix : {"", "-wal", "-commit"}) {
      if (std::filesystem::exists(path_ + suffix)) std::filesystem::copy_file(path_ + suffix, copy + suffix);
    }
    path_ = copy;
  }
  /// -1 if there is no such number.
  [[nodiscard]] std::int64_t query(const std::string& sql) const {
    return sqlite::Connection::open(path_, sqlite::Connection::Mode::read_only)->query_integer(sql).value_or(-1);
  }
  void execute(const std::string& sql) const {
    auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
    ASSERT_TRUE(file.execute(sql)) << sql;
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/store";

 private:
  int copies_ = 0;
};

}  // namespace syncline::test
