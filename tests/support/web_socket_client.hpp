// A WebSocket client over a real socket that reads when it is told. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace syncline::test {

class WebSocketClient {
 public:
  struct Frame {
    unsigned opcode = 0;  // 0: none came within a minute, or the connection has ended
    std::string payload;
  };
  static constexpr unsigned kText = 1;
  static constexpr unsigned kClose = 8;
  static constexpr unsigned kPing = 9;
  static constexpr unsigned kPong = 10;

  /// Connects and waits for the answer to the handshake.
  explicit WebSocketClient(std::uint16_t port);
  WebSocketClient(const WebSocketClient&) = delete;
  WebSocketClient& operator=(const WebSocketClient&) = delete;
  ~WebSocketClient();

  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] Frame read();
  /// `payload` has at most 125 bytes.
  void send(unsigned opcode, std::string_view payload);
  /// Ends the connection without a word: the peer gets a reset.
  void vanish();

 private:
  /// False if nothing comes any more.
  [[nodiscard]] bool receive();

  int socket_ = -1;
  bool is_open_ = false;
  std::string unread_;
};

}  // namespace syncline::test
