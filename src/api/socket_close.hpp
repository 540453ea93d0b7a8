// How a WebSocket ends because of its key. Clients read the code: after 4001 they ask a person for another key, after
// 1013 they come again by themselves. So 4001 is only for what the store says, never for a store that does not answer.
#pragma once

#include <string>
#include <utility>

#include "base/result.hpp"
#include "http/message.hpp"

namespace syncline::api {

inline constexpr unsigned short kCloseUnauthorized = 4001;
inline constexpr unsigned short kCloseTryAgainLater = 1013;

/// `error`: why the key was not let in. `reason`: what is said of a key that is not valid.
[[nodiscard]] inline http::WebSocketSession::Close make_close(const Error& error, std::string reason) {
  if (error.code == ErrorCode::unauthorized) return {kCloseUnauthorized, std::move(reason)};
  return {kCloseTryAgainLater, "the key cannot be checked at the moment; try again later"};
}

}  // namespace syncline::api
