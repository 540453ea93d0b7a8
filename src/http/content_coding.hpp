// The Accept-Encoding of a request (RFC 9110, 12.5.3).
#pragma once

#include <string_view>

namespace syncline::http {

/// Whether the header lets an answer be compressed in that way ("gzip", "br"): named, or covered by "*", and not with
/// the weight 0. False for an empty header.
[[nodiscard]] bool accepts_coding(std::string_view accept_encoding, std::string_view coding);

}  // namespace syncline::http
