// The AI gateway's settings: where the upstream is, what it offers, and what accounts may use.
#pragma once

#include "api/ai/routes.hpp"
#include "app/settings.hpp"

namespace syncline::app {

struct AiSettings {
  std::optional<ai::Upstream> upstream;  // none: completions are refused
  ai::Caps caps;
};

/// Reads the upstream's key from ai.key_file, else from SYNCLINE_AI_KEY, else from the credential "ai-key" of systemd;
/// an upstream that wants none is sent "none".
[[nodiscard]] Result<AiSettings> read_ai_settings(const Settings& settings);

}  // namespace syncline::app
