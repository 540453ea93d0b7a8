// Answers that the transport gives by itself, before or beside the application.
#pragma once

#include <string_view>

#include "http/message.hpp"

namespace syncline::net {

/// A problem document (RFC 9457) with the members that all errors have. `status` is one of those that net/ sends by
/// itself: 400, 403, 408, 415, 426, 431, 503.
[[nodiscard]] http::Response make_problem(int status, std::string_view detail, std::string_view request_id);

}  // namespace syncline::net
