// Programs without a sandbox, for `--no-sandbox`: limits, time-outs and the end of all processes hold all the same.
#pragma once

#include "runner/program.hpp"

namespace syncline::runner {

[[nodiscard]] std::unique_ptr<Launcher> make_plain_launcher();

}  // namespace syncline::runner
