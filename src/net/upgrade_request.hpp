// The request that opens a WebSocket, in the form that Beast's handshake takes. Others pass it on without looking in.
#pragma once

#include <boost/beast/http/message.hpp>

#include "net/request_body.hpp"

namespace syncline::net {

struct UpgradeRequest {
  boost::beast::http::request<RequestBody> message;
};

}  // namespace syncline::net
