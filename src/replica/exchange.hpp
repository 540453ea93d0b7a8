// What a step of the replicator is in one dialect: the requests it takes, one after the other, and what their answers
// come to. SpaceReplica carries it out.
#pragma once

#include <variant>

#include "core/replicator.hpp"
#include "http/client.hpp"
#include "replica/local_space.hpp"

namespace syncline::replica {

/// Where an answer leads: to one more request of the step, or to its end.
using PullNext = std::variant<http::ClientRequest, PullOutcome>;
using PushNext = std::variant<http::ClientRequest, PushAnswer>;

[[nodiscard]] inline http::ClientRequest post(std::string_view path, std::string body) {
  return {http::Method::post, std::string(path), std::move(body), {}};
}

/// For one thread at a time. Errors are those of error_of(), or this device's own store's.
class Exchange {
 public:
  virtual ~Exchange() = default;

  [[nodiscard]] virtual bool carries(std::string_view collection) const = 0;
  [[nodiscard]] virtual http::ClientRequest begin_pull() = 0;
  [[nodiscard]] virtual Result<PullNext> take_pull(const http::ClientResponse& response) = 0;
  /// `batch` has at least one item, and stays as it is until the step is over.
  [[nodiscard]] virtual http::ClientRequest begin_push(const Batch& batch) = 0;
  [[nodiscard]] virtual Result<PushNext> take_push(const Batch& batch, const http::ClientResponse& response) = 0;
  /// No answer to a pull came: it may have been too large, or the link too slow for it. True if the next one is
  /// smaller.
  [[nodiscard]] virtual bool reduce_page_size() { return false; }
};

}  // namespace syncline::replica
