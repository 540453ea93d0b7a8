#include "net/byte_stream.hpp"

#include <algorithm>
#include <utility>

#include "net/tcp_socket.hpp"

namespace syncline::net {
namespace {

/// One write() that is under way.
struct Write {
  ByteStream& stream;
  std::array<std::string_view, 2> unsent;
  ByteStream::Progress progress;
  ByteStream::Handler handler;
  std::size_t sent = 0;

  void consume(std::size_t bytes) {
    sent += bytes;
    for (std::string_view& piece : unsent) {
      const std::size_t taken = std::min(bytes, piece.size());
      piece.remove_prefix(taken);
      bytes -= taken;
    }
  }

  [[nodiscard]] bool is_done() const { return unsent[0].empty() && unsent[1].empty(); }
};

void write_next(std::unique_ptr<Write> write) {
  if (write->progress) write->progress();
  const std::string_view first = write->unsent[0].substr(0, ByteStream::kProgressBytes);
  const std::string_view second = write->unsent[1].substr(0, ByteStream::kProgressBytes - first.size());
  const std::array<std::string_view, 2> part = {first, second};
  ByteStream& stream = write->stream;
  stream.write_some(part,
                    [write = std::move(write)](const boost::system::error_code& error, std::size_t bytes) mutable {
                      write->consume(bytes);
                      if (!error && bytes > 0 && !write->is_done()) return write_next(std::move(write));
                      // The handler may destroy the stream.
                      ByteStream::Handler handler = std::move(write->handler);
                      const std::size_t sent = write->sent;
                      write.reset();
                      handler(error, sent);
                    });
}

void discard_next(ByteStream& stream, std::shared_ptr<std::array<char, 512>> room, std::shared_ptr<void> owner) {
  const auto buffer = asio::buffer(*room);
  stream.socket().async_read_some(buffer, [&stream, room = std::move(room), owner = std::move(owner)](
                                              const boost::system::error_code& error, std::size_t) mutable {
    if (!error) discard_next(stream, std::move(room), std::move(owner));
  });
}

}  // namespace

void ByteStream::write(std::array<std::string_view, 2> pieces, Progress progress, Handler handler) {
  write_next(std::make_unique<Write>(*this, pieces, std::move(progress), std::move(handler)));
}

int ByteStream::native_handle() { return socket().native_handle(); }

void ByteStream::discard(std::shared_ptr<void> owner) {
  boost::system::error_code ignored;
  socket().shutdown(TcpSocket::shutdown_send, ignored);
  discard_next(*this, std::make_shared<std::array<char, 512>>(), std::move(owner));
}

void ByteStream::close() {
  boost::system::error_code ignored;
  socket().shutdown(TcpSocket::shutdown_both, ignored);
  socket().close(ignored);
}

void ByteStream::abort() {
  boost::system::error_code ignored;
  socket().close(ignored);
}

}  // namespace syncline::net
