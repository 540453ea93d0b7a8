// Messages on their way to webhooks: a durable queue and the log of what became of each, rows of the directory. Safe
// from any thread; the changing functions wait for the disk, so they are not for network threads.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "store/store.hpp"

namespace syncline::webhooks {

using Delivery = DeliveryRow;
[[nodiscard]] std::string_view to_text(Delivery::State state);

/// What is posted: {"type", "timestamp", "data"}. `data` is JSON.
[[nodiscard]] std::string event_body(std::string_view type, Timestamp at, std::string_view data);

class DeliveryQueue {
 public:
  explicit DeliveryQueue(Store& store) : directory_(store.directory()) {}

  struct Message {
    std::string id;
    AccountNumber account;
    std::string type;
    std::string body;
    std::vector<std::string> webhooks;
  };
  /// Queues them, durably, some hundred in each write; after an error, perhaps only the first ones. Left out is a
  /// message that a webhook has had, and a webhook that is not there any more.
  [[nodiscard]] Result<> add(const std::vector<Message>& messages);
  /// Of those webhooks the delivery that waits and is due first, perhaps only later; nothing if none waits.
  [[nodiscard]] Result<std::optional<Delivery>> first_waiting(const std::vector<std::string>& webhooks);
  /// Notes an attempt: its state, attempts, next_at and last_* as they stand in `delivery`. Nothing if it has been
  /// replayed since: `was_due_at` is the next_at of before.
  [[nodiscard]] Result<> update(const Delivery& delivery, Timestamp was_due_at);
  /// The receiver is there again: what waits for it need not wait longer, and may try once more than otherwise.
  [[nodiscard]] Result<> retry_now(std::string_view webhook);
  /// Newest first.
  [[nodiscard]] Result<std::vector<Delivery>> list(std::string_view webhook, std::size_t count_max);
  /// Sends it once more, also if it was delivered. not_found for a delivery of another webhook.
  [[nodiscard]] Result<Delivery> replay(std::string_view webhook, std::int64_t number);
  /// All that failed. Returns how many.
  [[nodiscard]] Result<std::int64_t> replay_failed(std::string_view webhook);
  /// Removes what has ended before.
  [[nodiscard]] Result<> purge(Timestamp before);

 private:
  [[nodiscard]] Result<> add_together(std::span<const Message> messages);
  using Alter = std::function<void(Delivery& delivery, Timestamp now)>;
  /// Alters those of that state that are due after `after` (the time of the write if nothing), some thousand in each
  /// write, so that nobody else waits long. Altered ones must not be found again. Returns how many there were.
  [[nodiscard]] Result<std::int64_t> alter_all(std::string_view webhook, Delivery::State state,
                                               std::optional<Timestamp> after, const Alter& alter);

  Directory& directory_;
};

}  // namespace syncline::webhooks
