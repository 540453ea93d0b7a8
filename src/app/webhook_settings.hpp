// The settings of webhooks: whom they may reach, and how long they are tried.
#pragma once

#include "app/settings.hpp"
#include "webhooks/sender.hpp"

namespace syncline::app {

[[nodiscard]] Result<webhooks::Sender::Options> read_webhook_settings(const Settings& settings);

}  // namespace syncline::app
