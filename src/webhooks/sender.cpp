#include "webhooks/sender.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "webhooks/signature.hpp"

namespace syncline::webhooks {
namespace {

constexpr std::size_t kEventsAtOnce = 500;
constexpr std::int64_t kLongestWaitMs = 60'000;
constexpr std::int64_t kPauseAfterTroubleMs = 1000;
constexpr std::int64_t kRetryAfterSecondsMax = 86'400;
constexpr int kGone = 410;

/// The same whenever the event is queued. With its time, for a store that went back gives its number to another one.
std::string id_of(const Store& store, const Event& event) {
  return "msg_" + store.epoch() + '_' + std::to_string(event.number.value) + '_' + std::to_string(event.at.micros);
}

/// Up to a tenth more, so that the retries of many do not meet.
std::int64_t with_jitter(std::int64_t seconds) {
  const std::int64_t micros = seconds * kMicrosPerSecond;
  return micros + static_cast<std::int64_t>(random_number() % static_cast<std::uint64_t>(micros / 10 + 1));
}

}  // namespace

void Sender::start() {
  for (std::size_t i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
}

void Sender::stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
}

void Sender::wake() {
  {
    const MutexLock lock(wake_mutex_);
    has_events_ = true;
  }
  woken_.notify_all();
}

void Sender::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (step(stop)) continue;
    const std::int64_t milliseconds = wait_ms();
    const MutexLock lock(wake_mutex_);
    const std::chrono::milliseconds pause(in_trouble_ ? kPauseAfterTroubleMs : milliseconds);
    const Deadline deadline = Deadline::clock::now() + pause;
    while ((!has_events_ || is_queueing_ || in_trouble_) && woken_.wait_until(wake_mutex_, stop, deadline)) {
    }
    in_trouble_ = false;
    has_events_ = true;  // perhaps: also after trouble with the store
  }
}

bool Sender::step(const std::stop_token& stop) {
  bool takes_in = false;
  {
    const MutexLock lock(wake_mutex_);
    takes_in = has_events_ && !is_queueing_;
    if (takes_in) {
      is_queueing_ = true;
      has_events_ = false;
    }
  }
  if (takes_in) {
    const auto taken = queue_events();
    if (!taken) note_trouble(taken.error());
    {
      const MutexLock lock(wake_mutex_);
      is_queueing_ = false;
    }
    woken_.notify_all();  // others may look for what is due now
    if (taken) return true;
  }
  auto delivery = take_due();
  if (!delivery) return false;
  attempt(*std::move(delivery), stop);
  return true;
}

void Sender::note_trouble(const Error& error) {
  log(LogLevel::warning, "webhook_queue_failed", {{"error", error.text}});
  const MutexLock lock(wake_mutex_);
  in_trouble_ = true;
}

Result<> Sender::queue_events() {
  for (;;) {
    TRY(const auto events, store_.take_events(kEventsAtOnce));
    if (events.empty()) return {};
    std::vector<EventNumber> taken;
    taken.reserve(events.size());
    const auto webhooks = subscriptions_.list(std::nullopt);
    std::vector<DeliveryQueue::Message> messages;
    for (const Event& event : events) {
      taken.push_back(event.number);
      DeliveryQueue::Message message{.id = id_of(store_, event),
                                     .account = event.account,
                                     .type = event.type,
                                     .body = event_body(event.type, event.at, event.data),
                                     .webhooks = {}};
      for (const Webhook& webhook : webhooks) {
        const bool wants = webhook.enabled && webhook.account == event.account && webhook.events.find(event.type);
        if (wants) message.webhooks.push_back(webhook.id);
      }
      if (!message.webhooks.empty()) messages.push_back(std::move(message));
    }
    if (!messages.empty()) CHECK_OK(queue_.add(messages));
    // Only now: after a crash in between they are queued again, under the same ids.
    CHECK_OK(store_.forget_events(taken));
  }
}

std::vector<std::string> Sender::ready_webhooks() const {
  const Timestamp now = clock_.now();
  std::vector<std::string> ready;
  for (const Webhook& webhook : subscriptions_.list(std::nullopt)) {
    const auto paused = paused_until_.find(webhook.id);
    const bool pauses = paused != paused_until_.end() && now < paused->second;
    if (webhook.enabled && !pauses && !busy_.contains(webhook.id)) ready.push_back(webhook.id);
  }
  return ready;
}

std::optional<Delivery> Sender::take_due() {
  const MutexLock lock(mutex_);
  auto delivery = queue_.first_waiting(ready_webhooks());
  if (!delivery) {
    note_trouble(delivery.error());
    return std::nullopt;
  }
  if (!*delivery || (*delivery)->next_at > clock_.now()) return std::nullopt;
  busy_.insert((*delivery)->webhook);
  return *std::move(delivery);
}

std::int64_t Sender::wait_ms() {
  const MutexLock lock(mutex_);
  const Timestamp now = clock_.now();
  std::int64_t until = now.micros + kLongestWaitMs * 1000;
  for (const auto& [webhook, at] : paused_until_) {
    if (at > now) until = std::min(until, at.micros);
  }
  const auto next = queue_.first_waiting(ready_webhooks());
  if (!next) return kPauseAfterTroubleMs;
  if (*next) until = std::min(until, (*next)->next_at.micros);
  return std::max<std::int64_t>(1, (until - now.micros) / 1000 + 1);
}

void Sender::attempt(Delivery delivery, const std::stop_token& stop) {
  const std::string id = delivery.webhook;
  if (const auto webhook = subscriptions_.find(std::nullopt, id)) {
    const std::int64_t unix_s = clock_.now().micros / kMicrosPerSecond;
    const http::ClientRequest request{.method = http::Method::post,
                                      .target = {},
                                      .body = delivery.body,
                                      .headers = {{"webhook-id", delivery.message},
                                                  {"webhook-timestamp", std::to_string(unix_s)},
                                                  {"webhook-signature", sign(webhook->secrets(clock_.now()),
                                                                             delivery.message, unix_s, delivery.body)},
                                                  {"User-Agent", "syncline-webhooks"}},
                                      .timeout_ms = options_.timeout_ms,
                                      .answer_bytes_max = limits::kWebhookAnswerBytesMax};
    const auto answer = options_.connect(webhook->url)->send(request, stop);
    if (!stop.stop_requested()) note_outcome(*webhook, std::move(delivery), answer);
  }
  const MutexLock lock(mutex_);
  busy_.erase(id);
}

void Sender::note_outcome(const Webhook& webhook, Delivery delivery, const Result<http::ClientResponse>& answer) {
  const Timestamp now = clock_.now();
  const bool delivered = answer && answer->status >= 200 && answer->status < 300;
  const bool gone = answer && answer->status == kGone;
  const Timestamp was_due_at = delivery.next_at;
  delivery.attempts += 1;
  delivery.last_at = now;
  delivery.last_status = answer ? answer->status : 0;
  delivery.last_error = delivered ? "" : answer ? "answered " + std::to_string(answer->status) : answer.error().text;
  const auto attempts = static_cast<std::size_t>(delivery.attempts);
  const bool is_last = attempts > options_.retry_s.size();
  if (delivered) {
    delivery.state = Delivery::State::delivered;
  } else if (gone || is_last) {
    delivery.state = Delivery::State::failed;
  }
  const std::int64_t wanted = std::min(answer ? answer->retry_after_s.value_or(0) : 0, kRetryAfterSecondsMax);
  if (delivery.state == Delivery::State::waiting) {
    delivery.next_at = now.plus_micros(with_jitter(std::max(options_.retry_s[attempts - 1], wanted)));
  }
  Result<> noted = queue_.update(delivery, was_due_at);
  const std::int64_t shortest = options_.retry_s.empty() ? 0 : options_.retry_s.front();
  const bool is_back = note_receiver(webhook.id, delivered && noted, std::max(shortest, wanted));
  if (noted && is_back) noted = queue_.retry_now(webhook.id);
  if (!noted) note_trouble(noted.error());
  if (gone) return give_up(webhook, "the receiver answered 410 Gone");
  if (!delivered && is_last) {
    give_up(webhook, "all " + std::to_string(attempts) + " attempts failed; last error: " + delivery.last_error);
  }
}

bool Sender::note_receiver(const std::string& webhook, bool delivered, std::int64_t pause_s) {
  // One failure may be the message's; of a receiver that has not been heard of since the start nothing is known.
  constexpr int kDown = 2;
  const MutexLock lock(mutex_);
  int& failures = failures_.try_emplace(webhook, kDown).first->second;
  if (delivered) {
    paused_until_.erase(webhook);
    return std::exchange(failures, 0) >= kDown;
  }
  failures = std::min(failures + 1, kDown);
  // Others for the same receiver need not find out for themselves.
  paused_until_.insert_or_assign(webhook, clock_.now().plus_micros(pause_s * kMicrosPerSecond));
  return false;
}

void Sender::give_up(const Webhook& webhook, std::string_view because) {
  const auto disabled = subscriptions_.disable(webhook.id, because);
  log(LogLevel::warning, "webhook_disabled",
      {{"webhook", webhook.id}, {"outcome", disabled ? "ok" : disabled.error().text}});
}

}  // namespace syncline::webhooks
