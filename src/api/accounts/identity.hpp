// How people and their agents are named in answers.
#pragma once

#include <array>
#include <cstdio>

#include "api/call.hpp"
#include "service/access.hpp"

namespace syncline::accounts {

/// "usr_" and 12 hexadecimal digits: clients take any text, but this is the form they know.
[[nodiscard]] inline std::string user_id(AccountNumber number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "usr_%012llx", static_cast<unsigned long long>(number.value));
  return text.data();
}

/// Who asks, for the list of sessions.
[[nodiscard]] inline Caller caller_of(const api::Call& call) {
  return {std::string(call.head().client), std::string(call.header("User-Agent"))};
}

}  // namespace syncline::accounts
