// Secrets that the hub needs and that no settings file contains: from a file that a setting names, from the
// environment, or from a credential of systemd.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"

namespace syncline::app {

struct SecretSource {
  std::string file;         // empty: none is set
  const char* environment;  // name of the variable
  const char* credential;   // name of systemd's credential
};

/// The first line of the file if one is set; else the variable, if it is not empty; else the credential, if there is
/// one. Nothing if there is none of these. not_found names a file that cannot be read.
[[nodiscard]] Result<std::optional<std::string>> find_secret(const SecretSource& source);

}  // namespace syncline::app
