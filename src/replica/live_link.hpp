// The live link: listens to the hub's Server-Sent Events (GET /v1/events) for changes of the spaces that are kept in
// step, and finds spaces that other devices have made. Only for hubs whose dialect has one; the others are polled.
// Safe from any thread; listen() is the loop of one.
#pragma once

#include <atomic>

#include "replica/space_set.hpp"

namespace syncline::replica {

class LiveLink {
 public:
  /// `spaces` outlives the link.
  explicit LiveLink(SpaceSet& spaces) : spaces_(spaces) {}

  /// Keeps the link open while there is a connection. Returns once a stop is requested.
  void listen(const std::stop_token& stop);
  /// Keeps in step what other devices have made at the hub, too. By itself that is looked for each interval.
  void find_spaces(const std::stop_token& stop);
  [[nodiscard]] bool is_up() const { return is_up_; }

 private:
  /// What has become of the link.
  enum class Change : std::uint8_t {
    up,
    closed,  // by this device
    lost,    // by the hub, or on the way
  };

  /// Opens the link once, until it ends. `was_up`: the hub has answered.
  void listen_once(const HubConnection& connection, http::Client& client, const std::stop_token& stop, bool& was_up);
  void find_spaces(std::int64_t connection, http::Client& client, const std::stop_token& stop);
  /// An event of the hub.
  void take_notice(std::int64_t connection, const std::string& event, const std::string& data);
  void note(Change change);

  SpaceSet& spaces_;
  std::atomic<bool> is_up_ = false;
};

}  // namespace syncline::replica
