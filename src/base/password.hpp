// Passwords: hashed with argon2id, which takes 64 MiB and some tens of milliseconds. Not for network threads.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace syncline {

/// A text that holds the hash with its salt and parameters. `unavailable` if there is not enough memory.
[[nodiscard]] Result<std::string> hash_password(std::string_view password);
/// Takes as long for a wrong password as for the right one.
[[nodiscard]] bool is_password(const std::string& hash, std::string_view password);

}  // namespace syncline
