// Events of the hub as a whole, which belong to no space: they go to the webhooks of admins. Safe from any thread.
#pragma once

#include "webhooks/subscriptions.hpp"

namespace syncline::webhooks {

/// forbidden if one of these is an event of the hub as a whole, and the webhook is not an admin's.
[[nodiscard]] Result<> check_audience(const EventTypes& events, Role role);

/// Queues the event for each webhook that is enabled, has subscribed to it and belongs to an account that is an admin
/// now. `data` is JSON. Part of the write function that `txn` belongs to; wake the sender when it has succeeded.
[[nodiscard]] Result<> queue_operator_event(DirectoryTxn& txn, const Subscriptions& subscriptions, EventType type,
                                            const std::string& data);

}  // namespace syncline::webhooks
