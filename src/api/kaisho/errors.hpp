// How Kaisho's clients read errors: "error" is the sentence that they show.
#pragma once

#include "api/problem.hpp"

namespace syncline::kaisho {

/// Defined in routes.cpp.
extern const api::ErrorFormat kErrors;

}  // namespace syncline::kaisho
