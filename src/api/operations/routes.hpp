// Routes about the process itself: alive, ready, metrics, the description of the API.
#pragma once

#include "api/face.hpp"
#include "api/operations/metrics.hpp"
#include "api/router.hpp"

namespace syncline::operations {

struct Facts {
  std::string version;
  /// Why the hub cannot take writes at this moment; nothing if it can.
  std::function<std::optional<std::string>()> not_ready;
  std::function<StoreStatus()> store_status;
};

/// Open to everybody, but for the figures. Not a module: it speaks of the process that has all the faces, this one too.
class Face final : public api::Face {
 public:
  /// `router` has the table that /docs and /openapi.json describe.
  Face(const api::Router& router, Access& access, Metrics& metrics, Facts facts)
      : router_(router), access_(access), metrics_(metrics), facts_(std::move(facts)) {}

  [[nodiscard]] std::vector<api::Route> make_routes() override;

 private:
  void get_front_page(const api::CallPtr& call);
  void get_docs(const api::CallPtr& call);
  void get_open_api(const api::CallPtr& call);
  void get_health(const api::CallPtr& call);
  void get_ready(const api::CallPtr& call);
  void get_metrics(const api::CallPtr& call);
  void get_problem(const api::CallPtr& call);

  const api::Router& router_;
  Access& access_;
  Metrics& metrics_;
  const Facts facts_;
};

}  // namespace syncline::operations
