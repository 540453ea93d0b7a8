// Whether backups of the store succeed, and whether one is late. The hub makes none by itself: a scheduler of the
// operator runs `syncline backup`. What is known of them is kept in marks of the directory, in one transaction with the
// event that tells of it, so a restart neither forgets a late backup nor tells of it again. Safe from any thread;
// everything but status() and warning() waits for the disk.
#pragma once

#include <optional>
#include <string>

#include "base/mutex.hpp"
#include "service/events.hpp"
#include "store/store.hpp"

namespace syncline {

inline constexpr EventType kBackupFailed{"backup.failed"};
inline constexpr EventType kBackupOverdue{"backup.overdue"};  // once, until the next one succeeds
inline constexpr EventType kBackupOk{"backup.ok"};            // the first that succeeds after either

/// The events of the hub as a whole: those who run it hear of them.
[[nodiscard]] EventTypes operator_events();

class BackupWatch {
 public:
  /// How often a backup is made, and how much later it may be, in seconds.
  struct Terms {
    std::int64_t every_s = 0;  // 0: nobody expects any
    std::int64_t tolerance_s = 0;
  };
  /// 0 where there is none.
  struct Status {
    Timestamp ok_at;            // the last one that succeeded
    Timestamp failed_at;        // the last failure, if none has succeeded since
    Timestamp expected_since;   // when somebody began to expect them
    std::int64_t failures = 0;  // since the start of the process
    /// After which the next one is late.
    [[nodiscard]] std::optional<Timestamp> due_at(const Terms& terms) const;
  };
  /// Tells of an event with that data, JSON, in the transaction. `committed` runs when the write has succeeded.
  struct Announcer {
    std::function<Result<>(DirectoryTxn& txn, EventType type, const std::string& data)> queue;
    std::function<void()> committed;
  };

  BackupWatch(Directory& directory, const Clock& clock, Announcer announcer)
      : directory_(directory), clock_(clock), announcer_(std::move(announcer)) {}

  /// Reads what earlier processes have noted.
  [[nodiscard]] Result<> load();
  /// By the thread that makes the hub, before check().
  void expect(const Terms& terms) { terms_ = terms; }

  void note_success(const std::string& path);
  /// One that cannot be stored, because the disk is full, is stored by a later check().
  void note_failure(const std::string& path, const Error& error);
  /// Looks whether one is late. Called each minute. Nothing is late by a clock that is in doubt.
  void check();

  [[nodiscard]] Status status() const EXCLUDES(mutex_);
  /// What an operator should look at, in a sentence; empty if nothing.
  [[nodiscard]] std::string warning() const;
  [[nodiscard]] bool is_overdue() const;
  [[nodiscard]] static std::string warning(const Status& status, const Terms& terms, Timestamp now);

 private:
  struct Outcome {
    Timestamp at;
    std::string path;
    std::optional<std::string> error;
  };
  void note(Outcome outcome) EXCLUDES(writing_, mutex_);
  [[nodiscard]] Result<> store(const Outcome& outcome) REQUIRES(writing_) EXCLUDES(mutex_);
  [[nodiscard]] Result<> check_due() REQUIRES(writing_) EXCLUDES(mutex_);
  void set(const Status& status) EXCLUDES(mutex_);

  Directory& directory_;
  const Clock& clock_;
  const Announcer announcer_;
  Terms terms_;
  Mutex writing_;  // held from reading the marks until status_ says the same
  std::optional<Outcome> unstored_ GUARDED_BY(writing_);
  mutable Mutex mutex_;
  Status status_ GUARDED_BY(mutex_);
};

}  // namespace syncline
