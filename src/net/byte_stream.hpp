// The bytes of one client connection, plain or TLS: HTTP and WebSocket are written once, against this. Knows no message
// and no deadline. Belongs to its connection and is used on that connection's loop only. Handlers run on the loop
// later, never inside the call, unless a function says otherwise; the caller keeps the stream and the memory until
// then.
#pragma once

#include <array>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "net/asio_forward.hpp"

namespace syncline::net {

class ByteStream {
 public:
  using Handler = std::move_only_function<void(const boost::system::error_code&, std::size_t)>;
  /// Called before each part of a write.
  using Progress = std::move_only_function<void()>;

  /// One write_some() looks at no more pieces than that.
  static constexpr std::size_t kPiecesMax = 16;
  /// write() reports its progress at least this often.
  static constexpr std::size_t kProgressBytes = 256UL * 1024;

  virtual ~ByteStream() = default;

  [[nodiscard]] virtual TcpSocket& socket() = 0;
  /// Comes before everything else. Without TLS there is none: the handler runs at once.
  virtual void handshake(Handler handler) = 0;
  virtual void read_some(std::span<char> room, Handler handler) = 0;
  /// Writes a part of the pieces, in their order.
  virtual void write_some(std::span<const std::string_view> pieces, Handler handler) = 0;
  /// Writes what fits without waiting, if no write is under way; returns how many bytes that was. With TLS none. An
  /// error takes nothing either: the next write reports it.
  [[nodiscard]] virtual std::size_t write_now(std::span<const std::string_view> pieces) = 0;
  /// Exchanges the farewells of TLS. Without TLS there are none: the handler runs at once.
  virtual void shutdown(Handler handler) = 0;

  /// Writes both pieces whole. `progress` may be empty.
  void write(std::array<std::string_view, 2> pieces, Progress progress, Handler handler);
  [[nodiscard]] int native_handle();
  /// Ends our half without a farewell, then reads and drops what still comes. Holds `owner` until the peer has closed
  /// or the socket is.
  void discard(std::shared_ptr<void> owner);
  /// Closes so that the peer reads the end and not an error.
  void close();
  /// Closes the socket. What is in progress ends with an error.
  void abort();
};

[[nodiscard]] std::unique_ptr<ByteStream> make_plain_stream(TcpSocket socket);
/// Keeps its own reference to what it needs of the context.
[[nodiscard]] std::unique_ptr<ByteStream> make_tls_stream(TcpSocket socket, asio::ssl::context& context);

}  // namespace syncline::net
