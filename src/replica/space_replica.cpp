#include "replica/space_replica.hpp"

#include <algorithm>

namespace syncline::replica {
namespace {

constexpr std::int64_t kRetryAfterMaxSeconds = 3600;

/// A hub that sends us back to the beginning, from where we are already.
Error not_understood(const Error& error) {
  return {ErrorCode::unavailable, "the hub's answer cannot be understood: " + error.text, Advice::retry_later};
}

SyncFailure::Kind kind_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::unauthorized: return SyncFailure::Kind::key_refused;
    case ErrorCode::storage_full:
    case ErrorCode::storage_broken:
    case ErrorCode::too_many: return SyncFailure::Kind::local;
    case ErrorCode::unavailable:
    case ErrorCode::timed_out: return SyncFailure::Kind::unreachable;
    default: return SyncFailure::Kind::other;
  }
}

}  // namespace

Result<> SpaceReplica::connect(bool anew, std::int64_t now_ms) {
  if (anew) CHECK_OK(local_.begin_anew());
  machine_.connect(local_.cursor(), local_.offers_all(), now_ms);
  return {};
}

std::optional<SpaceReplica::Request> SpaceReplica::next(std::int64_t now_ms, std::uint64_t random) {
  for (;;) {
    const Step step = machine_.next(now_ms, random);
    if (step.kind == Step::Kind::none) return std::nullopt;
    if (step.kind == Step::Kind::pull) {
      asked_since_ = local_.cursor();
      batch_ = {};
      return Request{step.ticket, make_pull(local_.name().name, asked_since_, page_max_)};
    }
    auto batch = local_.next_batch(step.with_refused, ops_max_);
    if (!batch) {
      fail(step.ticket, batch.error(), 0, now_ms, random);
      return std::nullopt;
    }
    batch_ = *std::move(batch);
    if (!batch_.items.empty()) {
      return Request{step.ticket, make_push(local_.name().name, local_.epoch(), batch_.ops)};
    }
    machine_.pushed(
        step.ticket,
        {.cursor = local_.cursor(), .more = false, .needs_pull = false, .refused = local_.waiting_refused()}, now_ms);
  }
}

void SpaceReplica::finish(std::int64_t ticket, const Result<http::ClientResponse>& response, std::int64_t now_ms,
                          std::uint64_t random) {
  if (!machine_.awaits(ticket)) return;
  const bool is_push = !batch_.items.empty();
  if (!response) {
    // It may have been too much for the link.
    if (is_push) ops_max_ = std::max<std::size_t>(1, batch_.items.size() / 2);
    if (!is_push) page_max_ = std::max<std::int64_t>(1, page_max_ / 2);
    return fail(ticket, response.error(), 0, now_ms, random);
  }
  if (const auto done = is_push ? finish_push(ticket, *response, now_ms) : finish_pull(ticket, *response, now_ms);
      !done) {
    const std::int64_t wait_s = std::clamp<std::int64_t>(response->retry_after_s.value_or(0), 0, kRetryAfterMaxSeconds);
    fail(ticket, done.error(), wait_s * 1000, now_ms, random);
  }
}

Result<> SpaceReplica::finish_pull(std::int64_t ticket, const http::ClientResponse& response, std::int64_t now_ms) {
  if (response.status != 200) {
    const Error error = error_of(response);
    const bool had_cursor = !asked_since_.epoch.empty();
    if (error.advice == Advice::resync && !had_cursor) return std::unexpected(not_understood(error));
    if (error.code == ErrorCode::cursor_expired) {
      CHECK_OK(local_.read_from_start());
      machine_.pulled(ticket, {local_.cursor(), true}, now_ms);
      return {};
    }
    if (error.advice != Advice::resync) return std::unexpected(error);
    return begin_anew(ticket, now_ms);
  }
  TRY(const Page page, parse_page(response.body, asked_since_));
  if (local_.is_other_history(page.cursor)) return begin_anew(ticket, now_ms);
  if (page.more && page.cursor.seq <= asked_since_.seq) {
    return syncline::fail(ErrorCode::unavailable, "the hub's answer cannot be understood: a page that leads nowhere");
  }
  page_max_ = std::min(page_max_ * 2, limits_.page_max);
  CHECK_OK(local_.apply(page));
  machine_.pulled(ticket, {local_.cursor(), page.more}, now_ms);
  return {};
}

Result<> SpaceReplica::finish_push(std::int64_t ticket, const http::ClientResponse& response, std::int64_t now_ms) {
  if (response.status != 200) {
    const Error error = error_of(response);
    if (error.code == ErrorCode::invalid_argument) return shrink(ticket, error, now_ms);
    if (error.advice != Advice::resync) return std::unexpected(error);
    if (local_.epoch().empty()) return std::unexpected(not_understood(error));
    return begin_anew(ticket, now_ms);
  }
  TRY(const PushAnswer answer, parse_push_answer(response.body));
  if (local_.is_other_history(answer.cursor)) return begin_anew(ticket, now_ms);
  TRY(const Settled settled, local_.settle(batch_, answer));
  const bool more = batch_.more || settled.is_partial;
  batch_ = {};
  ops_max_ = std::min(ops_max_ * 2, limits_.ops_max);
  machine_.pushed(ticket, {settled.cursor, more, settled.needs_pull, local_.waiting_refused()}, now_ms);
  return {};
}

Result<> SpaceReplica::begin_anew(std::int64_t ticket, std::int64_t now_ms) {
  CHECK_OK(local_.begin_anew());
  batch_ = {};
  machine_.reset(ticket, now_ms);
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
                        std::uint64_t random) {
  batch_ = {};
  machine_.failed(ticket, {kind_of(error), error.text, retry_after_ms}, now_ms, random);
}

}  // namespace syncline::replica
