// The command line: one program, a noun and a verb each. Says results on standard output, everything else on standard
// error, and ends with the exit codes of docs/operating.md.
#pragma once

namespace syncline::app {

[[nodiscard]] int run_cli(int argc, char** argv);

}  // namespace syncline::app
