// A TCP socket of a loop. Names the loop's own executor, not any: that spares each operation a virtual call and the
// compiler a second instantiation. Used on its loop's thread only.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "net/asio_forward.hpp"

namespace syncline::net {

struct TcpSocket : asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type> {
  using Base = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;
  explicit TcpSocket(Base base) : Base(std::move(base)) {}
};

}  // namespace syncline::net
