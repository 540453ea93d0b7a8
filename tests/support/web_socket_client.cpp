#include "support/web_socket_client.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace syncline::test {
namespace {

constexpr int kPatienceMs = 60'000;

}  // namespace

WebSocketClient::WebSocketClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  constexpr std::string_view request =
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  (void)::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
  std::size_t end = 0;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive()) return;
  }
  is_open_ = unread_.starts_with("HTTP/1.1 101 ");
  unread_.erase(0, end + 4);
}

WebSocketClient::~WebSocketClient() {
  if (socket_ >= 0) ::close(socket_);
}

void WebSocketClient::vanish() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(socket_);
  socket_ = -1;
  is_open_ = false;
}

void WebSocketClient::send(unsigned opcode, std::string_view payload) {
  // A mask of zeros changes nothing.
  std::string frame = {static_cast<char>(0x80U | opcode), static_cast<char>(0x80U | payload.size()), 0, 0, 0, 0};
  frame.append(payload);
  (void)::send(socket_, frame.data(), frame.size(), MSG_NOSIGNAL);
}

bool WebSocketClient::receive() {
  pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
  if (::poll(&ready, 1, kPatienceMs) <= 0) return false;
  std::array<char, 4096> buffer{};
  const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (count <= 0) return false;
  unread_.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

WebSocketClient::Frame WebSocketClient::read() {
  const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(unread_[at])); };
  for (;;) {
    if (unread_.size() >= 4 || (unread_.size() >= 2 && byte(1) < 126)) {
      const bool is_long = byte(1) == 126;
      const std::size_t head = is_long ? 4 : 2;
      const std::size_t size = is_long ? byte(2) << 8U | byte(3) : byte(1);
      if (unread_.size() >= head + size) {
        Frame frame{.opcode = static_cast<unsigned>(byte(0) & 0x0FU), .payload = unread_.substr(head, size)};
        unread_.erase(0, head + size);
        return frame;
      }
    }
    if (!receive()) return {};
  }
}

}  // namespace syncline::test
