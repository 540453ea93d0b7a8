// The reading half of the contract on one SQLite connection. The same statements serve readers (inside a read
// transaction) and the writer (inside its own).
#pragma once

#include "store/sqlite/layout.hpp"

namespace syncline::sqlite {

/// A connection with the prepared statements that reading needs.
struct Reader {
  Connection connection;
  Statement begin, commit;
  Statement info, collections, find, scan, feed, history, conflicts, conflicts_of_state, conflict, receipt, value, kept,
      events;

  [[nodiscard]] static Result<std::unique_ptr<Reader>> make(Connection connection);
};

/// `entry` may be null: a space that was never written reads as empty.
class SqliteSnapshot final : public Snapshot {
 public:
  SqliteSnapshot(Reader& reader, std::shared_ptr<const SpaceEntry> entry, SpaceInfo info)
      : reader_(reader), entry_(std::move(entry)), info_(std::move(info)) {}

  [[nodiscard]] const SpaceInfo& info() const override { return info_; }
  [[nodiscard]] Result<std::optional<Record>> find(std::string_view collection, std::string_view id) override;
  [[nodiscard]] Result<> scan(std::string_view collection, std::string_view after, const RecordVisitor& visit) override;
  [[nodiscard]] Result<> feed(Seq since, const RecordVisitor& visit) override;
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
  Reader& reader_;
  std::shared_ptr<const SpaceEntry> entry_;
  SpaceInfo info_;
};

[[nodiscard]] Result<std::vector<Event>> read_events(Reader& reader, EventNumber after, std::size_t count_max);

/// The space as the reader's transaction sees it. A commit may have named a new collection that `entry`, taken from the
/// catalog a moment before, does not know yet: then the names are read from the file.
[[nodiscard]] Result<SqliteSnapshot> make_snapshot(Reader& reader, const SpaceName& name,
                                                   std::shared_ptr<const SpaceEntry> entry);

}  // namespace syncline::sqlite
