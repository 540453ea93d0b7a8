// The hub's audit log as its services use it: acts that are a write of the directory are recorded in that very
// transaction; what happens elsewhere, or while nothing can be written, follows with the next write that succeeds. Safe
// from any thread; everything here waits for the disk, so none of it is for network threads or write functions.
#pragma once

#include <unordered_map>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/time.hpp"
#include "service/audit_entry.hpp"

namespace syncline {

/// Decides which refusals are written down, so that a flood of them does not fill the disk: the first ones of each
/// network and of all together in an hour, and after that every one with a round number (20, 50, 100, 200 ...).
class RefusalCounter {
 public:
  static constexpr std::int64_t kOfOneNetwork = 10;
  static constexpr std::int64_t kOfAll = 50;

  /// Counts a refusal of that client. How many there were in this hour if it is to be written down, else nothing.
  [[nodiscard]] std::optional<std::int64_t> count(const std::string& address, Timestamp now) EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  Timestamp since_ GUARDED_BY(mutex_);
  std::int64_t all_ GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, std::int64_t> by_network_ GUARDED_BY(mutex_);
};

class AuditTrail {
 public:
  AuditTrail(Directory& directory, const Clock& clock) : directory_(directory), clock_(clock) {}

  /// Directory::write() in which record() knows who acts on this thread. Entries that wait are stored with it.
  [[nodiscard]] Result<> write(const DirectoryWriteFunction& run);
  /// What was done outside of the directory, or could be stored only in part: stored at once, or with the next write
  /// that succeeds. At most 1,000 entries wait; for more, the log says how many are missing.
  void note(AuditEvent event);
  /// Somebody was refused; not all of many are written down.
  void note_refusal(AuditEvent event);
  /// Stores what waits.
  [[nodiscard]] Result<> flush();
  [[nodiscard]] bool has_waiting() EXCLUDES(mutex_);
  /// Revocations that an earlier process could store only in the reserve get their entry with the next write.
  [[nodiscard]] Result<> adopt_reserve();

  struct Query {
    std::string account;  // acting or concerned; empty: any
    std::string action;   // "key.revoked", or "key" for all that begin with "key."; empty: any
    std::optional<Timestamp> since;
    std::int64_t before = 0;  // only entries with smaller numbers; 0: all
    std::size_t limit = 100;
  };
  struct Page {
    std::vector<AuditEntry> entries;  // newest first
    std::int64_t next = 0;            // Query::before of the next page; 0: there is none
    std::int64_t examined = 0;        // entries that were looked at, whether the query wants them or not
  };
  /// Entries that a page looks at. A page ends there, perhaps without an entry, and the next one continues: a query
  /// that finds little takes no longer than others.
  static constexpr std::int64_t kExaminedMax = 10'000;
  [[nodiscard]] Result<Page> list(const Query& query);
  [[nodiscard]] Result<AuditVerdict> verify();
  /// Removes entries of before `until`, and the oldest ones beyond limits::kAuditEntriesMax.
  [[nodiscard]] Result<> purge(Timestamp until);

 private:
  struct Noted {
    Actor actor;
    Timestamp at;
    AuditEvent event;
  };
  struct Waiting {
    std::vector<Noted> entries;
    std::int64_t dropped = 0;  // more than may wait
  };
  void keep(Noted entry) REQUIRES(mutex_);
  [[nodiscard]] Waiting take_waiting() EXCLUDES(mutex_);
  void give_back(Waiting taken) EXCLUDES(mutex_);
  [[nodiscard]] static Result<> store(DirectoryTxn& txn, const Waiting& waiting);

  Directory& directory_;
  const Clock& clock_;
  RefusalCounter refusals_;
  Mutex mutex_;
  Waiting waiting_ GUARDED_BY(mutex_);
};

}  // namespace syncline
