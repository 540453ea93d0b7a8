// Answers that the transport gives by itself, before or beside the application.
#pragma once

#include <string_view>

#include "http/message.hpp"

namespace syncline::net {

/// A problem document (RFC 9457), with the id of the request if it has one.
[[nodiscard]] http::Response make_problem(int status, std::string_view detail, std::string_view request_id);

}  // namespace syncline::net
