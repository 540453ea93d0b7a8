#include "api/long_poll.hpp"

#include "base/limits.hpp"

namespace syncline::api {

Result<LongPoll> LongPoll::of(const CallPtr& call, Spaces& spaces) {
  TRY(const std::int64_t seconds, call->query_integer("wait", 0, limits::kWaitSecondsMax, 0));
  return LongPoll(call, spaces, spaces.clock().now().plus_micros(seconds * kMicrosPerSecond));
}

void LongPoll::wait(const SpaceName& space, Seq since, const std::function<void()>& look_again, Executor* workers) {
  const std::int64_t wait_ms = (until_.micros - spaces_->clock().now().micros) / 1000;
  const auto wake = [this, space, since, look_again] {
    if (call_->fail_unless_valid()) return;
    if (since >= spaces_->head(space)) until_ = {};
    look_again();
  };
  spaces_->wait(space, since, wait_ms, [workers, wake] { workers == nullptr ? wake() : workers->post(wake); });
}

}  // namespace syncline::api
