#include "replica/space_replica.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "replica/answer.hpp"

namespace syncline::replica {
namespace {

constexpr std::int64_t kRetryAfterMaxSeconds = 3600;
constexpr std::int64_t kRetryStrangerMaxSeconds = 30;
constexpr std::int64_t kPatienceMaxMs = 600'000;

/// What Retry-After says; less of it from a page that is not the hub's, of which the hub does not know.
std::int64_t wait_asked_for_s(const http::ClientResponse& response) {
  if (!response.retry_after_s) return 0;  // a large body is not read again
  const std::int64_t longest_s = is_json_object(response.body) ? kRetryAfterMaxSeconds : kRetryStrangerMaxSeconds;
  return std::clamp<std::int64_t>(*response.retry_after_s, 0, longest_s);
}

SyncFailure::Kind kind_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::unauthorized: return SyncFailure::Kind::key_refused;
    case ErrorCode::storage_full:
    case ErrorCode::storage_broken:
    case ErrorCode::storage_damaged:
    case ErrorCode::too_many: return SyncFailure::Kind::local;
    case ErrorCode::unavailable:
    case ErrorCode::answer_too_large:
    case ErrorCode::timed_out: return SyncFailure::Kind::unreachable;
    default: return SyncFailure::Kind::other;
  }
}

}  // namespace

Result<> SpaceReplica::connect(const Dialect& dialect, bool anew, std::int64_t now_ms) {
  following_.reset();
  batch_ = {};
  dialect_ = &dialect;
  if (!dialect.carries_space(local_.name().name)) {
    exchange_.reset();
    machine_.disconnect(now_ms);
    return {};
  }
  if (anew) CHECK_OK(local_.start_over());
  exchange_ = dialect.make_exchange(local_, limits_);
  machine_.connect(local_.cursor(), dialect_->hub_merges() && local_.push_everything_first(), now_ms);
  return {};
}

std::optional<SpaceReplica::Request> SpaceReplica::next(std::int64_t now_ms, std::uint32_t random) {
  if (following_ && machine_.awaits(following_->ticket)) return std::exchange(following_, std::nullopt);
  for (;;) {
    const Step step = machine_.next(now_ms, random);
    if (step.kind == Step::Kind::none) return std::nullopt;
    batch_ = {};
    if (step.kind == Step::Kind::pull) return make_request(step.ticket, exchange_->begin_pull(), now_ms);
    auto batch = local_.next_batch(step.with_refused, ops_max_,
                                   [this](std::string_view collection) { return exchange_->carries(collection); });
    if (!batch) {
      fail(step.ticket, batch.error(), 0, now_ms, random);
      return std::nullopt;
    }
    batch_ = *std::move(batch);
    if (!batch_.items.empty()) return make_request(step.ticket, exchange_->begin_push(batch_), now_ms);
    machine_.pushed(
        step.ticket,
        {.cursor = local_.cursor(), .more = false, .needs_pull = false, .refused = local_.waiting_refused()}, now_ms);
  }
}

void SpaceReplica::finish(std::int64_t ticket, const Result<http::ClientResponse>& response, std::int64_t now_ms,
                          std::uint32_t random) {
  if (!machine_.awaits(ticket)) return;
  const bool is_push = !batch_.items.empty();
  if (!response) {
    reduce_batch_after(response.error());
    return fail(ticket, response.error(), 0, now_ms, random);
  }
  patience_ms_ = timeout_ms_;
  if (const auto done = is_push ? finish_push(ticket, *response, now_ms) : finish_pull(ticket, *response, now_ms);
      !done) {
    fail(ticket, done.error(), wait_asked_for_s(*response) * 1000, now_ms, random);
  }
}

void SpaceReplica::reduce_batch_after(const Error& error) {
  // It may have been too much for the link.
  const std::size_t count = batch_.items.size();
  if (count > 1) ops_max_ = count / 2;
  const bool is_less = count > 0 ? count > 1 : exchange_->reduce_page_size();
  if (!is_less && error.code == ErrorCode::timed_out) patience_ms_ = std::min(patience_ms_ * 2, kPatienceMaxMs);
}

SpaceReplica::Request SpaceReplica::make_request(std::int64_t ticket, http::ClientRequest request,
                                                 std::int64_t now_ms) {
  request.timeout_ms = patience_ms_;
  request.must_be_json = true;
  machine_.progress(ticket, now_ms, patience_ms_);
  return {ticket, std::move(request)};
}

void SpaceReplica::continue_step(std::int64_t ticket, http::ClientRequest request, std::int64_t now_ms) {
  following_ = make_request(ticket, std::move(request), now_ms);
}

Result<> SpaceReplica::finish_pull(std::int64_t ticket, const http::ClientResponse& response, std::int64_t now_ms) {
  auto next = exchange_->take_pull(response);
  if (!next && advice_of(next.error().code) == Advice::resync) return start_over(ticket, now_ms);
  if (!next) return std::unexpected(next.error());
  if (auto* request = std::get_if<http::ClientRequest>(&*next)) {
    continue_step(ticket, std::move(*request), now_ms);
  } else {
    machine_.pulled(ticket, std::get<PullOutcome>(*next), now_ms);
  }
  return {};
}

Result<> SpaceReplica::finish_push(std::int64_t ticket, const http::ClientResponse& response, std::int64_t now_ms) {
  auto next = exchange_->take_push(batch_, response);
  if (!next && advice_of(next.error().code) == Advice::resync) return start_over(ticket, now_ms);
  if (!next && next.error().code == ErrorCode::invalid_argument) return shrink(ticket, next.error(), now_ms);
  if (!next) return std::unexpected(next.error());
  if (auto* request = std::get_if<http::ClientRequest>(&*next)) {
    continue_step(ticket, std::move(*request), now_ms);
    return {};
  }
  TRY(const Settled settled, local_.settle(batch_, std::get<PushAnswer>(*next)));
  const bool more = batch_.more || settled.is_partial;
  batch_ = {};
  ops_max_ = std::min(ops_max_ * 2, limits_.ops_max);
  machine_.pushed(ticket, {settled.cursor, more, settled.needs_pull, local_.waiting_refused()}, now_ms);
  return {};
}

Result<> SpaceReplica::start_over(std::int64_t ticket, std::int64_t now_ms) {
  log(LogLevel::warning, "hub_history_changed",
      {{"space", local_.name().name}, {"history", local_.history()}, {"what_now", "everything is offered again"}});
  CHECK_OK(local_.start_over());
  batch_ = {};
  machine_.reset(ticket, dialect_->hub_merges(), now_ms);
  return {};
}

Result<> SpaceReplica::shrink(std::int64_t ticket, const Error& error, std::int64_t now_ms) {
  const std::size_t count = batch_.items.size();
  ops_max_ = std::max<std::size_t>(1, count / 2);
  if (count == 1) {
    PushAnswer answer;
    answer.cursor = local_.cursor();
    answer.verdicts.resize(1);
    answer.verdicts[0].code = "invalid_argument";
    answer.verdicts[0].detail = error.text;
    CHECK_OK(local_.settle(batch_, answer));
  }
  batch_ = {};
  machine_.pushed(ticket, {local_.cursor(), true, false, local_.waiting_refused()}, now_ms);
  return {};
}

void SpaceReplica::fail(std::int64_t ticket, const Error& error, std::int64_t retry_after_ms, std::int64_t now_ms,
                        std::uint32_t random) {
  batch_ = {};
  machine_.failed(ticket, {kind_of(error), error.text, retry_after_ms}, now_ms, random);
}

}  // namespace syncline::replica
