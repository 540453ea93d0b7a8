// What people see and change of access to what is theirs: their sessions, keys and password, and with whom they share
// spaces. Part of /v1.
#pragma once

#include "api/face.hpp"
#include "api/route_builder.hpp"

namespace syncline::people {

/// Every route waits for the disk and is included in any plan. Nobody gives rights that they do not have. What ends a
/// key or a session also ends what is open with it (service/access.hpp).
class Face final : public api::Face {
 public:
  explicit Face(const api::FaceParts& parts)
      : own_(parts.own_keys),
        shares_(parts.shares),
        sessions_(parts.sessions),
        browser_sessions_(parts.browser_sessions),
        first_run_(parts.first_run),
        pairings_(parts.pairings),
        passkeys_(parts.passkeys),
        passwords_(parts.passwords),
        cookies_(parts.cookies),
        public_url_(parts.public_url) {}

  [[nodiscard]] std::vector<api::Route> make_routes() override;

 private:
  using Routes = api::RouteBuilder<Face>;

  /// POST, GET and DELETE /v1/session, in session_routes.cpp.
  void add_session_routes(Routes& routes);
  void sign_in(const api::CallPtr& call);
  void check_sign_in(const api::CallPtr& call);
  void show_session(const api::CallPtr& call);
  void sign_out(const api::CallPtr& call);
  /// /v1/setup and its page, in setup_routes.cpp.
  void add_setup_routes(Routes& routes);
  void show_setup(const api::CallPtr& call);
  void set_up(const api::CallPtr& call);
  void check_set_up(const api::CallPtr& call);
  void show_setup_page(const api::CallPtr& call);
  /// /v1/spaces/{space}/shares, in share_routes.cpp.
  void add_share_routes(Routes& routes);
  void list_shares(const api::CallPtr& call);
  void put_share(const api::CallPtr& call);
  void remove_share(const api::CallPtr& call);
  /// /v1/pairings and its page, in pairing_routes.cpp.
  void add_pairing_routes(Routes& routes);
  void make_pairing(const api::CallPtr& call);
  void show_pairing(const api::CallPtr& call);
  void look_at_pairing(const api::CallPtr& call);
  void claim_pairing(const api::CallPtr& call);
  void show_pair_page(const api::CallPtr& call);
  /// /v1/passkeys and /v1/session/passkey-options, in passkey_routes.cpp.
  void add_passkey_routes(Routes& routes);
  void begin_passkey(const api::CallPtr& call);
  void add_passkey(const api::CallPtr& call);
  void list_passkeys(const api::CallPtr& call);
  void remove_passkey(const api::CallPtr& call);
  void begin_passkey_sign_in(const api::CallPtr& call);
  /// What a new session may do, with its cookie.
  void respond_browser_session(const api::CallPtr& call, const BrowserSession& session);

  void list_sessions(const api::CallPtr& call);
  void end_session(const api::CallPtr& call);
  void end_other_sessions(const api::CallPtr& call);
  /// The token with which the request came.
  [[nodiscard]] std::string credential_of(const api::Call& call) const;
  void list_keys(const api::CallPtr& call);
  void add_key(const api::CallPtr& call);
  void change_key(const api::CallPtr& call);
  void revoke_key(const api::CallPtr& call);
  void change_password(const api::CallPtr& call);
  void replace_password(const api::CallPtr& call);
  void show_set_password(const api::CallPtr& call);

  OwnKeys& own_;
  Shares& shares_;
  Sessions& sessions_;
  BrowserSessions& browser_sessions_;
  FirstRun& first_run_;
  Pairings& pairings_;
  Passkeys& passkeys_;
  PasswordQueue& passwords_;
  const api::CookieGate& cookies_;
  PublicUrl& public_url_;
};

/// A member of the body that must be a string.
[[nodiscard]] Result<std::string> text_in(JsonView body, std::string_view name);
/// The member scopes, a list of their names.
[[nodiscard]] Result<ScopeSet> scopes_in(JsonView body);
/// The member spaces, a list of names; no limit if it is absent or null.
[[nodiscard]] Result<SpaceLimit> spaces_in(JsonView body);
/// The member kind, which is phone or desk.
[[nodiscard]] Result<bool> is_phone_in(JsonView body);
/// An answer that no cache may keep.
void respond_secret(const api::CallPtr& call, int status, std::string body, std::vector<http::Header> headers = {});

[[nodiscard]] api::FaceModule make_module();

}  // namespace syncline::people
