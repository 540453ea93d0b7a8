// Steps in Kernle's dialect: what others changed since the last pull, and operations to push. docs/api/kernle.md has
// the wire.
#pragma once

#include "replica/exchange.hpp"

namespace syncline::replica {

class KernleExchange final : public Exchange {
 public:
  explicit KernleExchange(LocalSpace& local) : local_(local) {}

  [[nodiscard]] bool carries(std::string_view collection) const override;
  [[nodiscard]] http::ClientRequest begin_pull() override;
  [[nodiscard]] Result<PullNext> take_pull(const http::ClientResponse& response) override;
  [[nodiscard]] http::ClientRequest begin_push(const Batch& batch) override;
  [[nodiscard]] Result<PushNext> take_push(const Batch& batch, const http::ClientResponse& response) override;

 private:
  [[nodiscard]] http::ClientRequest ask(std::string_view path, std::string_view since) const;

  LocalSpace& local_;
  /// Where the next pull begins, once this one has been taken.
  std::string next_since_;
  /// The answer was cut: all is being read.
  bool reads_all_ = false;
};

}  // namespace syncline::replica
