#include "service/moved_records.hpp"

#include <vector>

#include "service/access.hpp"

namespace syncline {
namespace {

constexpr std::size_t kDeletionsEach = 5000;

/// Deletes up to kDeletionsEach records of the collection; false when none is left.
Result<bool> delete_some_moved(Store& store, std::string_view collection) {
  std::vector<std::string> ids;
  CHECK_OK(store.read(system_space(), [&](Snapshot& snapshot) {
    return snapshot.scan(collection, "", [&](const RecordView& record) {
      if (!record.deleted) ids.emplace_back(record.id);
      return ids.size() < kDeletionsEach;
    });
  }));
  if (ids.empty()) return false;
  CHECK_OK(write_and_wait(store, system_space(), {}, [&](Txn& txn) -> Result<> {
    for (const std::string& id : ids) {
      TRY(const auto existing, txn.find_undamaged(collection, id));
      if (!existing || existing->deleted) continue;
      Record record;
      record.collection = collection;
      record.id = id;
      record.updated_at = record.effective_at = txn.stamp();
      record.deleted = true;
      txn.put(std::move(record), &*existing);
    }
    return {};
  }));
  return true;
}

}  // namespace

Result<> delete_moved_records(Store& store, std::span<const std::string_view> collections) {
  for (const std::string_view collection : collections) {
    for (bool more = true; more;) {
      TRY(more, delete_some_moved(store, collection));
    }
  }
  return {};
}

}  // namespace syncline
