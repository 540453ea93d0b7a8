// The description of the API for people, as HTML, from the same table as OpenAPI.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/route.hpp"

namespace syncline::operations {

/// All faces with their routes, and all error codes.
[[nodiscard]] std::string make_docs_index(const std::vector<api::Route>& routes, std::string_view version);

/// The routes of one face, with examples. `routes` has some of the face.
[[nodiscard]] std::string make_docs_page(const std::vector<api::Route>& routes, std::string_view face);

/// What an error code means; nothing if no answer has it.
[[nodiscard]] std::optional<std::string> make_problem_page(std::string_view code);

}  // namespace syncline::operations
