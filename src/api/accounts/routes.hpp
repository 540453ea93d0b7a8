// Accounts of people: signing up, logging in, renewing a login, the API key. Shared by the faces whose published APIs
// have these routes.
#pragma once

#include "api/router.hpp"
#include "service/sessions.hpp"

namespace syncline::accounts {

struct Options {
  bool signup = false;  // anybody may make an account
  Plan signup_plan = Plan::free;
};

[[nodiscard]] std::vector<api::Route> make_routes(Sessions& sessions, Access& access, Options options);

}  // namespace syncline::accounts
