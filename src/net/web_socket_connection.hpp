// One WebSocket: reads messages for the session, writes what the session has to say, pings. At most one frame is on its
// way; the session is asked for the next one only then, so a slow reader holds no queue here. Lives on its loop, kept
// by what it waits for.
#pragma once

#include <memory>

#include "http/message.hpp"
#include "net/byte_stream.hpp"
#include "net/server_state.hpp"

namespace syncline::net {

struct UpgradeRequest;

/// Takes over the stream and the place of the connection that read the request. On the loop's thread.
void start_web_socket(ServerState& server, Loop& loop, std::unique_ptr<ByteStream> stream, ConnectionLimit::Place place,
                      std::unique_ptr<http::WebSocketSession> session, std::shared_ptr<UpgradeRequest> request);

}  // namespace syncline::net
