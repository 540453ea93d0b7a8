#include <boost/asio/ssl/context.hpp>

#include "net/connection.hpp"
#include "net/connection_factory.hpp"

namespace syncline::net {

void start_tls_connection(ServerState& server, Loop& loop, tcp::socket socket, std::string peer,
                          const std::shared_ptr<asio::ssl::context>& tls) {
  // The SSL object inside the stream holds its own reference to the OpenSSL context.
  make_on_loop<HttpConnection<TlsStream>>(loop, server, loop, TlsStream(std::move(socket), *tls), std::move(peer))
      ->start();
}

Result<std::shared_ptr<asio::ssl::context>> make_tls_context(const TlsFiles& files) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code error;
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                           asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1,
                       error);
  context->use_certificate_chain_file(files.certificate, error);
  if (error) return fail(ErrorCode::invalid_argument, "certificate " + files.certificate + ": " + error.message());
  context->use_private_key_file(files.key, asio::ssl::context::pem, error);
  if (error) return fail(ErrorCode::invalid_argument, "key " + files.key + ": " + error.message());
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return fail(ErrorCode::invalid_argument, "the key " + files.key + " does not belong to the certificate");
  }
  return context;
}

}  // namespace syncline::net
