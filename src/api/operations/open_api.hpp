// The description of the API, for programs (OpenAPI 3.1) and for people (HTML), from the routes that dispatch.
#pragma once

#include "api/route.hpp"

namespace syncline::operations {

[[nodiscard]] std::string make_open_api(const std::vector<api::Route>& routes, std::string_view version);
[[nodiscard]] std::string make_docs_page(const std::vector<api::Route>& routes, std::string_view version);

}  // namespace syncline::operations
