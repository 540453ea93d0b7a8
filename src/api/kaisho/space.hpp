// The space of the Kaisho face: its collections and what is particular about them. The rules hold on every route into
// the space, a node's push through /v1 included.
#pragma once

#include "service/events.hpp"
#include "service/space_writer.hpp"
#include "wire/kaisho_rows.hpp"

namespace syncline::kaisho {

// What webhooks can subscribe to.
inline constexpr EventType kTimerStarted{"timer.started"};
inline constexpr EventType kTimerStopped{"timer.stopped"};

/// When a desktop acknowledged an entry: kept beside the feed, for it is no change of the entry.
[[nodiscard]] inline std::string synced_at_value(std::string_view id) { return "synced_at/" + std::string(id); }

/// That an entry came from another device without a customer, and nobody has given it one here: kept beside the feed.
[[nodiscard]] inline std::string from_cloud_value(std::string_view id) { return "from_cloud/" + std::string(id); }

[[nodiscard]] SpaceRules make_space_rules();

/// `{"event":...,"data":...}`, as the sockets send it. `data` is JSON.
[[nodiscard]] std::string event_text(std::string_view event, std::string_view data);

}  // namespace syncline::kaisho
