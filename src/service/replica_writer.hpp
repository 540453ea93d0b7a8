// Writes the versions of another store into the copy of a space, for the length of one transaction. The collection's
// rules run for each version as they do for any write; SpaceWriter::source() tells them where it comes from.
//
// Used on the store's writer thread, inside the write function that owns `writer`.
#pragma once

#include "service/space_writer.hpp"

namespace syncline {

class ReplicaWriter {
 public:
  explicit ReplicaWriter(SpaceWriter& writer) : writer_(writer) {}

  /// Stores a version as the other store has it, without a merge. What a deletion keeps of the record is this store's.
  /// The collection's rules must not answer with changes of their own: the other store makes and delivers those.
  [[nodiscard]] Result<Seq> adopt(Record record, const Record* stored);
  /// Applies an op from a store that leaves merging to this one. What comes of it beside the op itself (a merged
  /// document, changes by the collection's rules) has the author `own`, because the other store does not have it.
  [[nodiscard]] Result<OpResult> merge(const Op& op, KeyNumber own);

 private:
  SpaceWriter& writer_;
};

}  // namespace syncline
