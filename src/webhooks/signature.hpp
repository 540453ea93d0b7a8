// Signatures of messages as Standard Webhooks 1.0.0 has them: `v1,` and the base64 of an HMAC-SHA256 over
// "{id}.{unix seconds}.{body}".
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace syncline::webhooks {

/// A new secret: "whsec_" and the base64 of 32 bytes.
[[nodiscard]] std::string make_secret();
/// "whsec_" and the base64 of 24 to 64 bytes; invalid_argument for anything else.
[[nodiscard]] Result<> check_secret(std::string_view secret);

/// The value of `webhook-signature`: a signature for each secret, separated by spaces.
[[nodiscard]] std::string sign(const std::vector<std::string>& secrets, std::string_view id, std::int64_t unix_s,
                               std::string_view body);

}  // namespace syncline::webhooks
