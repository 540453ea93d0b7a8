// Records of the system space, where earlier versions kept what has tables of its own now.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/access.hpp"
#include "store/store.hpp"

namespace syncline::test {

inline void put_system_record(Store& store, const std::string& collection, const std::string& id,
                              const std::string& doc) {
  ASSERT_TRUE(write_and_wait(store, system_space(), {}, [&](Txn& txn) -> Result<> {
    Record record;
    record.collection = collection;
    record.id = id;
    record.doc = doc;
    record.updated_at = record.effective_at = txn.stamp();
    txn.put(std::move(record), nullptr);
    return {};
  }));
}

/// "collection/id" of those that are not deleted, in the order of the feed.
inline std::vector<std::string> live_system_records(Store& store) {
  std::vector<std::string> found;
  EXPECT_TRUE(store.read(system_space(), [&](Snapshot& snapshot) {
    return snapshot.feed({}, [&](const RecordView& record) {
      if (!record.deleted) found.push_back(std::string(record.collection) + '/' + std::string(record.id));
      return true;
    });
  }));
  return found;
}

}  // namespace syncline::test
