// Counters for /metrics in Prometheus form. No account, key or record stands in a label. Safe from any thread.
#pragma once

#include <memory>

#include "api/router.hpp"
#include "service/backup_watch.hpp"

namespace syncline::operations {

class Metrics final : public api::RequestObserver {
 public:
  explicit Metrics(std::string_view version);
  ~Metrics() override;

  void on_request(const http::Summary& summary) override;
  void on_web_sockets(std::int64_t delta) override;

  /// The text of version 0.0.4. `quotas` and `backups` may be null.
  [[nodiscard]] std::string to_text(const StoreStatus& store, const Quotas* quotas, const BackupWatch* backups);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace syncline::operations
