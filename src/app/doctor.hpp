// `syncline doctor`: looks at everything that commonly goes wrong and says what to do.
#pragma once

#include <string>

#include "app/settings.hpp"

namespace syncline::app {

struct Diagnosis {
  std::string json;  // {"ok", "checks": [{"check", "state", "detail"}]}
  bool ok = true;
};

[[nodiscard]] Diagnosis examine(const Settings& settings, const std::string& data);

}  // namespace syncline::app
