#include "core/replicator.hpp"

#include <algorithm>

#include "base/back_off.hpp"

namespace syncline {
namespace {

/// What the hub refused is offered again after the shortest back-off, and then up to so many times later each time:
/// five offers are over within half a minute.
constexpr std::int64_t kRefusedGrowthMax = 4;
constexpr std::int64_t kLinkedGrowthMax = 8;

}  // namespace

std::string_view to_text(SyncStatus::State state) {
  switch (state) {
    case SyncStatus::State::off: return "off";
    case SyncStatus::State::in_sync: return "in_sync";
    case SyncStatus::State::syncing: return "syncing";
    case SyncStatus::State::waiting: return "waiting";
    case SyncStatus::State::refused: return "reauth";
  }
  return "off";
}

void Replicator::enter(State state, std::int64_t now_ms) {
  // A cycle of many steps is one thing to whoever asks since when.
  const bool was_step = state_is_step();
  state_ = state;
  if (!(was_step && state_is_step())) since_ms_ = now_ms;
}

void Replicator::connect(const Cursor& cursor, bool push_everything_first, std::int64_t now_ms) {
  cursor_ = cursor;
  hub_head_.reset();
  push_everything_first_ = push_everything_first;
  link_is_up_ = in_cycle_ = false;
  refused_ = 0;
  synced_ms_.reset();
  is_wanted_ = is_urgent_ = true;
  back_off_ms_ = refused_back_off_ms_ = 0;
  not_before_ms_ = window_end_ms_ = retry_refused_ms_ = now_ms;
  next_poll_ms_ = now_ms + settings_.interval_ms;
  failure_text_.clear();
  ++ticket_;
  enter(State::idle, now_ms);
}

void Replicator::disconnect(std::int64_t now_ms) {
  in_cycle_ = false;
  ++ticket_;
  enter(State::off, now_ms);
}

void Replicator::note_hub_head(const Cursor& head) {
  // A change that this device has heard of was made by another opening of the store: the hub may have gone back.
  const bool is_elsewhere =
      head.epoch == cursor_.epoch && head.incarnation != cursor_.incarnation && head.seq <= cursor_.knows_through();
  if (is_elsewhere) is_wanted_ = true;
  // Notices may come out of order; of one history the later counts.
  const bool is_older = hub_head_ && hub_head_->epoch == head.epoch && hub_head_->seq >= head.seq;
  if (is_older) return;
  hub_head_ = head;
  step_knows_head_ = false;
}

void Replicator::link_up(std::int64_t now_ms) {
  link_is_up_ = true;
  is_wanted_ = true;  // what was said before the link stood is unknown
  back_off_ms_ = 0;
  // The hub is there, and let this device in.
  if (state_ == State::waiting || state_ == State::refused) not_before_ms_ = now_ms;
}

void Replicator::sync_now(std::int64_t now_ms) {
  is_wanted_ = is_urgent_ = true;
  not_before_ms_ = now_ms;
  retry_refused_ms_ = now_ms;
}

void Replicator::progress(std::int64_t ticket, std::int64_t now_ms, std::int64_t timeout_ms) {
  if (awaits(ticket)) deadline_ms_ = now_ms + timeout_ms;
}

bool Replicator::is_behind() const {
  return hub_head_ && (hub_head_->epoch != cursor_.epoch || hub_head_->seq > cursor_.seq);
}

bool Replicator::has_reason(std::int64_t now_ms) const {
  const bool retries_refused = refused_ > 0 && now_ms >= retry_refused_ms_;
  return is_wanted_ || has_local_writes_ || is_behind() || retries_refused || now_ms >= next_poll_ms_;
}

void Replicator::begin_cycle(std::int64_t now_ms) {
  in_cycle_ = true;
  // Without a link nobody has told what the hub has.
  pull_left_ = is_wanted_ || is_behind() || !link_is_up_ || now_ms >= next_poll_ms_;
  push_left_ = true;
  offers_refused_ = now_ms >= retry_refused_ms_;
  // A mere look at the hub delays no change.
  if (has_local_writes_ || is_behind()) window_end_ms_ = now_ms + settings_.window_ms;
  is_wanted_ = is_urgent_ = has_local_writes_ = false;
  next_poll_ms_ = now_ms + settings_.interval_ms;
}

void Replicator::end_cycle(std::int64_t now_ms) {
  in_cycle_ = false;
  back_off_ms_ = 0;
  failure_text_.clear();
  synced_ms_ = now_ms;
  ++cycles_;
  enter(State::idle, now_ms);
}

Step Replicator::begin_step(Step::Kind kind, std::int64_t now_ms) {
  enter(kind == Step::Kind::pull ? State::pulling : State::pushing, now_ms);
  deadline_ms_ = now_ms + settings_.step_timeout_ms;
  const bool with_refused = kind == Step::Kind::push && offers_refused_;
  step_offers_refused_ = with_refused;
  step_knows_head_ = true;
  if (with_refused) offers_refused_ = false;
  return {kind, ++ticket_, with_refused};
}

Step Replicator::next(std::int64_t now_ms, std::uint32_t random) {
  if (state_ == State::off) return {};
  if (state_is_step()) {
    if (now_ms < deadline_ms_) return {};
    failed(ticket_, {SyncFailure::Kind::unreachable, "no answer in time"}, now_ms, random);
  }
  if (!in_cycle_) {
    const bool window_is_open = now_ms < window_end_ms_ && !is_urgent_;
    if (now_ms < not_before_ms_ || window_is_open || !has_reason(now_ms)) return {};
    begin_cycle(now_ms);
  }
  if (pull_left_ && !push_everything_first_) return begin_step(Step::Kind::pull, now_ms);
  if (push_left_) return begin_step(Step::Kind::push, now_ms);
  end_cycle(now_ms);
  return {};
}

void Replicator::pulled(std::int64_t ticket, const PullOutcome& outcome, std::int64_t now_ms) {
  if (!awaits(ticket) || state_ != State::pulling) return;
  cursor_ = outcome.cursor;
  pull_left_ = outcome.more;
  // The hub had told of a later end before it was asked: that was in a history that it has no more.
  if (!outcome.more && step_knows_head_ && is_behind()) hub_head_.reset();
  enter(State::idle, now_ms);
}

void Replicator::pushed(std::int64_t ticket, const PushOutcome& outcome, std::int64_t now_ms) {
  if (!awaits(ticket) || state_ != State::pushing) return;
  cursor_ = outcome.cursor;
  push_left_ = outcome.more;
  if (outcome.needs_pull) pull_left_ = true;
  if (!outcome.more && push_everything_first_) {
    push_everything_first_ = false;
    pull_left_ = true;
  }
  const bool has_new = outcome.refused > refused_;
  refused_ = outcome.refused;
  if (has_new || step_offers_refused_) {
    const std::int64_t longest = settings_.back_off_min_ms * kRefusedGrowthMax;
    refused_back_off_ms_ =
        has_new ? settings_.back_off_min_ms : std::clamp(refused_back_off_ms_ * 2, settings_.back_off_min_ms, longest);
    retry_refused_ms_ = now_ms + refused_back_off_ms_;
  }
  enter(State::idle, now_ms);
}

void Replicator::reset(std::int64_t ticket, bool push_everything_first, std::int64_t now_ms) {
  if (!awaits(ticket)) return;
  cursor_ = {};
  hub_head_.reset();
  pull_left_ = push_left_ = true;
  push_everything_first_ = push_everything_first;
  enter(State::idle, now_ms);
}

void Replicator::failed(std::int64_t ticket, const SyncFailure& failure, std::int64_t now_ms, std::uint32_t random) {
  if (!awaits(ticket)) return;
  ++ticket_;
  ++failures_;
  in_cycle_ = false;
  is_wanted_ = true;
  if (failure_text_.empty()) failing_since_ms_ = now_ms;
  failure_text_ = failure.text;
  failure_is_local_ = failure.kind == SyncFailure::Kind::local;
  if (failure.kind == SyncFailure::Kind::key_refused) {
    // The hub ends the link of a key that counts no more: while it stands, the answer is an old one.
    not_before_ms_ = now_ms + (link_is_up_ ? settings_.back_off_min_ms * kLinkedGrowthMax : settings_.interval_ms);
    return enter(State::refused, now_ms);
  }
  // While the link stands the hub is there: what failed is worth another try sooner.
  const std::int64_t longest = link_is_up_
                                   ? std::min(settings_.back_off_max_ms, settings_.back_off_min_ms * kLinkedGrowthMax)
                                   : settings_.back_off_max_ms;
  back_off_ms_ = std::clamp(back_off_ms_ * 2, settings_.back_off_min_ms, longest);
  not_before_ms_ = now_ms + std::max(add_jitter(back_off_ms_, random), failure.retry_after_ms);
  enter(State::waiting, now_ms);
}

std::optional<std::int64_t> Replicator::wake_at_ms() const {
  if (state_ == State::off) return std::nullopt;
  if (state_is_step()) return deadline_ms_;
  if (in_cycle_) return 0;
  const bool has_event = is_wanted_ || has_local_writes_ || is_behind();
  std::int64_t reason_ms = has_event ? 0 : next_poll_ms_;
  if (refused_ > 0) reason_ms = std::min(reason_ms, retry_refused_ms_);
  return std::max({reason_ms, not_before_ms_, is_urgent_ ? 0 : window_end_ms_});
}

std::string Replicator::rejection_text() const {
  return refused_ == 1 ? "the hub rejected 1 change; the device will send it again"
                       : "the hub rejected " + std::to_string(refused_) + " changes; the device will send them again";
}

SyncStatus Replicator::status(std::int64_t now_ms) const {
  SyncStatus status;
  status.synced_ms = synced_ms_;
  status.is_failing = !failure_text_.empty();
  status.is_local_failure = status.is_failing && failure_is_local_;
  status.since_ms = failure_text_.empty() ? since_ms_ : failing_since_ms_;
  if (state_ != State::off && !state_is_step()) status.next_try_ms = std::max(now_ms, *wake_at_ms());
  switch (state_) {
    case State::off: status.reason = "not connected to a hub"; return status;
    case State::pulling:
    case State::pushing:
      status.state = SyncStatus::State::syncing;
      status.reason = state_ == State::pulling ? "fetching changes from the hub" : "sending changes to the hub";
      if (!failure_text_.empty()) status.reason += "; the last attempt failed: " + failure_text_;
      if (refused_ > 0) status.reason += "; " + rejection_text();
      return status;
    case State::waiting:
      status.state = SyncStatus::State::waiting;
      status.reason = failure_text_;
      return status;
    case State::refused:
      status.state = SyncStatus::State::refused;
      status.reason = "the hub does not accept the key: " + failure_text_ + "; log in again, queued changes are kept";
      return status;
    case State::idle: break;
  }
  if (in_cycle_ || has_local_writes_ || is_behind()) {
    status.state = SyncStatus::State::waiting;
    status.reason = "changes are queued for the next cycle";
    if (refused_ > 0) status.reason += "; " + rejection_text();
  } else if (!synced_ms_ || push_everything_first_) {
    status.state = SyncStatus::State::waiting;
    status.reason = "about to start the first cycle";
  } else if (refused_ > 0) {
    status.state = SyncStatus::State::waiting;
    status.reason = rejection_text();
  } else {
    status.state = SyncStatus::State::in_sync;
    status.reason = link_is_up_ ? "in sync" : "in sync as of the last poll; the live link is down";
  }
  return status;
}

}  // namespace syncline
