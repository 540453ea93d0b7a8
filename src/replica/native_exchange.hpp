// Steps in the native dialect: one request each.
#pragma once

#include "replica/exchange.hpp"

namespace syncline::replica {

class NativeExchange final : public Exchange {
 public:
  NativeExchange(LocalSpace& local, const Limits& limits)
      : local_(local), limits_(limits), page_max_(limits.page_max) {}

  [[nodiscard]] bool carries(std::string_view) const override { return true; }
  [[nodiscard]] http::ClientRequest begin_pull() override;
  [[nodiscard]] Result<PullNext> take_pull(const http::ClientResponse& response) override;
  [[nodiscard]] http::ClientRequest begin_push(const Batch& batch) override;
  [[nodiscard]] Result<PushNext> take_push(const Batch& batch, const http::ClientResponse& response) override;
  [[nodiscard]] bool reduce_page_size() override;

 private:
  LocalSpace& local_;
  const Limits limits_;
  /// Smaller after a pull that failed.
  std::int64_t page_max_;
  Cursor asked_since_;
  std::int64_t asked_max_ = 0;
};

}  // namespace syncline::replica
