// A request that is held until its space has news, or its time is over ("wait" in the query).
#pragma once

#include "api/call.hpp"
#include "base/limits.hpp"
#include "service/spaces.hpp"

namespace syncline::api {

/// Part of what a handler keeps of its request. One thread at a time uses it: whoever looks for news.
class LongPoll {
 public:
  /// How long the request may be held: its query parameter "wait", in seconds from now; not at all if that is absent.
  /// invalid_argument for what is no such number.
  [[nodiscard]] static Result<LongPoll> of(const CallPtr& call, Spaces& spaces) {
    TRY(const std::int64_t seconds, call->query_integer("wait", 0, limits::kWaitSecondsMax, 0));
    return LongPoll(call, spaces, spaces.clock().now().plus_micros(seconds * kMicrosPerSecond));
  }

  [[nodiscard]] bool is_over() const { return spaces_->clock().now() >= until_; }

  /// Calls `look_again` once the space has changed after `since`, or once the time is over. A key that was revoked
  /// meanwhile gets 401 instead. `look_again` keeps the request, and this in it, alive. It is called on a network
  /// thread, or on one of `workers` if it has to do more than a network thread may.
  void wait(const SpaceName& space, Seq since, std::function<void()> look_again, Executor* workers = nullptr) {
    const std::int64_t wait_ms = (until_.micros - spaces_->clock().now().micros) / 1000;
    auto wake = [this, space, since, look_again = std::move(look_again)] {
      if (call_->fail_if_revoked()) return;
      if (since >= spaces_->head(space)) until_ = {};
      look_again();
    };
    spaces_->wait(space, since, wait_ms, [workers, wake = std::move(wake)]() mutable {
      if (workers == nullptr) return wake();
      workers->post(std::move(wake));
    });
  }

 private:
  LongPoll(CallPtr call, Spaces& spaces, Timestamp until) : call_(std::move(call)), spaces_(&spaces), until_(until) {}

  CallPtr call_;
  Spaces* spaces_;
  Timestamp until_;
};

}  // namespace syncline::api
