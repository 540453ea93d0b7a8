#include "app/process.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "app/exit_codes.hpp"

namespace syncline::app {

sigset_t block_signals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

void notify_systemd(const std::string& state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || *path == '\0') return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name(path);
  if (name.size() >= sizeof address.sun_path) return;
  name.copy(address.sun_path, name.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  (void)::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size()));
  ::close(socket);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

void stop_broken(const Error& error) {
  const bool is_damaged = error.code == ErrorCode::storage_damaged;
  log(LogLevel::error, is_damaged ? "storage_damaged" : "storage_broken", {{"error", error.text}});
  flush_log();
  std::fprintf(stderr, "syncline: %s; stopped; %s\n", error.text.c_str(),
               is_damaged ? "run 'syncline verify', and restore a backup if it finds damage"
                          : "the next start recovers the store");
  std::_Exit(exit_code_of(error.code));
}

Result<LogLevel> parse_log_level(const std::string& level) {
  if (level == "debug") return LogLevel::debug;
  if (level == "info") return LogLevel::info;
  if (level == "warning") return LogLevel::warning;
  if (level == "error") return LogLevel::error;
  if (level == "off") return LogLevel::off;
  return fail(ErrorCode::invalid_argument,
              "the log level must be debug, info, warning, error or off, not '" + level + "'");
}

}  // namespace syncline::app
