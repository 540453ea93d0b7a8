// A stream without TLS: the socket itself.
#include <sys/socket.h>
#include <sys/uio.h>

#include "net/byte_stream.hpp"
#include "net/stream_buffers.hpp"
#include "net/tcp_socket.hpp"

namespace syncline::net {
namespace {

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(TcpSocket socket) : socket_(std::move(socket)) {}

  TcpSocket& socket() override { return socket_; }

  void handshake(Handler handler) override { handler({}, 0); }

  void read_some(std::span<char> room, Handler handler) override {
    socket_.async_read_some(asio::buffer(room.data(), room.size()), std::move(handler));
  }

  void write_some(std::span<const std::string_view> pieces, Handler handler) override {
    socket_.async_write_some(StreamBuffers(pieces), std::move(handler));
  }

  std::size_t write_now(std::span<const std::string_view> pieces) override {
    std::array<iovec, kPiecesMax> parts{};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = std::min(pieces.size(), parts.size());
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
      parts[i] = {.iov_base = const_cast<char*>(pieces[i].data()), .iov_len = pieces[i].size()};
    }
    const ssize_t written = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return written > 0 ? static_cast<std::size_t>(written) : 0;
  }

  void shutdown(Handler handler) override { handler({}, 0); }

 private:
  TcpSocket socket_;
};

}  // namespace

std::unique_ptr<ByteStream> make_plain_stream(TcpSocket socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace syncline::net
