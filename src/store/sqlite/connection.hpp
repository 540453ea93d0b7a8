// A thin C++ face of SQLite: one connection, its prepared statements, its errors as Result. One thread at a time.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_value;

namespace syncline::sqlite {

enum class ColumnType : std::uint8_t { null, integer, bytes, other };

/// A prepared statement. Bind all parameters, step, and reset before the next use; StatementScope does the last.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  void bind(int index, std::int64_t value);
  // Of both the bytes must stay valid until the statement is reset.
  void bind_text(int index, std::string_view value);
  void bind_bytes(int index, std::string_view value);

  /// True when there is a row, false at the end.
  [[nodiscard]] Result<bool> step();
  /// For statements without rows.
  [[nodiscard]] Result<> run();
  void reset();

  /// True if the last step failed because what it read makes no sense, not because it could not be read.
  [[nodiscard]] bool is_corrupt() const;

  /// Ask before the value: asking for a value may convert it.
  [[nodiscard]] ColumnType type(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  /// Valid until the next step or reset.
  [[nodiscard]] std::string_view bytes(int column) const;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  /// Asking SQLite for a column of the row costs more than all that is asked of the column.
  [[nodiscard]] sqlite3_value* value(int column) const;

  static constexpr int kKeptColumnsMax = 16;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  mutable std::array<sqlite3_value*, kKeptColumnsMax> kept_{};  // of the current row; null: not asked for yet
};

/// Resets a statement when the work with it is over, however it ends.
class StatementScope {
 public:
  explicit StatementScope(Statement& statement) : statement_(statement) {}
  StatementScope(const StatementScope&) = delete;
  StatementScope& operator=(const StatementScope&) = delete;
  ~StatementScope() { statement_.reset(); }

 private:
  Statement& statement_;
};

struct CheckpointProgress {
  std::int64_t frames_in_log = 0;
  std::int64_t frames_done = 0;
};

class Connection {
 public:
  enum class Mode { create, read_write, read_only };

  [[nodiscard]] static Result<Connection> open(const std::string& path, Mode mode);

  [[nodiscard]] Result<> execute(const std::string& sql);
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  /// First column of the first row of a query.
  [[nodiscard]] Result<std::int64_t> query_integer(std::string_view sql);
  [[nodiscard]] Result<std::string> query_text(std::string_view sql);

  /// Copies what it can from the log into the database without waiting for anybody.
  [[nodiscard]] Result<CheckpointProgress> checkpoint_passive();
  /// Waits for readers up to the busy timeout, copies everything and empties the log.
  [[nodiscard]] Result<CheckpointProgress> checkpoint_truncate();
  /// The same, if nobody reads old pages or writes at this moment; frames_in_log is 0 then.
  [[nodiscard]] Result<CheckpointProgress> try_checkpoint_truncate();
  /// Where SQLite keeps the write-ahead log.
  [[nodiscard]] std::string log_path() const;
  /// Syncs the database file itself: what checkpoints have copied into it. A checkpoint does so only if it has reached
  /// the end of the log. A failure is final: the operating system may report it once and forget the pages.
  [[nodiscard]] Result<> sync_database();
  [[nodiscard]] bool in_transaction() const;
  /// True if the last call failed because what it read makes no sense, not because it could not be read.
  [[nodiscard]] bool is_corrupt() const;
  /// From now on keeps the number of pages in the log at `frames`, updated at each commit of this connection.
  void watch_log(std::int64_t* frames);

 private:
  [[nodiscard]] Result<CheckpointProgress> checkpoint(int mode);

  struct Closer {
    void operator()(sqlite3* database) const noexcept;
  };
  std::unique_ptr<sqlite3, Closer> database_;
};

/// A write transaction, which is rolled back at the end of its scope unless it was committed. The connection outlives
/// it.
class Transaction {
 public:
  [[nodiscard]] static Result<Transaction> begin(Connection& on);
  Transaction(Transaction&& other) noexcept : on_(std::exchange(other.on_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  [[nodiscard]] Result<> commit() { return on_->execute("COMMIT"); }

 private:
  explicit Transaction(Connection& on) : on_(&on) {}

  Connection* on_;
};

}  // namespace syncline::sqlite
