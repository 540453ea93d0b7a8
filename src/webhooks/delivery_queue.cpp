#include "webhooks/delivery_queue.hpp"

#include <algorithm>

#include "base/json_object.hpp"

namespace syncline::webhooks {
namespace {

/// Rows of one write: so few that whoever writes next waits for some milliseconds. They are added while people push.
constexpr std::size_t kDeliveriesEach = 1000;
constexpr std::size_t kAddedEach = 256;
constexpr Timestamp kBeforeAll{-1};

}  // namespace

std::string_view to_text(Delivery::State state) {
  switch (state) {
    case Delivery::State::waiting: return "waiting";
    case Delivery::State::delivered: return "delivered";
    case Delivery::State::failed: return "failed";
  }
  return "waiting";
}

std::string event_body(std::string_view type, Timestamp at, std::string_view data) {
  std::string body;
  JsonWriter(body)
      .begin_object()
      .string("type", type)
      .string("timestamp", format_time(at))
      .raw("data", data)
      .end_object();
  return body;
}

Result<> DeliveryQueue::add(const std::vector<Message>& messages) {
  for (std::span<const Message> left(messages); !left.empty();) {
    std::size_t taken = 0;
    for (std::size_t rows = 0; taken < left.size() && rows < kAddedEach; ++taken) rows += left[taken].webhooks.size();
    CHECK_OK(add_together(left.first(taken)));
    left = left.subspan(taken);
  }
  return {};
}

Result<> DeliveryQueue::add_together(std::span<const Message> messages) {
  return directory_.write([&](DirectoryTxn& txn) -> Result<> {
    for (const Message& message : messages) {
      Delivery delivery{.number = 0,
                        .account = message.account,
                        .webhook = {},
                        .message = message.id,
                        .type = message.type,
                        .body = message.body,
                        .created_at = txn.now(),
                        .next_at = txn.now(),
                        .last_at = {},
                        .last_error = {}};
      for (const std::string& webhook : message.webhooks) {
        delivery.webhook = webhook;
        CHECK_OK(txn.add_delivery(delivery));
      }
    }
    return {};
  });
}

Result<std::optional<Delivery>> DeliveryQueue::first_waiting(const std::vector<std::string>& webhooks) {
  std::optional<Delivery> first;
  if (webhooks.empty()) return first;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(first, view.find_next_delivery(webhooks));
    return {};
  }));
  return first;
}

Result<> DeliveryQueue::update(const Delivery& delivery, Timestamp was_due_at) {
  return directory_.write([&](DirectoryTxn& txn) -> Result<> {
    TRY(auto stored, txn.find_delivery(delivery.webhook, delivery.number));
    if (!stored || stored->next_at != was_due_at) return {};
    stored->state = delivery.state;
    stored->attempts = delivery.attempts;
    stored->next_at = delivery.next_at;
    stored->last_at = delivery.last_at;
    stored->last_status = delivery.last_status;
    stored->last_error = delivery.last_error;
    return txn.put_delivery(*stored);
  });
}

Result<std::int64_t> DeliveryQueue::alter_all(std::string_view webhook, Delivery::State state,
                                              std::optional<Timestamp> after, const Alter& alter) {
  std::int64_t count = 0;
  for (;;) {
    std::vector<Delivery> found;
    CHECK_OK(directory_.write([&](DirectoryTxn& txn) -> Result<> {
      found.clear();
      CHECK_OK(txn.deliveries_due_after(webhook, state, after.value_or(txn.now()), [&](const Delivery& delivery) {
        found.push_back(delivery);
        return found.size() < kDeliveriesEach;
      }));
      for (Delivery& delivery : found) {
        alter(delivery, txn.now());
        CHECK_OK(txn.put_delivery(delivery));
      }
      return {};
    }));
    count += static_cast<std::int64_t>(found.size());
    if (found.size() < kDeliveriesEach) return count;
  }
}

Result<> DeliveryQueue::retry_now(std::string_view webhook) {
  TRY([[maybe_unused]] const std::int64_t count,
      alter_all(webhook, Delivery::State::waiting, std::nullopt, [](Delivery& delivery, Timestamp now) {
        delivery.next_at = now;
        delivery.attempts = std::max<std::int64_t>(0, delivery.attempts - 1);
      }));
  return {};
}

Result<std::vector<Delivery>> DeliveryQueue::list(std::string_view webhook, std::size_t count_max) {
  std::vector<Delivery> found;
  CHECK_OK(directory_.read([&](DirectoryView& view) {
    std::size_t bytes = 0;
    return view.deliveries(webhook, count_max, [&](const Delivery& delivery) {
      found.push_back(delivery);
      bytes += delivery.body.size();
      return bytes < kListBytesMax;
    });
  }));
  return found;
}

Result<Delivery> DeliveryQueue::replay(std::string_view webhook, std::int64_t number) {
  std::optional<Delivery> delivery;
  CHECK_OK(directory_.write([&](DirectoryTxn& txn) -> Result<> {
    TRY(delivery, txn.find_delivery(webhook, number));
    if (!delivery) return fail(ErrorCode::not_found, "delivery " + std::to_string(number) + " not found");
    delivery->state = Delivery::State::waiting;
    delivery->attempts = 0;
    delivery->next_at = txn.now();
    return txn.put_delivery(*delivery);
  }));
  return *std::move(delivery);
}

Result<std::int64_t> DeliveryQueue::replay_failed(std::string_view webhook) {
  return alter_all(webhook, Delivery::State::failed, kBeforeAll, [](Delivery& delivery, Timestamp now) {
    delivery.state = Delivery::State::waiting;
    delivery.attempts = 0;
    delivery.next_at = now;
  });
}

Result<> DeliveryQueue::purge(Timestamp before) {
  for (std::size_t removed = kDeliveriesEach; removed == kDeliveriesEach;) {
    CHECK_OK(directory_.write([&](DirectoryTxn& txn) -> Result<> {
      TRY(removed, txn.remove_ended_deliveries(before, kDeliveriesEach));
      return {};
    }));
  }
  return {};
}

}  // namespace syncline::webhooks
