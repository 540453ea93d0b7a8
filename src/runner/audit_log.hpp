// An append-only record of what was asked of a runner and what became of it: one JSON object a line, each with the hash
// of the line before, so that a line changed or taken out is found. The length and the last hash are also kept in a
// file beside it and in the intent log, so that lines cut off at the end are found too. Safe from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/file_descriptor.hpp"
#include "base/mutex.hpp"
#include "base/time.hpp"
#include "runner/intent_log.hpp"
#include "runner/order.hpp"

namespace syncline::runner {

class AuditLog {
 public:
  /// Opens or makes the file and continues its chain. A last line that a crash has cut short is closed.
  /// If lines are missing, the log says so from then on.
  [[nodiscard]] static Result<std::unique_ptr<AuditLog>> open(const std::string& path, IntentLog& intents,
                                                              const Clock& clock);
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;
  ~AuditLog();

  struct Event {
    std::string_view what;  // started, ended, refused, asked, delivered_again, lost, ...
    const Order* order = nullptr;
    std::string_view id;  // if there is no order any more
    std::string_view rule;
    std::string_view outcome;  // status or error
    std::optional<int> exit_code;
  };
  enum class Sync { now, with_the_next };
  /// In the file when it returns; on disk too, unless it may wait for the next line that is synced.
  [[nodiscard]] Result<> append(const Event& event, Sync sync = Sync::now);

 private:
  AuditLog(FileDescriptor file, FileDescriptor head, IntentLog& intents, const Clock& clock, std::int64_t count,
           std::string last_hash)
      : file_(std::move(file)),
        head_(std::move(head)),
        intents_(intents),
        clock_(clock),
        count_(count),
        last_hash_(std::move(last_hash)) {}
  [[nodiscard]] Result<> write_head() REQUIRES(mutex_);
  [[nodiscard]] Result<> write_line(const std::string& line, Sync sync) REQUIRES(mutex_);

  const FileDescriptor file_;
  const FileDescriptor head_;
  IntentLog& intents_;
  const Clock& clock_;
  Mutex mutex_;
  std::int64_t count_ GUARDED_BY(mutex_);
  std::string last_hash_ GUARDED_BY(mutex_);
};

struct AuditVerdict {
  std::int64_t lines = 0;
  std::string last_hash;
  /// What is wrong, with the number of the line; empty if all is well.
  std::string fault;
};
/// Reads the whole log. `known`: what the intent log knows of it, read before. not_found if there is no log, and never
/// was one.
[[nodiscard]] Result<AuditVerdict> verify_audit_log(const std::string& path, const std::optional<ChainHead>& known);

}  // namespace syncline::runner
