// The reading half of the contract on one SQLite connection. The same statements serve readers (inside a read
// transaction) and the writer (inside its own).
#pragma once

#include <unordered_map>

#include "store/sqlite/layout.hpp"
#include "store/sqlite/recent_keys.hpp"
#include "store/sqlite/row_hash.hpp"
#include "store/sqlite/superseded_rows.hpp"

namespace syncline::sqlite {

/// What the readers of a store share; it outlives them.
struct Shared {
  DamageList* damage = nullptr;
  RecentKeys* keys = nullptr;
  SupersededRows* superseded = nullptr;
};

/// A connection with the prepared statements that reading needs.
struct Reader {
  Connection connection;
  Shared shared;
  Statement begin, commit;
  Statement info, collections, key, keys_after, find, listed, feed, version, conflicts, conflicts_of_state, conflict,
      receipt, value, kept, events;
  // To go on where a row is damaged: by its place, or by the key table, which has the key once more.
  Statement record_at, next_pos, key_of_pos, next_conflict;
  /// Records that could not be decoded. In a transaction SQLite refuses every write after that.
  std::vector<std::int64_t> unreadable;
  /// Or rows of other tables.
  bool met_unreadable = false;
  /// By place: the stamps of the records that were looked up or changed, where they are not in their rows. For the
  /// writer, which gives them to the next version.
  std::unordered_map<std::int64_t, HiddenStamps> raised;
  bool notes_raised = false;

  [[nodiscard]] static Result<std::unique_ptr<Reader>> make(Connection connection, const Shared& shared);
};

/// Where the newest record of that key is that is not beyond `head`, by the keys in memory and the key table.
[[nodiscard]] Result<Place> find_place(Reader& reader, std::int64_t scope, std::string_view id, Seq head);
/// Whose the damaged row at `pos` is: by its own columns if the keys agree, else by the keys. Nothing if nobody can
/// tell.
[[nodiscard]] Result<std::optional<RecordKey>> find_key_at(Reader& reader, std::int64_t pos);

/// `entry` may be null: a space that was never written reads as empty.
class SqliteSnapshot final : public Snapshot {
 public:
  SqliteSnapshot(Reader& reader, std::shared_ptr<const SpaceEntry> entry, SpaceInfo info)
      : reader_(reader), entry_(std::move(entry)), info_(std::move(info)) {}

  [[nodiscard]] const SpaceInfo& info() const override { return info_; }
  [[nodiscard]] Result<Located> locate(std::string_view collection, std::string_view id) override;
  [[nodiscard]] Result<> scan(std::string_view collection, std::string_view after, const RecordVisitor& visit,
                              const DamagedVisitor& on_damaged) override;
  [[nodiscard]] Result<> feed(Seq since, const RecordVisitor& visit, const DamagedVisitor& on_damaged) override;
  [[nodiscard]] const std::vector<std::string>& collections() const override;
  [[nodiscard]] Result<std::vector<Record>> history(const Record& newest, std::size_t count_max,
                                                    std::size_t bytes_max) override;
  [[nodiscard]] Result<std::vector<Conflict>> conflicts(std::optional<ConflictState> state, ConflictNumber after,
                                                        std::size_t count_max) override;
  [[nodiscard]] Result<std::optional<Conflict>> find_conflict(ConflictNumber number) override;

  [[nodiscard]] Result<std::optional<std::string>> find_value(std::string_view name) override;

  [[nodiscard]] Result<std::optional<Receipt>> find_receipt(std::string_view key);
  /// The conflict that keeps the version of that fingerprint.
  [[nodiscard]] Result<std::optional<ConflictNumber>> find_kept(std::string_view fingerprint);

 private:
  /// Finds out what is wrong where there is no good row at `pos`, the key's place; `error` is what reading it said, if
  /// that failed.
  [[nodiscard]] Result<Located> look_closer(std::string_view collection, std::string_view id, std::int64_t key_scope,
                                            std::int64_t pos, const std::optional<Error>& error);
  /// Visits the record at `pos` that a list of keys named; false if the visitor ends the visit.
  [[nodiscard]] Result<bool> visit_listed(std::string_view id, const Place& place, const RecordVisitor& visit,
                                          const DamagedVisitor& on_damaged);
  /// Gives the record at the place the stamps that its row does not have.
  void apply_raised(const Place& place, RecordView& record);
  /// The stamps of the version that `newest` replaced, where its row does not have them.
  [[nodiscard]] Result<std::optional<HiddenStamps>> find_stamps_before(const Record& newest);
  /// True if there is a row at `pos`, whatever is in it. Fails if the page makes no sense.
  [[nodiscard]] Result<bool> has_row_at(std::int64_t pos);
  /// False if the feed ends at the row at `pos`, which is beyond its end.
  [[nodiscard]] Result<bool> has_left_its_place(std::int64_t pos);
  /// Steps `record_at` to the row at `pos`: true if there is one and it is what was written.
  [[nodiscard]] Result<bool> is_intact_at(std::int64_t pos);
  /// Lists the damaged row at `pos`, and says what is known of it.
  [[nodiscard]] Result<DamagedRecord> note_damaged(std::int64_t pos);
  /// False if the visitor ends the visit.
  [[nodiscard]] Result<bool> pass_damaged(std::int64_t pos, const DamagedVisitor& on_damaged);
  void note(Damage::Table table, std::string_view id, Seq seq, std::int64_t number);
  /// The seq of the version that a damaged row names as the one before, if that is one of the same record; else 0.
  [[nodiscard]] std::int64_t find_previous(std::int64_t scope, std::string_view id, std::int64_t seq);

  Reader& reader_;
  std::shared_ptr<const SpaceEntry> entry_;
  SpaceInfo info_;
};

[[nodiscard]] Result<std::vector<Event>> read_events(Reader& reader, std::size_t count_max);

/// The space as the reader's transaction sees it. A commit may have named a new collection that the catalog does not
/// know yet: then the names are read from the file.
[[nodiscard]] Result<SqliteSnapshot> make_snapshot(Reader& reader, const SpaceName& name, const Catalog& catalog);

}  // namespace syncline::sqlite
