// Entries of the audit log: who did what, from where, to what, and with which outcome. An entry never has a secret: no
// password, token, code or document. The functions run in a transaction of the directory, which adds the entry together
// with what it tells of.
#pragma once

#include "service/principal.hpp"
#include "store/directory.hpp"

namespace syncline {

struct Actor {
  /// What the operator is called who runs commands on the hub's machine. No address of an account is like it.
  static constexpr std::string_view kOperator = "operator";

  std::string account;  // its address, or kOperator; empty: nobody is known
  std::string key;      // id of the key or session that the request came with
  std::string label;    // of that key
  std::string address;  // of the client, behind a trusted proxy too
};

/// While it lives, what this thread does is done by that actor: requests and commands begin with one, and pass it on to
/// the threads that continue them. Innermost counts.
class ActingAs {
 public:
  explicit ActingAs(Actor actor) : actor_(std::move(actor)), outer_(innermost_) { innermost_ = this; }
  /// `principal` may be null.
  ActingAs(const Principal* principal, std::string_view address) : ActingAs(make_actor(principal, address)) {}
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;
  ~ActingAs() { innermost_ = outer_; }

  /// Who acts on this thread; an empty actor if nobody has said so.
  [[nodiscard]] static Actor current();

 private:
  [[nodiscard]] static Actor make_actor(const Principal* principal, std::string_view address);

  const Actor actor_;
  const ActingAs* const outer_;
  static thread_local const ActingAs* innermost_;
};

struct AuditEvent {
  std::string action;   // "key.revoked"
  std::string account;  // address of the account that it concerns
  std::string target;   // id of the key, command, webhook ...
  std::string detail;   // a few words for people
  bool succeeded = true;
  /// The act shows itself that the account which it concerns is the one that acts, as a login does.
  bool by_account = false;
};

/// Adds an entry about what whoever acts on this thread does, at the transaction's time. If the log does not end where
/// it should, an entry that says so comes first.
[[nodiscard]] Result<> record(DirectoryTxn& txn, const AuditEvent& event);
/// The same about what somebody did at that time.
[[nodiscard]] Result<> record(DirectoryTxn& txn, Actor actor, Timestamp at, const AuditEvent& event);

/// An entry as it is stored, taken apart. Texts are empty where it says nothing.
struct AuditEntry {
  std::int64_t number = 0;
  Timestamp at;
  Actor actor;
  AuditEvent event;
};
/// What cannot be read any more is empty.
[[nodiscard]] AuditEntry audit_entry_from(const AuditRow& row);

struct AuditVerdict {
  std::int64_t entries = 0;
  std::int64_t first = 0;  // number of the first entry that is kept; 0: there is none
  ChainHead last;          // where the log ends
  /// What is wrong, and the number of the entry that shows it; empty and 0 if all is well.
  std::string fault;
  std::int64_t fault_at = 0;
};
/// Reads the whole log.
[[nodiscard]] Result<AuditVerdict> verify_audit(DirectoryView& view);

/// Removes the oldest entries: those of before `until`, and as many as are too many; at most `count_max` at once.
/// Returns how many are gone. `damaged` if an entry that would go is not what it should be: it stays for whoever
/// examines the log.
[[nodiscard]] Result<std::int64_t> purge_audit(DirectoryTxn& txn, Timestamp until, std::int64_t keep_max,
                                               std::int64_t count_max);

}  // namespace syncline
