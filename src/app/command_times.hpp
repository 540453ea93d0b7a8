// Times of remote commands as the command line shows them. The published API has them in milliseconds since 1970.
#pragma once

#include <string>

#include "base/json_object.hpp"

namespace syncline::app {

/// The same command with RFC 3339 instead of each number in a member that is called "at" or ends with "At", also in its
/// approval. What a program answered (`result`) and all other members stay as they are.
[[nodiscard]] std::string with_text_times(const JsonObject& command);

}  // namespace syncline::app
