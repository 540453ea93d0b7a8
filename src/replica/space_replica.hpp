// One space of one hub: the replicator's steps as requests, and the answers as its outcomes. Whoever carries the
// requests (threads with sockets, the simulator with a clock of its own) asks next() and hands the answer to finish().
#pragma once

#include "replica/dialect.hpp"
#include "replica/exchange.hpp"

namespace syncline::replica {

/// For one thread at a time.
class SpaceReplica {
 public:
  SpaceReplica(Spaces& spaces, SpaceName name, ReplicatorSettings settings, Limits limits)
      : local_(spaces, std::move(name), limits),
        machine_(settings),
        limits_(limits),
        timeout_ms_(settings.step_timeout_ms),
        ops_max_(limits.ops_max),
        patience_ms_(timeout_ms_) {}

  [[nodiscard]] Result<> load() { return local_.load(); }
  /// `anew`: it is another hub than before, or the owner wants to begin from the beginning. A space that such a hub
  /// does not carry stays off.
  [[nodiscard]] Result<> connect(const Dialect& dialect, bool anew, std::int64_t now_ms);

  struct Request {
    std::int64_t ticket = 0;
    http::ClientRequest http;
  };
  /// The request to send now, if there is one. Errors of this device's own store become the status.
  [[nodiscard]] std::optional<Request> next(std::int64_t now_ms, std::uint32_t random);
  void finish(std::int64_t ticket, const Result<http::ClientResponse>& response, std::int64_t now_ms,
              std::uint32_t random);

  /// This device's feed ends at `head` now.
  void note_local_head(Seq head) {
    if (local_.may_have_writes(head)) machine_.note_local_write();
  }
  [[nodiscard]] Replicator& machine() { return machine_; }
  [[nodiscard]] const Replicator& machine() const { return machine_; }
  [[nodiscard]] LocalSpace& local() { return local_; }
  [[nodiscard]] const LocalSpace& local() const { return local_; }

 private:
  [[nodiscard]] Result<> finish_pull(std::int64_t ticket, const http::ClientResponse& response, std::int64_t now_ms);
  [[nodiscard]] Result<> finish_push(std::int64_t ticket, const http::ClientResponse& response, std::int64_t now_ms);
  /// The step begins or continues with that request.
  [[nodiscard]] Request make_request(std::int64_t ticket, http::ClientRequest request, std::int64_t now_ms);
  /// There was no answer.
  void reduce_batch_after(const Error& error);
  void continue_step(std::int64_t ticket, http::ClientRequest request, std::int64_t now_ms);
  /// The hub has another history.
  [[nodiscard]] Result<> start_over(std::int64_t ticket, std::int64_t now_ms);
  /// The hub does not take the request as a whole: smaller ones, down to the change that is at fault.
  [[nodiscard]] Result<> shrink(std::int64_t ticket, const Error& error, std::int64_t now_ms);
  void fail(std::int64_t ticket, const Error& error, std::int64_t retry_after_ms, std::int64_t now_ms,
            std::uint32_t random);

  LocalSpace local_;
  Replicator machine_;
  const Limits limits_;
  const std::int64_t timeout_ms_;
  const Dialect* dialect_ = nullptr;  // of the hub that it was connected to last
  std::unique_ptr<Exchange> exchange_;
  /// Smaller after a push that failed.
  std::size_t ops_max_;
  /// For an answer. Longer after one that did not come in time and cannot be smaller: a single document may be large.
  std::int64_t patience_ms_;
  /// Of the push that is on the way; no items while there is none.
  Batch batch_;
  /// Goes on with the step.
  std::optional<Request> following_;
};

}  // namespace syncline::replica
