// How Kernle's clients read errors: in an envelope, {"success": false, "error": {code, message}, "meta": {request_id}}.
#pragma once

#include "api/problem.hpp"

namespace syncline::kernle {

/// Defined in routes.cpp.
extern const api::ErrorFormat kErrors;

}  // namespace syncline::kernle
