// The hub: puts the parts together and runs until a signal stops it. The main thread runs it; ARCHITECTURE.md lists the
// threads that the parts have.
#pragma once

#include "app/faces.hpp"

namespace syncline::app {

/// Serves from the data directory until SIGTERM or SIGINT. Prints one line with its URL when it is ready. Returns the
/// error that kept it from starting. `more`: faces beside those of the program.
[[nodiscard]] Result<> run_hub(const Settings& settings, const std::string& data,
                               std::vector<api::FaceModule> more = {});

}  // namespace syncline::app
