// The native API, /v1: small, exact, fast. docs/api/native.md is its contract.
#pragma once

#include "api/router.hpp"
#include "service/spaces.hpp"

namespace syncline::native {

[[nodiscard]] std::vector<api::Route> make_routes(Spaces& spaces, Access& access);

}  // namespace syncline::native
