// What the program says of itself as a whole, by the name that it was called by.
#pragma once

#include "app/invocation.hpp"

namespace syncline::app {

[[nodiscard]] std::string name_of(CalledAs called_as);
[[nodiscard]] cli::ProgramInfo program_info(CalledAs called_as);
/// Puts the commands of `syncline` below the titles of its help.
void add_sections(Command root);

}  // namespace syncline::app
