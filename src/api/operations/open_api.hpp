// The description of the API for programs, OpenAPI 3.1, from the routes that dispatch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/route.hpp"

namespace syncline::operations {

/// The routes of a face without aliases, or all routes with them if `face` is empty. Valid as long as `routes`.
[[nodiscard]] std::vector<const api::Route*> routes_of(const std::vector<api::Route>& routes, std::string_view face);

/// The names of the faces, in the order of their routes.
[[nodiscard]] std::vector<std::string_view> faces_of(const std::vector<api::Route>& routes);

/// The prefixes under which routes of the face are served again.
[[nodiscard]] std::vector<std::string_view> prefixes_of(const std::vector<api::Route>& routes, std::string_view face);

/// "post_v1_spaces_space_push": no other route has it, because method and pattern are unique.
[[nodiscard]] std::string operation_id(const api::Route& route);

/// The document of one face, whose servers are the hub and its prefixes of the face; or of all if `face` is empty, with
/// the aliases as paths. `routes` has some of the face.
[[nodiscard]] std::string make_open_api(const std::vector<api::Route>& routes, std::string_view face,
                                        std::string_view version);

}  // namespace syncline::operations
