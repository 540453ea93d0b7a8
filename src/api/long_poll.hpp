// A request that is held until its space has news, or its time is over ("wait" in the query).
#pragma once

#include "api/call.hpp"
#include "service/spaces.hpp"

namespace syncline::api {

/// Part of what a handler keeps of its request. One thread at a time uses it: whoever looks for news.
class LongPoll {
 public:
  /// How long the request may be held: its query parameter "wait", in seconds from now; not at all if that is absent.
  /// invalid_argument for what is no such number.
  [[nodiscard]] static Result<LongPoll> of(const CallPtr& call, Spaces& spaces);

  [[nodiscard]] bool is_over() const { return spaces_->clock().now() >= until_; }

  /// Calls `look_again` once the space has changed after `since`, or once the time is over. A key that was revoked
  /// meanwhile gets 401 instead, and one that cannot be checked 503. `look_again` keeps the request, and this in it,
  /// alive. It is called on a network thread, or on one of `workers` if it has to do more than a network thread may.
  void wait(const SpaceName& space, Seq since, const std::function<void()>& look_again, Executor* workers = nullptr);

 private:
  LongPoll(CallPtr call, Spaces& spaces, Timestamp until) : call_(std::move(call)), spaces_(&spaces), until_(until) {}

  CallPtr call_;
  Spaces* spaces_;
  Timestamp until_;
};

}  // namespace syncline::api
