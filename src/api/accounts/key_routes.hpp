// API keys and what they open, in the shapes that Kernle's clients read: registering, logging in with a key, the keys
// themselves, usage.
#pragma once

#include "api/router.hpp"
#include "service/device_keys.hpp"
#include "service/request_meter.hpp"
#include "service/spaces.hpp"

namespace syncline::accounts {

struct KeyServices {
  DeviceKeys& keys;
  Access& access;
  Spaces& spaces;
  RequestMeter& meter;
};

struct SignUp {
  bool open = false;  // anybody may make an account
  Plan plan = Plan::free;
};

/// True if the request wants to log in with an API key, in its header or body, and not as a person with a password.
[[nodiscard]] bool is_key_login(const api::Call& call, JsonView body);
/// Answers POST /auth/login for such a request. `body` may be null.
void log_in_with_key(KeyServices services, const api::CallPtr& call, JsonView body);
/// The members of GET /auth/me that Kernle's clients know.
void append_key_identity(JsonWriter& writer, KeyServices services, const Principal& principal);

/// What all routes of accounts have in common: small bodies, work that waits for the disk, any plan.
[[nodiscard]] api::Route make_account_route(http::Method method, std::string_view pattern, ScopeSet any_of,
                                            api::Description description,
                                            std::function<void(const api::CallPtr&)> handle);
[[nodiscard]] std::vector<api::Route> make_key_routes(KeyServices services, SignUp sign_up);

}  // namespace syncline::accounts
