// Subscribers of one space over WebSockets, and pushes to it, one thread. Prints one JSON line when all subscribers are
// there and quiet, which is when the time begins, and one at the end.
//
//   live_load --port P --token T --subscribers N --pushers N --pace N --seconds S --space S --first N
//
// With `pace`, one connection pushes one record so often a second; without, each of `pushers` pushes one after the
// other. A notice is any text frame that comes after the beginning.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>

#include "arguments.hpp"
#include "records.hpp"

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "live_load: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

int connect_to(int port) {
  const int made = ::socket(AF_INET, SOCK_STREAM, 0);
  if (made < 0) die("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(made, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("connect");
  const int on = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

void send_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::send(to, text.data(), text.size(), MSG_NOSIGNAL);
    if (count <= 0) die("send");
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

/// A text frame as a client sends it, with a mask of zeros.
std::string masked(std::string_view text) {
  std::string frame = {'\x81', static_cast<char>(0x80U | text.size()), 0, 0, 0, 0};
  return frame.append(text);
}

struct Peer {
  int socket = -1;
  bool pushes = false;
  bool is_open = false;  // the handshake has been answered
  std::string unread;
  Clock::time_point sent_at;
};

class Load {
 public:
  explicit Load(const bench::Arguments& given)
      : port_(static_cast<int>(given.integer("--port", 0))),
        token_(given.text("--token", "")),
        space_(given.text("--space", "bench")),
        seconds_(given.number("--seconds", 3)),
        pace_(given.number("--pace", 0)),
        subscribers_(static_cast<std::size_t>(given.integer("--subscribers", 1000))),
        pushers_(pace_ > 0 ? 1 : static_cast<std::size_t>(given.integer("--pushers", 64))),
        ops_({.first = static_cast<std::uint64_t>(given.integer("--first", static_cast<long>(::getpid()) << 24U))}, 1,
             R"({"collection":"notes","id":"@I","updated_at":"@TZ","doc":{"title":"@I","text":")" +
                 bench::make_filler(bench::Ids::random) + R"(","tags":[1,2]}})") {}

  void run() {
    epoll_ = ::epoll_create1(0);
    for (std::size_t i = 0; i < subscribers_; ++i) subscribe();
    for (std::size_t i = 0; i < pushers_; ++i) add(connect_to(port_)).pushes = true;
    while (open_ < subscribers_) turn(100);
    for (auto quiet_at = Clock::now() + kQuiet; Clock::now() < quiet_at;) {
      if (turn(50)) quiet_at = Clock::now() + kQuiet;
    }
    notices_ = 0;
    notice_us_.clear();
    std::printf("{\"event\":\"begin\"}\n");
    std::fflush(stdout);
    measure();
  }

 private:
  static constexpr auto kQuiet = std::chrono::milliseconds(500);

  Peer& add(int socket) {
    Peer& peer = peers_.emplace_back();
    peer.socket = socket;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &peer;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
    return peer;
  }

  void subscribe() {
    const int socket = connect_to(port_);
    send_all(socket,
             "GET /v1/live HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer " +
                 token_ + "\r\n\r\n");
    add(socket);
  }

  void push(Peer& peer) {
    const std::string body = R"({"ops":[)" + ops_.next() + "]}";
    peer.sent_at = last_push_at_ = Clock::now();
    send_all(peer.socket, "POST /v1/spaces/" + space_ +
                              "/push HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAuthorization: "
                              "Bearer " +
                              token_ + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  /// Whether anything has come.
  bool turn(int wait_ms) {
    std::array<epoll_event, 256> events{};
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms);
    for (int i = 0; i < count; ++i) read(*static_cast<Peer*>(events[static_cast<std::size_t>(i)].data.ptr));
    return count > 0;
  }

  void read(Peer& peer) {
    static std::vector<char> buffer(1 << 16);
    const ssize_t count = ::recv(peer.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) die("the server closed the connection");
    peer.unread.append(buffer.data(), static_cast<std::size_t>(count));
    if (peer.pushes) return read_answer(peer);
    if (!peer.is_open) {
      const std::size_t end = peer.unread.find("\r\n\r\n");
      if (end == std::string::npos) return;
      if (!peer.unread.starts_with("HTTP/1.1 101")) die(peer.unread.c_str());
      peer.unread.erase(0, end + 4);
      peer.is_open = true;
      open_ += 1;
      send_all(peer.socket, masked(R"({"type":"watch","spaces":{")" + space_ + R"(":"0"}})"));
    }
    read_frames(peer);
  }

  void read_answer(Peer& peer) {
    const std::size_t head = peer.unread.find("\r\n\r\n");
    const std::size_t length = peer.unread.find("Content-Length: ");
    if (head == std::string::npos || length == std::string::npos) return;
    const std::size_t body = std::strtoul(peer.unread.c_str() + length + 16, nullptr, 10);
    if (peer.unread.size() < head + 4 + body) return;
    if (peer.unread.compare(9, 3, "200") != 0) die(peer.unread.c_str());
    peer.unread.clear();
    push_us_.push_back(micros_since(peer.sent_at));
    if (pace_ == 0 && Clock::now() < end_) push(peer);
  }

  void read_frames(Peer& peer) {
    std::size_t at = 0;
    while (peer.unread.size() >= at + 2) {
      const auto size = static_cast<unsigned char>(peer.unread[at + 1]);  // those that come here are shorter than 126
      if (size >= 126) die("a frame is longer than expected");
      if (peer.unread.size() < at + 2 + size) break;
      if (static_cast<unsigned char>(peer.unread[at]) == 0x81) {
        notices_ += 1;
        if (pace_ > 0) notice_us_.push_back(micros_since(last_push_at_));
      }
      at += 2UL + size;
    }
    peer.unread.erase(0, at);
  }

  static std::uint32_t micros_since(Clock::time_point then) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - then).count());
  }

  void measure() {
    const auto start = Clock::now();
    end_ = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds_));
    if (pace_ == 0) {
      for (Peer& peer : peers_) {
        if (peer.pushes) push(peer);
      }
      while (Clock::now() < end_) turn(50);
    } else {
      const auto step = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / pace_));
      for (auto due = start; due < end_; due += step) {
        push(peers_.back());
        do {
          const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(due + step - Clock::now()).count();
          turn(static_cast<int>(std::max<long>(left, 0)));
        } while (Clock::now() < due + step);
      }
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::ranges::sort(push_us_);
    std::ranges::sort(notice_us_);
    const auto at = [](const std::vector<std::uint32_t>& sorted, double share) {
      return sorted.empty() ? 0.0
                            : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))] / 1000.0;
    };
    std::printf(
        "{\"event\":\"end\",\"seconds\":%.2f,\"pushes\":%zu,\"pushes_per_s\":%.0f,\"notices\":%zu,"
        "\"push_p50_ms\":%.2f,\"push_p99_ms\":%.2f,\"notice_p50_ms\":%.2f,\"notice_p99_ms\":%.2f,\"next\":%llu}\n",
        seconds, push_us_.size(), static_cast<double>(push_us_.size()) / seconds, notices_, at(push_us_, 0.5),
        at(push_us_, 0.99), at(notice_us_, 0.5), at(notice_us_, 0.99),
        static_cast<unsigned long long>(ops_.next_number()));
  }

  const int port_;
  const std::string token_;
  const std::string space_;
  const double seconds_;
  const double pace_;
  const std::size_t subscribers_;
  const std::size_t pushers_;
  bench::Batch ops_;
  int epoll_ = -1;
  std::deque<Peer> peers_;  // they keep their places
  std::size_t open_ = 0;
  std::size_t notices_ = 0;
  Clock::time_point end_;
  Clock::time_point last_push_at_;
  std::vector<std::uint32_t> push_us_;
  std::vector<std::uint32_t> notice_us_;
};

}  // namespace

int main(int argc, char** argv) {
  Load(bench::Arguments(argc, argv)).run();
  return 0;
}
