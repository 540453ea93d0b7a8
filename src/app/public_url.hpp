// hub.public_url among the settings: where people reach the hub (service/public_url.hpp).
#pragma once

#include "app/settings.hpp"
#include "service/public_url.hpp"

namespace syncline::app {

/// The setting as parse_public_url() makes it; empty if it is not set.
[[nodiscard]] Result<std::string> read_public_url(const Settings& settings);

/// What stores the URL that was said at setup: in a file of the data directory that every setting of the operator
/// overrides. Null if the operator has set one: nothing else would count.
[[nodiscard]] PublicUrl::Keep keep_public_url(const Settings& settings, const std::string& data);

/// Where somebody sets a password with a token for that. Empty without a public URL. The token is behind the #, which
/// browsers do not send, so it is in no log.
[[nodiscard]] std::string password_link(std::string_view public_url, std::string_view token);

}  // namespace syncline::app
