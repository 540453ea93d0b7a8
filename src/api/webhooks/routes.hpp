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

/// A webhook as answers show it; with its secret where that is said: when it is made, and when it is rotated.
[[nodiscard]] std::string webhook_text(const Webhook& webhook, bool with_secret);
/// {"webhooks": [...]} and {"deliveries": [...]}.
[[nodiscard]] std::string webhooks_text(const std::vector<Webhook>& webhooks);
[[nodiscard]] std::string deliveries_text(const std::vector<Delivery>& deliveries);

[[nodiscard]] std::vector<api::Route> make_routes(Services services);

}  // namespace syncline::webhooks
