// Events: what happens in a space, for those outside who asked to be told (webhooks). An event commits together with
// the change it speaks of, so none is lost and none speaks of what did not happen.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace syncline {

enum class EventType : std::uint8_t {
  sync_completed,     // a push of a Kernle client was stored
  memory_created,     // a Kernle record that was not there before
  conflict_detected,  // a version lost a merge it had not seen
  record_changed,     // any record took a new seq
  command_completed,  // a Kiro command ended, well or not
  timer_started,      // a Kaisho timer
  timer_stopped,
};
inline constexpr std::size_t kEventTypes = 7;
/// "sync.completed"
[[nodiscard]] std::string_view to_text(EventType type);
[[nodiscard]] std::optional<EventType> event_type_from_text(std::string_view text);

class EventTypes {
 public:
  EventTypes() = default;
  EventTypes(std::initializer_list<EventType> types) {
    for (const EventType type : types) add(type);
  }
  void add(EventType type) { bits_ |= bit(type); }
  void add(EventTypes types) { bits_ |= types.bits_; }
  [[nodiscard]] bool has(EventType type) const { return (bits_ & bit(type)) != 0; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  [[nodiscard]] std::vector<std::string_view> names() const;

 private:
  static unsigned bit(EventType type) { return 1U << static_cast<unsigned>(type); }
  unsigned bits_ = 0;
};

/// Who wants to be told. Safe from any thread.
class EventAudience {
 public:
  virtual ~EventAudience() = default;
  /// What somebody of that account wants to be told of: other events are not made.
  [[nodiscard]] virtual EventTypes wanted(AccountNumber account) const = 0;
  /// Events have been committed. Called on the thread that committed: note it, return.
  virtual void on_events() = 0;
};

}  // namespace syncline
