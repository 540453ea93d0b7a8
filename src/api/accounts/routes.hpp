// Accounts of people: signing up, logging in, renewing a login, the API key. Shared by the faces whose published APIs
// have these routes; where two of them share a path, the request tells them apart and the answer is the union.
#pragma once

#include "api/accounts/key_routes.hpp"
#include "service/sessions.hpp"

namespace syncline::accounts {

/// With those of make_key_routes().
[[nodiscard]] std::vector<api::Route> make_routes(Sessions& sessions, KeyServices services, SignUp sign_up);

}  // namespace syncline::accounts
