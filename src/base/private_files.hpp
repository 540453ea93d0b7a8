// Whose files are: what this program writes holds documents and keys, so it belongs to its user alone. What commands of
// a runner make is theirs, with the rights that its user has chosen.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace syncline {

/// Files and directories that this process makes from now on are for its user alone. First in main().
void keep_new_files_private();

/// For the calling thread alone: files that it makes, or programs that it starts, have the rights that the process was
/// started with (its umask). They stay private if the kernel forbids that.
void use_umask_of_start();

/// True if others than the owner have any right on it.
[[nodiscard]] bool is_open_to_others(const std::filesystem::path& path);

/// Takes their rights from others, if they have any. True if they had. Does not follow symbolic links.
[[nodiscard]] Result<bool> make_private(const std::filesystem::path& path);

}  // namespace syncline
