// The spaces of this device's node as people see them: how each is in sync, and how far a long request has come.
#pragma once

#include <string>

#include "app/node_access.hpp"
#include "app/output.hpp"
#include "base/result.hpp"

namespace syncline::app {

/// All profiles and spaces of the node, on standard output.
[[nodiscard]] Result<> print_profiles(NodeClient& node, OutputForm form);

/// The answer to a POST that may take long. Shows meanwhile how much of the profile's spaces is still to move.
[[nodiscard]] Result<std::string> ask_with_progress(NodeClient& node, const NodeOptions& options,
                                                    const std::string& what, const std::string& target,
                                                    const std::string& body, OutputForm form);

}  // namespace syncline::app
