// The writing half of a space for the length of one transaction: applies ops through the merge, keeps what loses, and
// says what became of each op. A copy of another store's space writes through ReplicaWriter.
//
// Used on the store's writer thread, by one write function at a time.
#pragma once

#include <functional>
#include <map>

#include "base/json.hpp"
#include "core/merge.hpp"
#include "service/events.hpp"
#include "store/store.hpp"

namespace syncline {

class SpaceWriter;

/// What is particular about a collection.
struct CollectionRules {
  MergePolicy merge;
  /// Refuses documents that the collection's face could not read. Null: any JSON object.
  std::function<Result<>(const Op&)> check;
  /// Refuses ops of Caller::generic that a person would have meant otherwise. `stored` is the version it meets, or
  /// null. Not asked about deletions, nor by replicas. Null: none.
  std::function<Result<>(const Op& op, const Record* stored)> check_generic;
  /// The document that is stored for an op, whichever way it came. `stored` is the version it meets, or null.
  /// Null: the document as it came.
  std::function<Result<std::string>(const Op& op, const Record* stored, Timestamp now)> shape;
  /// Runs in the transaction after each new version of a record, also after those it makes itself. Null: nothing.
  std::function<Result<>(SpaceWriter& writer, const Record* before, const Record& after)> on_put;
  /// For clients that do not read the answer to a push: the version that wins over an older one is put again, with a
  /// new seq, if the author has pulled past it, so that the author is sure to receive it.
  enum class StaleAuthor { reads_the_answer, pulls_again };
  StaleAuthor stale_author = StaleAuthor::reads_the_answer;
  /// Written only by its face: generic pushes are refused, for they would go round the face's own rules.
  bool face_only = false;
  /// Largest document.
  std::size_t document_bytes_max = limits::kDocumentBytesMax;
};

/// What is particular about the spaces of one name.
struct SpaceRules {
  WriteOptions options;
  /// Names of values that the rules look up in every write.
  std::vector<std::string> values;
  std::map<std::string, CollectionRules, std::less<>> collections;
  /// The rules of a collection; those of any JSON object for one that is not listed.
  [[nodiscard]] const CollectionRules& of(std::string_view collection) const;
  /// Members that events of such a space carry beside "space". Null: none.
  std::function<void(JsonWriter& data, const SpaceName& space)> describe;
  /// Runs in the transaction when a write is complete. Null: nothing.
  std::function<void(SpaceWriter& writer)> on_written;
};

enum class OpStatus : std::uint8_t { applied, noop, stale, merged, refused };
[[nodiscard]] std::string_view to_text(OpStatus status);

struct OpResult {
  OpStatus status = OpStatus::refused;
  bool created = false;                    // applied, and there was no such record
  std::size_t doc_bytes = 0;               // of the document that was stored; 0 if none was
  Seq seq;                                 // of the version that stands now
  Timestamp updated_at;                    // of that version, unless refused
  std::optional<Record> record;            // the version that stands, if it is not what was sent
  bool lost = false;                       // stale, and not the same op again
  std::optional<ConflictNumber> conflict;  // that keeps the version which lost
  bool incoming_won = true;                // for stale and merged: whose fields count where both have one
  std::optional<Error> error;              // for refused
  std::optional<Timestamp> sent;           // the clock was lowered: what was sent ...
  Timestamp used;                          // ... and what counts
};

/// Where the version comes from that is being stored.
enum class Source : std::uint8_t {
  author,     // whoever writes
  delivered,  // another store, which leaves merging to this one
  adopted,    // another store, which has merged already
};

class SpaceWriter {
 public:
  /// `wanted`: the events that somebody has subscribed to.
  SpaceWriter(Txn& txn, const SpaceRules& rules, Author author, EventTypes wanted = {})
      : txn_(txn), rules_(rules), author_(author), now_(txn.now()), latest_(txn.latest()), wanted_(std::move(wanted)) {}

  /// Who may write where: a face's own code, or a generic push.
  enum class Caller { face, generic };
  /// Validates, merges and stores one op. An error is the store's; a refusal is a result.
  [[nodiscard]] Result<OpResult> apply(const Op& op, Caller caller = Caller::face);
  /// Makes the losing version of an open conflict the current one, as a new change. Returns the conflict as it is now.
  [[nodiscard]] Result<Conflict> restore(ConflictNumber number);
  [[nodiscard]] Result<Conflict> dismiss(ConflictNumber number);
  /// Stores a document as the next version without asking the merge: for state that only one side may change.
  /// An empty document deletes. `stamp`: the record's updated_at, now if absent.
  [[nodiscard]] Result<Seq> replace(std::string_view collection, std::string_view id, std::string doc, Rule rule,
                                    std::optional<Timestamp> stamp = std::nullopt);
  /// What stands for a key; nothing if its row is damaged, and then the next put() of the key takes the place of that
  /// row.
  [[nodiscard]] Result<std::optional<Record>> find(std::string_view collection, std::string_view id);
  /// True if find() met a damaged row of that key, which has not been replaced since.
  [[nodiscard]] bool is_damaged(std::string_view collection, std::string_view id) const;
  /// Stores `record` over `stored`, which find() answered for its key. Every new version comes through here.
  [[nodiscard]] Result<Seq> put(Record record, const Record* stored);

  /// Puts the version in the conflict list, as one that lost by `rule`.
  [[nodiscard]] Result<> keep_version(const Record& version, Rule rule);
  /// The same version with a new seq and the stamp of now, without a word to anybody: for an author that has pulled
  /// past it and did not take it.
  [[nodiscard]] Result<> deliver_again(const Record& stored);
  /// The author has pulled so far of what it writes to, if that is more than its pulls of the whole space say.
  void note_seen_through(Seq seq) {
    author_.seen_through = std::max(author_.seen_through, seq);
    author_.may_have_seen_through = std::max(author_.may_have_seen_through, seq);
  }
  /// A message for everybody who listens to the space; sent in order, after the commit.
  void announce(std::string message) { messages_.push_back(std::move(message)); }
  [[nodiscard]] std::vector<std::string>& messages() { return messages_; }

  /// What is to be done after the commit, in order and before the write's `done`: a write function may run twice, and
  /// does nothing outside of its transaction. Must be quick.
  void after_commit(std::move_only_function<void()> run) { followers_.push_back(std::move(run)); }
  [[nodiscard]] std::vector<std::move_only_function<void()>>& followers() { return followers_; }

  [[nodiscard]] bool wants(EventType type) const { return wanted_.has(type); }
  /// An event with the space's members and those that `add` writes. Ask wants() first.
  void emit(EventType type, const std::function<void(JsonWriter& data)>& add);
  [[nodiscard]] bool has_emitted() const { return has_emitted_; }

  /// How many versions this write has put into each collection, those put again not counted.
  [[nodiscard]] std::map<std::string, std::int64_t, std::less<>>& changed() { return changed_; }

  [[nodiscard]] Txn& txn() { return txn_; }
  /// What is looked up next is this record, which nobody has named before. See Snapshot::expect().
  void expect(std::string_view collection, std::string_view id) {
    txn_.expect([&] { return Reads{.records = {RecordKey{std::string(collection), std::string(id)}}}; });
  }
  [[nodiscard]] Timestamp now() const { return now_; }
  /// The latest time that it may be (Clock::latest()): a stamp up to here is not known to be ahead.
  [[nodiscard]] Timestamp latest() const { return latest_; }
  /// The latest stamp that an op has brought from there; none if no op had one.
  [[nodiscard]] std::optional<Timestamp> latest_stamp_of(Clock::Witness witness) const {
    return witness == Clock::Witness::client ? latest_of_clients_ : latest_of_stores_;
  }
  [[nodiscard]] const Author& author() const { return author_; }
  [[nodiscard]] Source source() const { return source_; }

 private:
  friend class ReplicaWriter;

  [[nodiscard]] Result<> check(const Op& op) const;
  /// True if the version of seq `base` has been put again since, and nothing else.
  [[nodiscard]] Result<bool> is_unchanged_since(const Record& stored, Seq base);
  /// The op is one that came before, with a stamp so far ahead that it was lowered, and has been replaced since. It
  /// must not win when it comes again, now that the hub's time is near enough to take the stamp as it is.
  [[nodiscard]] Result<bool> is_repeated_claim(const Record& stored, const Op& op);
  /// False too if there are too many earlier versions to look at.
  [[nodiscard]] Result<bool> is_among_earlier(const Record& stored, const Op& op,
                                              const std::function<bool(const Record&)>& has_its_stamp);
  [[nodiscard]] Result<bool> is_repeat(const Record& stored, const Op& op);
  [[nodiscard]] Result<OpResult> store(const Op& op, const Record* stored, Decision decision);
  [[nodiscard]] Result<> deliver_winner(const Op& op, const Decision& decision);
  /// The version that a decision puts in the conflict list.
  [[nodiscard]] Record loser_of(const Op& op, const Record& stored, const Decision& decision) const;
  [[nodiscard]] Result<Txn::KeptConflict> keep_loser(const Op& op, const Record& stored, const Decision& decision);
  [[nodiscard]] Result<Txn::KeptConflict> keep(Conflict conflict);
  void emit_change_event(const Record& after);
  void note_stamp(Timestamp stamp);
  /// The author of what comes of an op beside the op itself: a merged document, changes by the collection's rules.
  [[nodiscard]] KeyNumber author_of_results() const { return source_ == Source::delivered ? own_ : author_.key; }
  [[nodiscard]] Result<Seq> store_version(Record record, const Record* stored);
  /// put() for a version that is what it was: its rules are not asked again.
  void put_again(Record record, const Record& stored);
  [[nodiscard]] Result<Conflict> get_open_conflict(ConflictNumber number);

  Txn& txn_;
  const SpaceRules& rules_;
  Author author_;
  const Timestamp now_;
  const Timestamp latest_;
  std::optional<Timestamp> latest_of_clients_;
  std::optional<Timestamp> latest_of_stores_;
  const EventTypes wanted_;
  bool has_emitted_ = false;
  Source source_ = Source::author;
  KeyNumber own_;  // see author_of_results()
  std::vector<std::string> messages_;
  std::vector<std::move_only_function<void()>> followers_;
  std::map<std::string, std::int64_t, std::less<>> changed_;
  /// The damaged rows that find() has met, by collection and id.
  std::map<std::pair<std::string, std::string>, DamagedRecord> damaged_;
  /// The version that the author of the op says to have seen.
  std::optional<Seq> base_;
  /// Bytes of earlier versions that this transaction may still read to recognise repeats.
  std::size_t lookback_bytes_left_ = 16UL << 20U;
};

}  // namespace syncline
