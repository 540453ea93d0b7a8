// What admins see of the hub as a whole. Part of /v1.
#pragma once

#include "api/face.hpp"

namespace syncline::admin {

/// Every route needs the scope admin, which only an account with that role can have.
class Face final : public api::Face {
 public:
  explicit Face(const api::FaceParts& parts) : audit_(parts.access.audit()) {}

  [[nodiscard]] std::vector<api::Route> make_routes() override;

 private:
  void list_audit(const api::CallPtr& call);

  AuditTrail& audit_;
};

[[nodiscard]] api::FaceModule make_module();

}  // namespace syncline::admin
