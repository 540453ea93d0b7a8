// From the stores of before format 5, which kept accounts and keys as records of the system space, to the directory.
#pragma once

#include "store/store.hpp"

namespace syncline {

/// Moves what is left to be moved, if anything is: first into the directory, in one transaction, then the records are
/// deleted in several. A process that ends in between goes on at the next opening. Before anybody is served; waits for
/// the disk.
[[nodiscard]] Result<> move_to_directory(Store& store);

}  // namespace syncline
