// `syncline doctor`: looks at everything that commonly goes wrong and says what to do.
#pragma once

#include <string>

#include "app/settings.hpp"

namespace syncline::app {

struct Diagnosis {
  std::string json;  // {"ok", "checks": [{"check", "state", "detail"}]}
  bool ok = true;
};

/// `files`: the settings of a hub that would start now. Those of a hub that runs are asked for, and checked instead.
[[nodiscard]] Diagnosis examine(const Settings& files, const std::string& data);

}  // namespace syncline::app
