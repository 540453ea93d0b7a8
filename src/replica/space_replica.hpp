// One space of one hub: the replicator's steps as requests, and the answers as its outcomes. Whoever carries the
// requests (threads with sockets, the simulator with a clock of its own) asks next() and hands the answer to finish().
#pragma once

#include "core/replicator.hpp"
#include "replica/local_space.hpp"

namespace syncline::replica {

/// For one thread at a time.
class SpaceReplica {
 public:
  SpaceReplica(Spaces& spaces, SpaceName name, ReplicatorSettings settings, Limits limits)
      : local_(spaces, std::move(name), limits),
        machine_(settings),
        limits_(limits),
        ops_max_(limits.ops_max),
        page_max_(limits.page_max) {}

  [[nodiscard]] Result<> load() { return local_.load(); }
  /// `anew`: it is another hub than before, or the owner wants to begin from the beginning.
  [[nodiscard]] Result<> connect(bool anew, std::int64_t now_ms);

  struct Request {
    std::int64_t ticket = 0;
    http::ClientRequest http;
  };
  /// The request to send now, if there is one. Errors of this device's own store become the status.
  [[nodiscard]] std::optional<Request> next(std::int64_t now_ms, std::uint64_t random);
  void finish(std::int64_t ticket, const Result<http::ClientResponse>& response, std::int64_t now_ms,
              std::uint64_t random);

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
  /// The hub has another history.
  [[nodiscard]] Result<> begin_anew(std::int64_t ticket, std::int64_t now_ms);
  /// The hub does not take the request as a whole: smaller ones, down to the change that is at fault.
  [[nodiscard]] Result<> shrink(std::int64_t ticket, const Error& error, std::int64_t now_ms);
  void fail(std::int64_t ticket, const Error& error, std::int64_t retry_after_ms, std::int64_t now_ms,
            std::uint64_t random);

  LocalSpace local_;
  Replicator machine_;
  const Limits limits_;
  std::size_t ops_max_;
  /// Smaller after a pull that failed: the answer may have been too large, or the link too slow for it.
  std::int64_t page_max_;
  Cursor asked_since_;
  Batch batch_;
};

}  // namespace syncline::replica
