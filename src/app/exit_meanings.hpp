// What each exit code means in one phrase, for help and man pages. docs/operating.md has the same table for people.
#pragma once

#include <map>
#include <string>

namespace syncline::app {

/// Of every code of exit_codes.hpp.
[[nodiscard]] const std::map<int, std::string>& exit_meanings();

}  // namespace syncline::app
