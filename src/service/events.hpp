// Events: what happens in a space, for those outside who subscribed to it (webhooks). An event commits together with
// the change it reports, so none is lost and none reports what did not happen. Which types there are is up to the
// faces; the two that every space has are here.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace syncline {

/// A kind of event, by the name that subscribers know it by. Names are literals.
class EventType {
 public:
  consteval explicit EventType(const char* name) : name_(name) {}
  [[nodiscard]] constexpr std::string_view name() const { return name_; }
  bool operator==(const EventType&) const = default;

 private:
  std::string_view name_;
};

inline constexpr EventType kConflictDetected{"conflict.detected"};  // a version lost a merge it had not seen
inline constexpr EventType kRecordChanged{"record.changed"};        // any record took a new seq

/// A few types of events, each once.
class EventTypes {
 public:
  EventTypes() = default;
  EventTypes(std::initializer_list<EventType> types) {
    for (const EventType type : types) add(type);
  }
  void add(EventType type) {
    if (!has(type)) types_.push_back(type);
  }
  void add(const EventTypes& types) {
    for (const EventType type : types.types_) add(type);
  }
  [[nodiscard]] bool has(EventType type) const {
    for (const EventType each : types_) {
      if (each == type) return true;
    }
    return false;
  }
  [[nodiscard]] bool empty() const { return types_.empty(); }
  /// In the order in which they were added.
  [[nodiscard]] std::vector<std::string_view> names() const;
  [[nodiscard]] std::optional<EventType> find(std::string_view name) const;
  /// Those of these types whose names are in the list, in the order of these types.
  [[nodiscard]] EventTypes named_in(const std::vector<std::string_view>& names) const;

 private:
  std::vector<EventType> types_;
};

/// Who has subscribed. Safe from any thread.
class EventAudience {
 public:
  virtual ~EventAudience() = default;
  /// What somebody of that account has subscribed to: other events are not made.
  [[nodiscard]] virtual EventTypes wanted(AccountNumber account) const = 0;
  /// Events have been committed. Called on the thread that committed: note it, return.
  virtual void on_events() = 0;
};

}  // namespace syncline
