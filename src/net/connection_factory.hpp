// Starts a connection on its loop. Each stream type is compiled in a file of its own.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "net/server_state.hpp"

namespace boost::asio::ssl {
class context;
}

namespace syncline::net {

void start_plain_connection(ServerState& server, Loop& loop, asio::ip::tcp::socket socket, std::string peer);
void start_tls_connection(ServerState& server, Loop& loop, asio::ip::tcp::socket socket, std::string peer,
                          const std::shared_ptr<asio::ssl::context>& tls);

/// A context with the files' certificate and key, TLS 1.2 and up.
[[nodiscard]] Result<std::shared_ptr<asio::ssl::context>> make_tls_context(const TlsFiles& files);

}  // namespace syncline::net
