// Accounts of people: signing up, logging in, renewing a login, API keys, usage. Shared by the faces whose published
// APIs have these routes; where two of them share a path, the request tells them apart and the answer is the union.
#pragma once

#include "api/face.hpp"
#include "api/route_builder.hpp"

namespace syncline::accounts {

struct SignUp {
  bool open = false;  // anybody may make an account
  Plan plan = Plan::free;
};

/// Every route waits for the disk and is included in any plan. Errors are Kaisho's. What ends a key or a session also
/// ends what is open with it (service/access.hpp).
class Face final : public api::Face {
 public:
  Face(const api::FaceParts& parts, SignUp sign_up)
      : sessions_(parts.sessions),
        device_keys_(parts.device_keys),
        access_(parts.access),
        spaces_(parts.spaces),
        meter_(parts.meter),
        passwords_(parts.passwords),
        sign_up_(sign_up) {}

  [[nodiscard]] std::vector<api::Route> make_routes() override;

 private:
  using Routes = api::RouteBuilder<Face>;

  // routes.cpp: people with passwords
  void sign_up(const api::CallPtr& call);
  void make_account(const api::CallPtr& call);
  void log_in(const api::CallPtr& call);
  void log_in_with_password(const api::CallPtr& call);
  void refresh(const api::CallPtr& call);
  void forgot_password(const api::CallPtr& call);
  void reset_password(const api::CallPtr& call);
  void replace_password(const api::CallPtr& call);
  /// Goes on with the call on a thread that hashes passwords, or answers 503.
  void queue_password(const api::CallPtr& call, void (Face::*run)(const api::CallPtr&));
  void make_api_key(const api::CallPtr& call);
  void get_me(const api::CallPtr& call);
  void append_identity(JsonWriter& writer, const Principal& principal);
  void respond_session(const api::CallPtr& call, int status, const Session& session);

  // key_routes.cpp: API keys
  void add_key_routes(Routes& routes);
  void register_account(const api::CallPtr& call);
  void get_token(const api::CallPtr& call);
  void log_out(const api::CallPtr& call);
  void get_usage(const api::CallPtr& call);
  void list_keys(const api::CallPtr& call);
  void create_key(const api::CallPtr& call);
  void revoke_key(const api::CallPtr& call);
  void cycle_key(const api::CallPtr& call);
  /// True if the request wants to log in with an API key, in its header or body, and not as a person with a password.
  [[nodiscard]] static bool is_key_login(const api::Call& call, JsonView body);
  /// Answers POST /auth/login for such a request. `body` may be null.
  void log_in_with_key(const api::CallPtr& call, JsonView body);
  /// The members of GET /auth/me that Kernle's clients know.
  [[nodiscard]] Result<> append_key_identity(JsonWriter& writer, const Principal& principal);

  Sessions& sessions_;
  DeviceKeys& device_keys_;
  Access& access_;
  Spaces& spaces_;
  RequestMeter& meter_;
  PasswordQueue& passwords_;
  const SignUp sign_up_;
};

[[nodiscard]] api::FaceModule make_module(SignUp sign_up);

}  // namespace syncline::accounts
