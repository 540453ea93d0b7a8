#include "service/replica_writer.hpp"

#include <utility>

namespace syncline {

Result<Seq> ReplicaWriter::adopt(Record record, const Record* stored) {
  const CollectionRules& rules = writer_.rules_.of(record.collection);
  if (record.deleted && record.doc.empty() && rules.shape) {
    const Op bare{.collection = record.collection, .id = record.id, .deleted = true};
    TRY(record.doc, rules.shape(bare, stored, writer_.now_));
  }
  writer_.source_ = Source::adopted;
  writer_.note_stamp(record.updated_at);
  auto seq = writer_.put(std::move(record), stored);
  writer_.source_ = Source::author;
  return seq;
}

Result<OpResult> ReplicaWriter::merge(const Op& op, KeyNumber own) {
  writer_.source_ = Source::delivered;
  writer_.own_ = own;
  auto result = writer_.apply(op);
  writer_.source_ = Source::author;
  return result;
}

}  // namespace syncline
