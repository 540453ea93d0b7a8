// Passwords: hashed with argon2id (RFC 9106), which takes 64 MiB and some tens of milliseconds. Not for network
// threads. Both functions are safe from any thread; each thread that hashes has memory of its own, which is given back
// after each hash.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace syncline {

/// The hash with its salt and cost, in the usual text form ("$argon2id$v=19$m=65536,t=2,p=1$SALT$HASH"). `unavailable`
/// if there is not enough memory.
[[nodiscard]] Result<std::string> hash_password(std::string_view password);
/// Takes as long for a wrong password as for the right one. False also for a text that is no hash, and if there is not
/// enough memory.
[[nodiscard]] bool is_password(const std::string& hash, std::string_view password);

}  // namespace syncline
