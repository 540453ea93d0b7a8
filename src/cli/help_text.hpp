// The help of commands as text, made from the command table. At most kHelpColumns wide, the same on every terminal, so
// that tests can compare it. Pure.
#pragma once

#include <string>

#include "cli/command_table.hpp"

namespace syncline::cli {

inline constexpr std::size_t kHelpColumns = 80;

/// What `--help` prints for a command, a group or the whole program: what it does, examples, usage, notes, arguments,
/// commands, options and exit codes, in this order.
[[nodiscard]] std::string help_text(const CommandInfo& command, const ProgramInfo& program);

}  // namespace syncline::cli
