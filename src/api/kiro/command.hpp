// A remote command as the rules see it. A document is parsed once into these fields, the rules change the fields, and
// to_object() writes them back once. All other members keep their bytes and their places. A plain value.
#pragma once

#include "base/json_object.hpp"
#include "core/command.hpp"

namespace syncline::kiro {

/// What a runner says when it hands a command back.
struct ApprovalRequest {
  std::string rule;     // of its policy, for people
  std::string pattern;  // what an approval for good would cover
  std::string runner;   // id of the key of the runner that asked: nobody else may use the answer
  std::string hash;     // of what the command asks for, so that the answer counts for nothing else

  friend bool operator==(const ApprovalRequest&, const ApprovalRequest&) = default;
};

/// Where the question stands whether a command may run.
struct Approval {
  enum class State : std::uint8_t { requested, approved, denied };

  State state = State::requested;
  ApprovalRequest request;
  std::int64_t at_ms = 0;  // of the question, or of the answer once there is one
  std::string by;          // who answered
  bool for_good = false;   // the answer counts for all commands of that pattern

  friend bool operator==(const Approval&, const Approval&) = default;
};
[[nodiscard]] std::string to_json(const Approval& approval);

struct Command {
  /// Who handed it in.
  struct Submitter {
    std::string key_id;
    std::string label;
  };

  Command() = default;
  /// `document`: as it is stored or answered, or what a client asks for.
  explicit Command(JsonObject document);
  explicit Command(JsonView document) : Command(JsonObject(document)) {}

  std::string type;  // a name of kCommandTypeNames, unless it comes from elsewhere
  std::int64_t priority = 0;
  CommandStatus status = CommandStatus::failed;
  std::optional<std::int64_t> ttl_ms;  // how long it may wait for a runner; 0: for ever
  std::optional<std::int64_t> created_at_ms;
  std::optional<std::int64_t> updated_at_ms;
  std::optional<Submitter> submitter;
  std::string claimed_by;  // id of the runner's key; empty: no runner has it
  std::optional<std::int64_t> lease_ms;
  bool cancel_requested = false;
  std::optional<Approval> approval;

  /// True while the command waits for somebody's approval.
  [[nodiscard]] bool is_held() const {
    return status == CommandStatus::pending && approval && approval->state == Approval::State::requested;
  }
  /// True while the runner with that key has it.
  [[nodiscard]] bool is_run_by(std::string_view key_id) const {
    return status == CommandStatus::processing && claimed_by == key_id;
  }

  void move_to(CommandStatus next, std::int64_t now_ms) {
    status = next;
    updated_at_ms = now_ms;
  }
  void fail(std::string_view error, std::int64_t now_ms);
  void release() {
    claimed_by.clear();
    lease_ms.reset();
  }

  /// The document as it came.
  [[nodiscard]] const JsonObject& document() const { return document_; }
  /// Adds or replaces a member that is none of the fields above: what a runner reports.
  void report(std::string_view name, std::string json) { reported_.set(name, std::move(json)); }

  /// The document as it is now.
  [[nodiscard]] JsonObject to_object() const;
  [[nodiscard]] std::string to_text() const { return to_object().to_text(); }

 private:
  JsonObject document_;
  JsonObject reported_;
};

}  // namespace syncline::kiro
