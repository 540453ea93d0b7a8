// Messages on their way to webhooks: a durable queue and the log of what became of each, in a file of its own, so that
// it never stands in the way of the store. Safe from any thread.
#pragma once

#include <optional>
#include <vector>

#include "base/mutex.hpp"
#include "store/sqlite/side_file.hpp"
#include "store/store.hpp"

namespace syncline {

struct Delivery {
  enum class State : std::uint8_t { waiting, delivered, failed };

  std::int64_t number = 0;
  std::string webhook;
  std::string message;  // id, the same in every attempt and for every receiver
  std::string type;
  std::string body;
  State state = State::waiting;
  std::int64_t attempts = 0;
  Timestamp created_at;
  Timestamp next_at;  // of waiting ones
  Timestamp last_at;  // of the last attempt; 0 before the first
  std::int64_t last_status = 0;
  std::string last_error;
};
[[nodiscard]] std::string_view to_text(Delivery::State state);

class DeliveryQueue {
 public:
  /// The file is opened, or made, when it is first needed. ":memory:" keeps the queue in memory.
  explicit DeliveryQueue(std::string path);

  struct Message {
    std::string id;
    std::string type;
    std::string body;
    std::vector<std::string> webhooks;
  };
  /// Queues them, durably; a message that a webhook has had is left out.
  [[nodiscard]] Result<> add(const std::vector<Message>& messages, Timestamp now);
  /// Of those webhooks the delivery that waits and is due first, perhaps only later; nothing if none waits.
  [[nodiscard]] Result<std::optional<Delivery>> first_waiting(const std::vector<std::string>& webhooks);
  /// Notes an attempt: its state, attempts, next_at and last_* as they stand in `delivery`. Nothing if it has been
  /// replayed since: `was_due_at` is the next_at of before.
  [[nodiscard]] Result<> update(const Delivery& delivery, Timestamp was_due_at);
  /// The receiver is there again: what waits for it need not wait longer, and may try once more than otherwise.
  [[nodiscard]] Result<> retry_now(std::string_view webhook, Timestamp now);
  /// Newest first.
  [[nodiscard]] Result<std::vector<Delivery>> list(std::string_view webhook, std::size_t count_max);
  /// Sends it once more, also if it was delivered. not_found for a delivery of another webhook.
  [[nodiscard]] Result<Delivery> replay(std::string_view webhook, std::int64_t number, Timestamp now);
  /// All that failed. Returns how many.
  [[nodiscard]] Result<std::int64_t> replay_failed(std::string_view webhook, Timestamp now);
  [[nodiscard]] Result<> forget(std::string_view webhook);
  /// Removes what is for others than these; not what is younger, for they may be new.
  [[nodiscard]] Result<> remove_all_except(const std::vector<std::string>& webhooks, Timestamp made_before);
  /// Removes what has ended before.
  [[nodiscard]] Result<> purge(Timestamp before);

 private:
  /// In one transaction.
  [[nodiscard]] Result<> write(const std::function<Result<>(sqlite::Connection&)>& run) EXCLUDES(mutex_);

  Mutex mutex_;
  sqlite::SideFile file_ GUARDED_BY(mutex_);
};

}  // namespace syncline
