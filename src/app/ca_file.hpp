// Certificates of CAs that the operator or the owner of a device trusts besides the system's: --ca-file, tls.ca_file,
// or SYNCLINE_TLS_CA_FILE.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace syncline::app {

/// What to do about a certificate of an unknown CA, for programs that have the option and for a hub.
inline constexpr std::string_view kCaFileAdvice =
    "if you trust its CA, pass the CA's certificate with --ca-file FILE, or add it to the system's certificates";
inline constexpr std::string_view kCaSettingAdvice =
    "if you trust its CA, set tls.ca_file to the CA's certificate, or add it to the system's certificates";

/// The absolute path of the file that `option` or else the environment names; empty if neither does. not_found if it
/// cannot be read, invalid_argument if it holds no certificate in PEM.
[[nodiscard]] Result<std::string> find_ca_file(const std::string& option);
/// The same for a file that settings name.
[[nodiscard]] Result<> check_ca_file(const std::string& file);

}  // namespace syncline::app
