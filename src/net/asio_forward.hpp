// Declares the Boost.Asio types that headers of net/ name, so that only the sources which use them pay for its
// templates. Holds no code.
#pragma once

namespace boost::asio {

class io_context;

namespace ssl {
class context;
}

}  // namespace boost::asio

namespace syncline::net {

namespace asio = boost::asio;
struct TcpSocket;

}  // namespace syncline::net
