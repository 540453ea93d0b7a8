// What people see and change of their own access: their sessions, their keys, their password. Part of /v1.
#pragma once

#include "api/face.hpp"
#include "api/route_builder.hpp"

namespace syncline::people {

/// Every route waits for the disk and is included in any plan. Nobody gives rights that they do not have. What ends a
/// key or a session also ends what is open with it (service/access.hpp).
class Face final : public api::Face {
 public:
  explicit Face(const api::FaceParts& parts)
      : own_(parts.own_keys), sessions_(parts.sessions), passwords_(parts.passwords) {}

  [[nodiscard]] std::vector<api::Route> make_routes() override;

 private:
  void list_sessions(const api::CallPtr& call);
  void end_session(const api::CallPtr& call);
  void end_other_sessions(const api::CallPtr& call);
  void list_keys(const api::CallPtr& call);
  void add_key(const api::CallPtr& call);
  void change_key(const api::CallPtr& call);
  void revoke_key(const api::CallPtr& call);
  void change_password(const api::CallPtr& call);
  void replace_password(const api::CallPtr& call);
  void show_set_password(const api::CallPtr& call);

  OwnKeys& own_;
  Sessions& sessions_;
  PasswordQueue& passwords_;
};

[[nodiscard]] api::FaceModule make_module();

}  // namespace syncline::people
