// Records, the requests to change them, and the versions that lost. Plain values without behaviour: no I/O, no clock.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace syncline {

/// What decided between two versions of a record.
enum class Rule : std::uint8_t {
  first,         // there was no other version
  base,          // the author had seen the other version
  later_stamp,   // the later updated_at
  direct,        // written without a stamp: now
  live_wins,     // equal stamps: a live record beats a tombstone
  greater_hash,  // equal stamps: the greater SHA-256 of the document
  stored_stays,  // equal stamps, in collections whose clients expect that
  clock_guard,   // a clock too far ahead does not win a second time
  field_union,   // both, field by field
  restored,      // a person chose it
  command,       // a command's state moved forward
  one_timer,     // at most one timer runs: the hub stopped this one
  wiped,         // the owner wiped the space: merges treat the record as one that never was
  smaller_hash,  // equal stamps: the smaller SHA-256 of the document, whatever its spelling
};
[[nodiscard]] std::string_view to_text(Rule rule);

/// One record as it is stored. `doc` is the document byte for byte; a tombstone has none, unless its collection's rules
/// keep what a face says of deleted records. `Text` is std::string for a record that owns its texts, std::string_view
/// for one that refers to somebody else's.
template <class Text>
struct BasicRecord {
  Text collection;
  Text id;
  Seq seq;
  Timestamp updated_at;
  /// What merges compare: updated_at, lifted when the same content comes with a later stamp, lowered where the writer's
  /// clock was too far ahead but its stamp stays visible.
  Timestamp effective_at;
  /// The highest stamp that a copy elsewhere may have though this record is not newer: the claim of a clock too far
  /// ahead, or an echo. 0 if there is none. A lowered claim wins only if it is higher.
  Timestamp claimed_at;
  /// When the hub stored it. Rises with seq.
  Timestamp committed_at;
  KeyNumber origin;
  Rule rule = Rule::first;
  bool deleted = false;
  /// The seq of the version that this one replaced; 0 if there was none.
  std::int64_t previous = 0;
  Text doc;

  /// The same record with texts of its own.
  [[nodiscard]] BasicRecord<std::string> to_record() const { return with_texts_as<std::string>(); }
  template <class Other>
  [[nodiscard]] BasicRecord<Other> with_texts_as() const {
    return {.collection = Other(collection),
            .id = Other(id),
            .seq = seq,
            .updated_at = updated_at,
            .effective_at = effective_at,
            .claimed_at = claimed_at,
            .committed_at = committed_at,
            .origin = origin,
            .rule = rule,
            .deleted = deleted,
            .previous = previous,
            .doc = Other(doc)};
  }
};
using Record = BasicRecord<std::string>;
/// A record while it is being visited: its texts are valid until the visitor returns.
using RecordView = BasicRecord<std::string_view>;
[[nodiscard]] inline RecordView view_of(const Record& record) { return record.with_texts_as<std::string_view>(); }

/// A record whose row is no longer what was written: where it stands and, as far as that can still be told, whose it
/// is.
struct DamagedRecord {
  std::string collection;  // empty if nobody can tell, and so is `id`
  std::string id;
  Seq seq;
  /// The seq of the version before; 0 if nobody can tell.
  std::int64_t previous = 0;
  /// The record has been written again since, by somebody who knew nothing of this version.
  bool is_replaced = false;
};

/// A requested change to one record: put `doc`, or delete. Views into the request, which outlives it.
struct Op {
  std::string_view collection;
  std::string_view id;
  std::optional<Timestamp> updated_at;
  /// The seq of the version that was edited, if the writer says so.
  std::optional<Seq> base;
  bool deleted = false;
  std::string_view doc;
};

enum class ConflictState : std::uint8_t { open, restored, dismissed };
[[nodiscard]] std::string_view to_text(ConflictState state);

/// A version that lost a merge it had not seen, kept in full.
struct Conflict {
  ConflictNumber number;
  Rule rule = Rule::later_stamp;
  ConflictState state = ConflictState::open;
  Timestamp at;
  Record loser;
};

/// 1 to 128 bytes of letters of ASCII, digits, '.', '_', '-'.
[[nodiscard]] Result<> check_collection_name(std::string_view name);
/// 1 to 512 bytes of letters of any script, digits, '.', '_', '-', '/'.
[[nodiscard]] Result<> check_space_name(std::string_view name);
/// 1 to 512 bytes of UTF-8 without NUL.
[[nodiscard]] Result<> check_record_id(std::string_view id);

/// Identifies a version by its content and stamp, wherever it is met again.
[[nodiscard]] std::string version_fingerprint(std::string_view collection, std::string_view id, Timestamp updated_at,
                                              bool deleted, std::string_view doc);
[[nodiscard]] inline std::string version_fingerprint(const Record& version) {
  return version_fingerprint(version.collection, version.id, version.updated_at, version.deleted, version.doc);
}

}  // namespace syncline
