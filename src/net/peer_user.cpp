#include "net/peer_user.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_descriptor.hpp"
#include "base/text.hpp"

namespace syncline::net {
namespace {

constexpr std::string_view kUnknown = "the user of this connection cannot be told, so it is not let in";
constexpr std::string_view kOtherUser = "this API serves the user who runs it; it belongs to another user";
constexpr std::string_view kSandboxed =
    "this API does not serve programs in a sandbox, or programs that end before they are identified";

struct SocketOwner {
  uid_t user = 0;
  ino_t inode = 0;
};

/// Writes one end of a connection as the kernel's request has it. False for what is not of the Internet.
bool put_end(const sockaddr_storage& end, std::array<__be32, 4>& address, __be16& port) {
  if (end.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &end, sizeof v4);
    address = {v4.sin_addr.s_addr, 0, 0, 0};
    port = v4.sin_port;
    return true;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &end, sizeof v6);
  std::memcpy(address.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
  port = v6.sin6_port;
  return end.ss_family == AF_INET6;
}

struct Query {
  nlmsghdr header;
  inet_diag_req_v2 body;
};

/// The question whose the other end of the connection is.
std::optional<Query> make_query(int socket) {
  sockaddr_storage ours{};
  sockaddr_storage theirs{};
  socklen_t length = sizeof ours;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&ours), &length) != 0) return std::nullopt;
  length = sizeof theirs;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&theirs), &length) != 0) return std::nullopt;
  Query query{};
  query.header = {sizeof query, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0};
  query.body.sdiag_family = static_cast<__u8>(theirs.ss_family);
  query.body.sdiag_protocol = IPPROTO_TCP;
  query.body.idiag_states = ~0U;
  query.body.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
  query.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  std::array<__be32, 4> source{};
  std::array<__be32, 4> destination{};
  const bool known =
      put_end(theirs, source, query.body.id.idiag_sport) && put_end(ours, destination, query.body.id.idiag_dport);
  std::ranges::copy(source, query.body.id.idiag_src);
  std::ranges::copy(destination, query.body.id.idiag_dst);
  return known ? std::optional(query) : std::nullopt;
}

std::optional<SocketOwner> find_owner(int socket) {
  const auto query = make_query(socket);
  if (!query) return std::nullopt;
  const FileDescriptor netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink.is_open()) return std::nullopt;
  if (::send(netlink.get(), &*query, sizeof *query, 0) != static_cast<ssize_t>(sizeof *query)) return std::nullopt;
  // The kernel has answered when send() returns.
  std::array<char, 4096> buffer;
  const ssize_t count = ::recv(netlink.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  struct Answer {
    nlmsghdr header;
    inet_diag_msg body;
  } answer{};
  if (count < static_cast<ssize_t>(sizeof answer)) return std::nullopt;
  std::memcpy(&answer, buffer.data(), sizeof answer);
  if (answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
  // A socket that its program has closed belongs to nobody, which the kernel writes as user 0.
  if (answer.body.idiag_inode == 0) return std::nullopt;
  return SocketOwner{answer.body.idiag_uid, answer.body.idiag_inode};
}

ino_t inode_of(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

/// The names in a directory that are numbers, highest first.
std::vector<std::int64_t> numbers_in(const std::string& path) {
  std::vector<std::int64_t> numbers;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return numbers;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (const auto number = parse_integer(entry->d_name)) numbers.push_back(*number);
  }
  std::ranges::sort(numbers, std::greater());
  return numbers;
}

bool has_socket(std::int64_t pid, ino_t inode) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/fd/";
  const std::string wanted = "socket:[" + std::to_string(inode) + ']';
  std::array<char, 64> target;
  return std::ranges::any_of(numbers_in(directory), [&](std::int64_t fd) {
    const ssize_t length = ::readlink((directory + std::to_string(fd)).c_str(), target.data(), target.size());
    return length > 0 && std::string_view(target.data(), static_cast<std::size_t>(length)) == wanted;
  });
}

/// True if a process of our user namespace holds the socket. Searches the youngest first, and before all others the one
/// that was found last: it is often the same program again.
bool is_held_outside_sandboxes(ino_t inode) {
  static std::atomic<std::int64_t> last_found = 0;
  static const ino_t kOurNamespace = inode_of("/proc/self/ns/user");
  const auto holds = [&](std::int64_t pid) {
    return inode_of("/proc/" + std::to_string(pid) + "/ns/user") == kOurNamespace && has_socket(pid, inode);
  };
  if (kOurNamespace == 0) return false;
  if (holds(last_found) || holds(::getpid())) return true;
  for (const std::int64_t pid : numbers_in("/proc")) {
    if (!holds(pid)) continue;
    last_found = pid;
    return true;
  }
  return false;
}

}  // namespace

std::string_view refuse_foreign_peer(int socket) {
  const auto owner = find_owner(socket);
  if (!owner) return kUnknown;
  const uid_t us = ::geteuid();
  if (owner->user != us) return owner->user == 0 ? std::string_view() : kOtherUser;
  return is_held_outside_sandboxes(owner->inode) ? std::string_view() : kSandboxed;
}

}  // namespace syncline::net
