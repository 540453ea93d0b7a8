// Programs without a sandbox, for `--no-sandbox`: limits, time and the end of all processes hold, walls there are none.
#pragma once

#include "runner/program.hpp"

namespace syncline::runner {

[[nodiscard]] std::unique_ptr<Launcher> make_plain_launcher();

}  // namespace syncline::runner
