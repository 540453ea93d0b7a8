// Who is at the other end of a loopback connection. A port of this machine is open to all of its users and to every
// sandbox that has its network, so a server of one user asks the kernel whose socket it talks to.
#pragma once

#include <string_view>

namespace syncline::net {

/// Why the program at the other end of a connected socket may not use a server of this process's user; empty if it may.
/// Let in are programs of the same user and of root. Refused are other users, programs in a sandbox (a user namespace
/// that is not ours), although their user may be the same, and whoever cannot be told.
[[nodiscard]] std::string_view refuse_foreign_peer(int socket);

}  // namespace syncline::net
