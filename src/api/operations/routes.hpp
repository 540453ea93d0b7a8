// Routes about the process itself: alive, ready, metrics, the description of the API.
#pragma once

#include "api/operations/metrics.hpp"
#include "api/router.hpp"

namespace syncline::operations {

struct Facts {
  std::string version;
  /// Why the hub cannot take writes at this moment; nothing if it can.
  std::function<std::optional<std::string>()> not_ready;
  std::function<StoreStatus()> store_status;
};

/// `router` is the table that /docs and /openapi.json describe; it outlives the routes.
[[nodiscard]] std::vector<api::Route> make_routes(const api::Router& router, Access& access, Metrics& metrics,
                                                  Facts facts);

}  // namespace syncline::operations
