// How OpenAI's clients read errors: "error" is an object.
#pragma once

#include "api/problem.hpp"

namespace syncline::ai {

/// {message, type, param, code}.
[[nodiscard]] std::string error_object(const api::Problem& problem);
extern const api::ErrorFormat kErrors;

}  // namespace syncline::ai
