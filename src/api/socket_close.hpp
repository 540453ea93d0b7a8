// How a WebSocket ends because of its key. Clients read the code: after 4001 they ask a person for another key, after
// 4003 and 1013 they come again by themselves, and hear then what the key may not do any more. So 4001 and 4003 are
// only for what the store says, never for a store that does not answer.
#pragma once

#include <string>
#include <utility>

#include "base/result.hpp"
#include "http/message.hpp"
#include "service/access.hpp"

namespace syncline::api {

inline constexpr unsigned short kCloseUnauthorized = 4001;
inline constexpr unsigned short kCloseForbidden = 4003;
inline constexpr unsigned short kCloseTryAgainLater = 1013;

/// `error`: why the key was not let in. `reason`: what is said of a key that is not valid.
[[nodiscard]] inline http::WebSocketSession::Close make_close(const Error& error, std::string reason) {
  if (error.code == ErrorCode::unauthorized) return {kCloseUnauthorized, std::move(reason)};
  if (is_refusal(error.code)) return {kCloseForbidden, "the key has lost a right that this connection used"};
  return {kCloseTryAgainLater, "the key cannot be checked at the moment; try again later"};
}

}  // namespace syncline::api
