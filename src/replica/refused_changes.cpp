#include "replica/refused_changes.hpp"

#include "base/json_object.hpp"
#include "replica/space_state.hpp"

namespace syncline::replica {
namespace {

RefusedChange read_note(std::string_view doc) {
  const JsonObject object{JsonView(doc)};
  RefusedChange change;
  change.collection = object.text_of("collection");
  change.id = object.text_of("id");
  change.seq = {object.integer_of("seq").value_or(0)};
  change.offers = object.integer_of("offers").value_or(0);
  change.code = object.text_of("code");
  change.detail = object.text_of("detail");
  change.since = parse_time(object.text_of("since")).value_or(Timestamp{});
  return change;
}

std::string to_doc(const RefusedChange& change) {
  std::string doc;
  JsonWriter(doc)
      .begin_object()
      .string("collection", change.collection)
      .string("id", change.id)
      .integer("seq", change.seq.value)
      .integer("offers", change.offers)
      .string("code", change.code)
      .string("detail", change.detail)
      .string("since", format_time(change.since))
      .end_object();
  return doc;
}

Result<std::optional<RefusedChange>> find_note(Snapshot& snapshot, const std::string& key) {
  TRY(const auto note, snapshot.find(kRefusedCollection, key));
  if (!note || note->deleted) return std::nullopt;
  return read_note(note->doc);
}

Result<> put_note(SpaceWriter& writer, const RefusedChange& change) {
  const std::string key = record_key(change.collection, change.id);
  TRY([[maybe_unused]] const Seq seq, writer.replace(kRefusedCollection, key, to_doc(change), Rule::direct));
  return {};
}

}  // namespace

Result<std::vector<RefusedChange>> RefusedChanges::list(Snapshot& snapshot) {
  std::vector<RefusedChange> changes;
  CHECK_OK(snapshot.scan(kRefusedCollection, "", [&](const RecordView& record) {
    if (!record.deleted) changes.push_back(read_note(record.doc));
    return true;
  }));
  return changes;
}

Result<std::optional<Record>> RefusedChanges::find_record(Snapshot& snapshot, const RefusedChange& change) {
  TRY(auto record, snapshot.find(change.collection, change.id));
  if (!record || record->seq != change.seq) return std::nullopt;
  return record;
}

Result<bool> RefusedChanges::has(Snapshot& snapshot, const Record& stored) {
  TRY(const auto change, find_note(snapshot, record_key(stored.collection, stored.id)));
  return change && change->seq == stored.seq;
}

Result<> RefusedChanges::note(SpaceWriter& writer, const Record& refused, std::string code, std::string detail) {
  TRY(const auto earlier, find_note(writer.txn(), record_key(refused.collection, refused.id)));
  RefusedChange change{.collection = refused.collection,
                       .id = refused.id,
                       .seq = refused.seq,
                       .offers = 0,
                       .code = std::move(code),
                       .detail = std::move(detail),
                       .since = writer.now()};
  if (earlier) {
    if (earlier->seq == change.seq) change.offers = earlier->offers;
    change.since = earlier->since;
  }
  change.offers += 1;
  return put_note(writer, change);
}

Result<> RefusedChanges::forget(SpaceWriter& writer, std::string_view collection, std::string_view id) {
  const std::string key = record_key(collection, id);
  TRY(const auto change, find_note(writer.txn(), key));
  if (!change) return {};
  TRY([[maybe_unused]] const Seq seq, writer.replace(kRefusedCollection, key, "", Rule::direct));
  return {};
}

Result<std::int64_t> RefusedChanges::revive(SpaceWriter& writer) {
  std::int64_t revived = 0;
  TRY(const auto changes, list(writer.txn()));
  for (RefusedChange change : changes) {
    if (!change.is_dead()) continue;
    change.offers = 0;
    ++revived;
    CHECK_OK(put_note(writer, change));
  }
  return revived;
}

Result<> RefusedChanges::count(Snapshot& snapshot) {
  dead_ = waiting_ = 0;
  TRY(const auto changes, list(snapshot));
  for (const RefusedChange& change : changes) {
    TRY(const auto record, find_record(snapshot, change));
    if (record) (change.is_dead() ? dead_ : waiting_) += 1;
  }
  return {};
}

}  // namespace syncline::replica
