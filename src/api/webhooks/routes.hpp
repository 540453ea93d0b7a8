// Webhooks: setting them up, and what became of their messages.
#pragma once

#include "api/router.hpp"
#include "service/spaces.hpp"
#include "webhooks/sender.hpp"

namespace syncline::webhooks {

struct Services {
  Subscriptions& subscriptions;
  DeliveryQueue& queue;
  Spaces& spaces;
  std::function<void()> wake;  // the sender
};

/// A webhook as answers show it, without its secret.
void append_webhook(JsonWriter& writer, const Webhook& webhook);
/// A delivery as answers show it.
void append_delivery(JsonWriter& writer, const Delivery& delivery);
/// The events of a JSON list or of a list separated by commas; invalid_argument names the first that is none.
[[nodiscard]] Result<EventTypes> read_events(const std::vector<std::string>& names);

[[nodiscard]] std::vector<api::Route> make_routes(Services services);

}  // namespace syncline::webhooks
