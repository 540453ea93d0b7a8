#include "app/control.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/log.hpp"

namespace syncline::app {
namespace {

constexpr std::size_t kRequestBytesMax = 64UL << 10U;
constexpr std::size_t kAnswerBytesMax = 256UL << 20U;
constexpr int kRequestTimeoutMs = 5000;

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  path.copy(address.sun_path, path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

/// Reads up to the end of the line. Nothing on time-out, end or too much.
std::optional<std::string> read_line(int connection, std::size_t bytes_max, int timeout_ms) {
  std::string line;
  std::array<char, 4096> chunk{};
  while (line.size() < bytes_max) {
    pollfd ready{connection, POLLIN, 0};
    if (::poll(&ready, 1, timeout_ms) <= 0) return std::nullopt;
    const ssize_t count = ::read(connection, chunk.data(), chunk.size());
    if (count <= 0) return std::nullopt;
    line.append(chunk.data(), static_cast<std::size_t>(count));
    if (line.back() == '\n') return line;
  }
  return std::nullopt;
}

bool write_all(int connection, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::string to_line(const Result<std::string>& answer) {
  std::string line;
  JsonWriter writer(line);
  writer.begin_object();
  if (answer) {
    writer.raw("ok", *answer);
  } else {
    writer.integer("code", static_cast<std::int64_t>(answer.error().code)).string("error", answer.error().text);
  }
  writer.end_object();
  return line + '\n';
}

}  // namespace

ControlServer::ControlServer(std::string path, int listener, int stop_reader, int stop_writer, Handler handler)
    : path_(std::move(path)),
      listener_(listener),
      stop_reader_(stop_reader),
      stop_writer_(stop_writer),
      handler_(std::move(handler)),
      thread_([this] { run(); }) {}

Result<std::unique_ptr<ControlServer>> ControlServer::start(const std::string& path, Handler handler) {
  const auto address = address_of(path);
  if (!address) {
    return fail(ErrorCode::invalid_argument, path + " is too long for a Unix socket (at most " +
                                                 std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                                 " bytes); use a data directory with a shorter path");
  }
  ::unlink(path.c_str());  // of an owner that is gone: we hold the lock
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::array<int, 2> stop{};
  const mode_t mask = ::umask(0177);
  const bool listening = listener >= 0 && ::bind(listener, generic(*address), sizeof *address) == 0 &&
                         ::listen(listener, 16) == 0 && ::pipe2(stop.data(), O_CLOEXEC) == 0;
  ::umask(mask);
  if (!listening) return fail(ErrorCode::unavailable, "cannot listen on " + path + ": " + std::strerror(errno));
  return std::unique_ptr<ControlServer>(new ControlServer(path, listener, stop[0], stop[1], std::move(handler)));
}

ControlServer::~ControlServer() {
  (void)!::write(stop_writer_, "x", 1);
  thread_.join();
  ::close(listener_);
  ::close(stop_reader_);
  ::close(stop_writer_);
  ::unlink(path_.c_str());
}

void ControlServer::run() {
  for (;;) {
    std::array<pollfd, 2> ready = {{{listener_, POLLIN, 0}, {stop_reader_, POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return;
    if (ready[1].revents != 0) return;
    if (ready[0].revents == 0) continue;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    const timeval patience{kRequestTimeoutMs / 1000, 0};  // a client that does not read must not hold us
    ::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    serve(connection);
    ::close(connection);
  }
}

void ControlServer::serve(int connection) {
  auto line = read_line(connection, kRequestBytesMax, kRequestTimeoutMs);
  if (!line) return;
  Result<std::string> answer = fail(ErrorCode::invalid_argument, "not a JSON object");
  if (check_json(*line, 8).fault == JsonFault::none && JsonView(*line).is_object()) {
    const JsonObject request{JsonView(*line)};
    try {
      answer = handler_(request);
    } catch (const std::exception& exception) {
      answer = fail(ErrorCode::internal, exception.what());
    }
    log(LogLevel::info, "administration",
        {{"command", request.text_of("command")}, {"outcome", answer ? "ok" : answer.error().text}});
  }
  (void)write_all(connection, to_line(answer));
}

Result<std::string> call_control(const std::string& path, const JsonObject& request) {
  const auto address = address_of(path);
  const int connection = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!address || connection < 0 || ::connect(connection, generic(*address), sizeof *address) != 0) {
    if (connection >= 0) ::close(connection);
    return fail(ErrorCode::unavailable,
                "the hub that owns the data does not answer on " + path + "; try again, or restart it");
  }
  std::optional<std::string> line;
  if (write_all(connection, request.to_text() + '\n')) line = read_line(connection, kAnswerBytesMax, -1);
  ::close(connection);
  if (!line || check_json(*line, 128).fault != JsonFault::none) {
    // Not "unavailable": that would be tried again, and the command may have been done.
    return fail(ErrorCode::internal,
                "the hub stopped while it ran this command; check whether it took effect before you repeat it");
  }
  const JsonView json(*line);
  if (const auto ok = json.find("ok")) return std::string(ok->raw());
  const JsonObject error{json};
  return fail(static_cast<ErrorCode>(error.integer_of("code").value_or(0)), error.text_of("error"));
}

}  // namespace syncline::app
