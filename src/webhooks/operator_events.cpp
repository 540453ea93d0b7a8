#include "webhooks/operator_events.hpp"

#include "service/access_records.hpp"
#include "service/backup_watch.hpp"
#include "webhooks/delivery_queue.hpp"

namespace syncline::webhooks {

Result<> check_audience(const EventTypes& events, Role role) {
  if (role == Role::admin) return {};
  for (const std::string_view name : operator_events().names()) {
    if (events.find(name)) {
      return fail(ErrorCode::forbidden, "only the webhooks of admins receive " + std::string(name));
    }
  }
  return {};
}

Result<> queue_operator_event(DirectoryTxn& txn, const Subscriptions& subscriptions, EventType type,
                              const std::string& data) {
  const std::string name(type.name());
  Delivery delivery{.number = 0,
                    .account = {},
                    .webhook = {},
                    .message = "msg_" + name + '_' + std::to_string(txn.now().micros),
                    .type = name,
                    .body = {},
                    .created_at = txn.now(),
                    .next_at = txn.now(),
                    .last_at = {},
                    .last_error = {}};
  delivery.body = event_body(name, txn.now(), data);
  for (const Webhook& webhook : subscriptions.list(std::nullopt)) {
    if (!webhook.enabled || !webhook.events.has(type)) continue;
    TRY(const auto account, txn.find_account(webhook.account));
    if (!account || access::account_from(*account).role != Role::admin) continue;
    delivery.account = webhook.account;
    delivery.webhook = webhook.id;
    CHECK_OK(txn.add_delivery(delivery));
  }
  return {};
}

}  // namespace syncline::webhooks
