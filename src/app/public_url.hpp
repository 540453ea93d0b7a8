// hub.public_url: where people reach the hub. Links are made from it, and a browser's requests must come from it.
#pragma once

#include "app/settings.hpp"

namespace syncline::app {

/// "https://hub.example.org": in lower case, without a path and without the port that the scheme has anyway.
/// invalid_argument unless it is http or https with a host.
[[nodiscard]] Result<std::string> parse_public_url(std::string_view text);

/// The setting in that form; empty if it is not set.
[[nodiscard]] Result<std::string> read_public_url(const Settings& settings);

/// Where somebody sets a password with a token for that. Empty without a public URL. The token is behind the #, which
/// browsers do not send, so it is in no log.
[[nodiscard]] std::string password_link(std::string_view public_url, std::string_view token);

}  // namespace syncline::app
