// The request that opens a WebSocket, in the form that Beast's handshake takes. Others pass it on without looking in.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace syncline::net {

struct UpgradeRequest {
  boost::beast::http::request<boost::beast::http::string_body> message;
};

}  // namespace syncline::net
