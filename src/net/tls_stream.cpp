// A stream over TLS, and the context that it begins with.
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "net/byte_stream.hpp"
#include "net/stream_buffers.hpp"
#include "net/tcp_socket.hpp"
#include "net/tls_context.hpp"

namespace syncline::net {
namespace {

class TlsStream final : public ByteStream {
 public:
  // The SSL object inside the stream holds its own reference to the OpenSSL context.
  TlsStream(TcpSocket socket, asio::ssl::context& context) : stream_(std::move(socket), context) {}

  TcpSocket& socket() override { return stream_.next_layer(); }

  void handshake(Handler handler) override {
    stream_.async_handshake(
        asio::ssl::stream_base::server,
        [handler = std::move(handler)](const boost::system::error_code& error) mutable { handler(error, 0); });
  }

  void read_some(std::span<char> room, Handler handler) override {
    stream_.async_read_some(asio::buffer(room.data(), room.size()), std::move(handler));
  }

  void write_some(std::span<const std::string_view> pieces, Handler handler) override {
    stream_.async_write_some(StreamBuffers(pieces), std::move(handler));
  }

  std::size_t write_now(std::span<const std::string_view>) override { return 0; }

  void shutdown(Handler handler) override {
    stream_.async_shutdown(
        [handler = std::move(handler)](const boost::system::error_code& error) mutable { handler(error, 0); });
  }

 private:
  asio::ssl::stream<TcpSocket> stream_;
};

}  // namespace

std::unique_ptr<ByteStream> make_tls_stream(TcpSocket socket, asio::ssl::context& context) {
  return std::make_unique<TlsStream>(std::move(socket), context);
}

Result<std::shared_ptr<asio::ssl::context>> make_tls_context(const TlsFiles& files) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code error;
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                           asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1,
                       error);
  // Forward secrecy only: who records traffic and gets the key later reads nothing. TLS 1.3 has nothing else.
  if (SSL_CTX_set_cipher_list(context->native_handle(), "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL") != 1) {
    return fail(ErrorCode::internal, "OpenSSL has none of the required ciphers");
  }
  context->use_certificate_chain_file(files.certificate, error);
  if (error) return fail(ErrorCode::invalid_argument, "certificate " + files.certificate + ": " + error.message());
  context->use_private_key_file(files.key, asio::ssl::context::pem, error);
  if (error) return fail(ErrorCode::invalid_argument, "key " + files.key + ": " + error.message());
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return fail(ErrorCode::invalid_argument, "the key " + files.key + " does not match the certificate");
  }
  return context;
}

}  // namespace syncline::net
