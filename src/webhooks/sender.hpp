// Sends events to webhooks: takes them from the store, queues a message for each receiver, and posts it until the
// receiver has it or is given up. Threads of its own, one request at a time to a receiver, so a slow or dead one delays
// nobody else, and never whoever writes.
#pragma once

#include <set>
#include <thread>

#include "base/mutex.hpp"
#include "http/client.hpp"
#include "webhooks/delivery_queue.hpp"
#include "webhooks/subscriptions.hpp"

namespace syncline::webhooks {

class Sender {
 public:
  struct Options {
    /// A client for one URL, which must refuse addresses that webhooks may not reach.
    std::function<std::unique_ptr<http::Client>(const std::string& url)> connect;
    /// Pauses before the second, third ... attempt. After the last one the receiver is given up.
    std::vector<std::int64_t> retry_s;
    std::int64_t timeout_ms = 20'000;
    std::size_t threads = 8;
  };

  Sender(Store& store, DeliveryQueue& queue, Subscriptions& subscriptions, const Clock& clock, Options options)
      : store_(store), queue_(queue), subscriptions_(subscriptions), clock_(clock), options_(std::move(options)) {}
  ~Sender() { stop(); }

  void start();
  /// Ends requests under way; what was not delivered is sent after the next start.
  void stop();
  /// There are events, or something has changed: look at once.
  void wake();
  /// One piece of work, on the calling thread: takes events in, or makes one attempt. False if there is nothing to do.
  [[nodiscard]] bool step(const std::stop_token& stop = {});

 private:
  void run(const std::stop_token& stop);
  [[nodiscard]] Result<> queue_events() EXCLUDES(wake_mutex_);
  [[nodiscard]] std::optional<Delivery> take_due() EXCLUDES(wake_mutex_, mutex_);
  void attempt(Delivery delivery, const std::stop_token& stop) EXCLUDES(wake_mutex_, mutex_);
  void note_outcome(const Webhook& webhook, Delivery delivery, const Result<http::ClientResponse>& answer);
  /// Sets the pause of the receiver; true if it was down and is there again.
  [[nodiscard]] bool note_receiver(const std::string& webhook, bool delivered, std::int64_t pause_s);
  void give_up(const Webhook& webhook, std::string_view because);
  void note_trouble(const Error& error) EXCLUDES(wake_mutex_);
  /// Webhooks that stand and that no request is under way to, nor a pause after a failure.
  [[nodiscard]] std::vector<std::string> ready_webhooks() const REQUIRES(mutex_);
  [[nodiscard]] std::int64_t wait_ms() EXCLUDES(wake_mutex_, mutex_);

  Store& store_;
  DeliveryQueue& queue_;
  Subscriptions& subscriptions_;
  const Clock& clock_;
  const Options options_;

  // Never held while the disk is waited for: whoever has committed takes it.
  Mutex wake_mutex_;
  StoppableCondVar woken_;
  bool has_events_ GUARDED_BY(wake_mutex_) = true;  // perhaps: from before the start
  bool is_queueing_ GUARDED_BY(wake_mutex_) = false;
  bool in_trouble_ GUARDED_BY(wake_mutex_) = false;  // with the store or the queue: look again soon

  Mutex mutex_;
  std::set<std::string, std::less<>> busy_ GUARDED_BY(mutex_);
  std::map<std::string, Timestamp, std::less<>> paused_until_ GUARDED_BY(mutex_);
  /// Failures one after the other of each receiver. Of one that is not in it yet, so that it is as if it had been down.
  std::map<std::string, int, std::less<>> failures_ GUARDED_BY(mutex_);
  std::vector<std::jthread> threads_;
};

}  // namespace syncline::webhooks
