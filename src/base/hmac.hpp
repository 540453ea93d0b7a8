// HMAC-SHA256 (RFC 2104), for signing messages with a secret that both sides have.
#pragma once

#include "base/bytes.hpp"

namespace syncline {

/// A key of any length.
[[nodiscard]] Sha256 hmac_sha256(std::string_view key, std::string_view message);

}  // namespace syncline
