// How people and their agents are named in answers.
#pragma once

#include <array>
#include <cstdio>

#include "service/principal.hpp"

namespace syncline::accounts {

/// "usr_" and 12 hexadecimal digits: clients take any text, but this is the form they know.
[[nodiscard]] inline std::string user_id(AccountNumber number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "usr_%012llx", static_cast<unsigned long long>(number.value));
  return text.data();
}

}  // namespace syncline::accounts
