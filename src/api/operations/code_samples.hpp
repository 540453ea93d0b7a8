// How programs call a route, as text that can be copied: with curl, in JavaScript and in Python.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/route.hpp"

namespace syncline::operations {

struct CodeSample {
  std::string_view language;  // as people write it
  std::string code;
};

/// The path of the route with a word in place of each parameter, and the query without which it is another route.
[[nodiscard]] std::string sample_target(const api::Route& route);

/// `body`: a JSON value, or empty. A WebSocket has no sample for curl, which cannot speak to it.
[[nodiscard]] std::vector<CodeSample> make_code_samples(const api::Route& route, std::string_view body);

}  // namespace syncline::operations
