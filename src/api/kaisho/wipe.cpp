#include "api/kaisho/wipe.hpp"

#include "api/kaisho/space.hpp"
#include "wire/kaisho_rows.hpp"

namespace syncline::kaisho {
namespace {

/// Records that a wipe concerns, as they were before this transaction.
Result<std::vector<Record>> collect(SpaceWriter& writer, const std::function<bool(const RecordView&)>& wanted) {
  writer.txn().expect([] {
    Reads reads{.prefixes = {RecordKey{std::string(kReference), ""}}};
    for (const Resource& resource : resources()) reads.prefixes.push_back({std::string(resource.collection), ""});
    return reads;
  });
  std::vector<Record> found;
  const auto take = [&](const RecordView& record) {
    if (wanted(record)) found.push_back(record.to_record());
    return true;
  };
  for (const Resource& resource : resources()) CHECK_OK(writer.txn().scan(resource.collection, "", take));
  CHECK_OK(writer.txn().scan(kReference, "", take));
  return found;
}

}  // namespace

Result<std::int64_t> wipe(SpaceWriter& writer) {
  TRY(const auto records, collect(writer, [](const RecordView& record) {
        const bool stays = record.collection == kReference && record.id == "config";
        return record.rule != Rule::wiped && !stays;
      }));
  std::int64_t live = 0;
  for (const Record& stored : records) {
    if (!stored.deleted && stored.collection != kReference) live += 1;
    Record record;
    record.collection = stored.collection;
    record.id = stored.id;
    record.updated_at = record.effective_at = writer.now();
    record.origin = writer.author().key;
    record.rule = Rule::wiped;
    record.deleted = true;
    if (stored.collection == entries().collection) writer.txn().put_value(synced_at_value(stored.id), "");
    TRY([[maybe_unused]] const Seq seq, writer.put(std::move(record), &stored));
  }
  writer.changed().clear();
  return live;
}

Result<std::int64_t> undo_wipe(SpaceWriter& writer, Timestamp since) {
  TRY(const auto records, collect(writer, [&](const RecordView& record) {
        return record.rule == Rule::wiped && record.committed_at >= since;
      }));
  writer.txn().expect([&] {
    Reads reads;
    for (const Record& stored : records) reads.histories.push_back({stored.collection, stored.id});
    return reads;
  });
  std::int64_t live = 0;
  for (const Record& stored : records) {
    TRY(auto versions, writer.txn().history(stored, 1, kListBytesMax));
    if (versions.empty()) continue;
    Record record = std::move(versions.front());
    record.rule = Rule::restored;
    if (!record.deleted && record.collection != kReference) live += 1;
    TRY([[maybe_unused]] const Seq seq, writer.put(std::move(record), &stored));
  }
  return live;
}

}  // namespace syncline::kaisho
