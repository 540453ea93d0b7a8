// A Kiro state in memory, built from the space's feed and kept up with it. It holds committed changes only. Not safe
// for two threads at once; ViewCache gives it out.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include "api/kiro/command_index.hpp"
#include "api/kiro/space.hpp"

namespace syncline::kiro {

/// Which part of the state an answer has: everything, or what changed after a point.
struct Since {
  enum class By { nothing, last_update, seq };
  By by = By::nothing;
  std::int64_t last_update_ms = 0;
  Seq seq;
};

/// Agents are not shown the commands that wait for approval.
enum class Audience { everybody, agents };

class StateView {
 public:
  /// Takes in what the space has gained since the last call.
  [[nodiscard]] Result<> catch_up(Snapshot& snapshot);

  [[nodiscard]] Seq seq() const { return seq_; }
  /// 0 for an empty space.
  [[nodiscard]] std::int64_t last_update_ms() const { return last_update_ms_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// The complete state as JSON; the same string until something changes.
  [[nodiscard]] std::shared_ptr<const std::string> full(Audience audience);
  /// What changed, and what was deleted.
  [[nodiscard]] std::string delta(const Since& since, Audience audience) const;
  [[nodiscard]] bool has_changed(const Since& since) const;

  [[nodiscard]] const CommandIndex& command_index() const { return command_index_; }

 private:
  struct Item {
    std::string json;
    Seq seq;
    std::int64_t changed_ms = 0;
    bool deleted = false;
  };
  struct Conversation {
    std::int64_t n = 0;
    Seq seq;
    std::int64_t changed_ms = 0;
    bool deleted = true;                                       // until its own record is met
    std::map<std::pair<double, std::int64_t>, Item> messages;  // by timestamp, then arrival
  };

  void take(const RecordView& record);
  void take_conversation(const RecordView& record);
  void take_message(const RecordView& record);
  void take_item(std::map<std::string, Item>& items, const RecordView& record);
  void append_conversations(std::string& out, const Since& since) const;
  /// Up to the end of the commands, without the closing bracket.
  void append_state(std::string& out, const Since& since, Audience audience) const;

  Seq seq_;
  std::int64_t last_update_ms_ = 0;
  std::size_t bytes_ = 0;
  std::map<std::string, Conversation> conversations_;
  /// Where each message record stands now: an edit may move it.
  std::unordered_map<std::string, std::pair<std::string, std::pair<double, std::int64_t>>> message_places_;
  std::map<std::string, Item> documents_;
  std::map<std::string, Item> commands_;
  CommandIndex command_index_;
  std::shared_ptr<const std::string> rendered_;
  std::shared_ptr<const std::string> rendered_for_agents_;  // if it differs
};

}  // namespace syncline::kiro
