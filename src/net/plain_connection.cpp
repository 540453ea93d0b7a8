#include "net/connection.hpp"
#include "net/connection_factory.hpp"

namespace syncline::net {

void start_plain_connection(ServerState& server, Loop& loop, tcp::socket socket, std::string peer) {
  make_on_loop<HttpConnection<tcp::socket>>(loop, server, loop, std::move(socket), std::move(peer))->start();
}

}  // namespace syncline::net
