// Steps of a node in the dialect of Kernle's backend: what others changed since the last pull, and operations to push.
// docs/api/kernle.md has the wire.
#pragma once

#include "replica/exchange.hpp"

namespace syncline::kernle {

class BackendExchange final : public replica::Exchange {
 public:
  explicit BackendExchange(replica::LocalSpace& local) : local_(local) {}

  [[nodiscard]] bool carries(std::string_view collection) const override;
  [[nodiscard]] http::ClientRequest begin_pull() override;
  [[nodiscard]] Result<replica::PullNext> take_pull(const http::ClientResponse& response) override;
  [[nodiscard]] http::ClientRequest begin_push(const replica::Batch& batch) override;
  [[nodiscard]] Result<replica::PushNext> take_push(const replica::Batch& batch,
                                                    const http::ClientResponse& response) override;

 private:
  /// Stores what is in the list, some at a time. `reaches_end`: the next pull begins where this one ends.
  [[nodiscard]] Result<> take_operations(JsonView list, bool has_doubtful_values, bool reaches_end);
  [[nodiscard]] http::ClientRequest ask(std::string_view path, std::string_view since) const;

  replica::LocalSpace& local_;
  /// Where the next pull begins, once this one has been taken.
  std::string next_since_;
  /// The answer was cut: all is being read.
  bool reads_all_ = false;
};

}  // namespace syncline::kernle
