// The files that belong beside the program, made from its command table and its settings: man pages and completion
// scripts. The build writes them; packages install them.
#pragma once

#include <string>

#include "base/result.hpp"
#include "cli/command_line.hpp"

namespace syncline::app {

/// Writes the files below `directory` as they are below /usr/share: man/man1/syncline.1 and so on. Pages have the date
/// of SOURCE_DATE_EPOCH, if it is set, else today's.
[[nodiscard]] Result<> write_documentation(const cli::CommandLine& line, const std::string& directory);

}  // namespace syncline::app
