// The settings of the provider with which people sign in: which one, and whom the hub lets in.
#pragma once

#include "api/oidc/routes.hpp"
#include "app/settings.hpp"

namespace syncline::app {

/// Nothing without oidc.issuer. Reads the client's secret from oidc.client_secret_file, else from
/// SYNCLINE_OIDC_CLIENT_SECRET, else from the credential "oidc-client-secret" of systemd; without any the hub is a
/// public client. invalid_argument for settings that do not fit together.
[[nodiscard]] Result<std::optional<oidc::Setup>> read_oidc_settings(const Settings& settings);

}  // namespace syncline::app
