// What a browser says of a passkey (Web Authentication Level 2), and whether it is true. Attestation is not asked for,
// so the browser itself hands over the public key, and no CBOR is read. Pure: no state, no clock.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/public_key.hpp"
#include "base/result.hpp"

namespace syncline::passkey {

/// Where passkeys are used: they belong to a host, and pages of one origin may use them.
struct Site {
  std::string origin;  // "https://hub.example.org:8443"
  std::string rp_id;   // "hub.example.org"
};

/// True for a challenge that we have made for this and that is still good. Bytes.
using IsOurs = std::function<bool(std::string_view challenge)>;

/// What the browser answers to navigator.credentials.create().
struct Registration {
  std::string credential;  // its id
  std::string client_data;
  std::string authenticator_data;
  SignatureKind kind = SignatureKind::es256;
  std::string public_key;  // SubjectPublicKeyInfo
};

/// What it answers to navigator.credentials.get().
struct Assertion {
  std::string credential;
  std::string client_data;
  std::string authenticator_data;
  std::string signature;
};

/// What is known of a passkey.
struct Known {
  SignatureKind kind = SignatureKind::es256;
  std::string public_key;
  std::uint32_t counter = 0;
};

/// The kind of that number of COSE; invalid_argument for any other than -7, -8 and -257.
[[nodiscard]] Result<SignatureKind> parse_kind(std::int64_t algorithm);

/// The challenge in the client data, as bytes. invalid_argument if there is none.
[[nodiscard]] Result<std::string> challenge_in(std::string_view client_data);

/// What may be stored of it. invalid_argument says what is wrong.
[[nodiscard]] Result<Known> check_registration(const Site& site, const Registration& registration,
                                               const IsOurs& is_ours);

/// What is said of a credential that nobody has registered, and of a wrong signature.
inline constexpr const char* kUnknown = "this passkey is unknown, or its signature is wrong";

/// `unauthorized` if a passkey that counts does not count on: there may be a copy of it. Those that do not count say 0.
[[nodiscard]] Result<> check_counter(std::uint32_t before, std::uint32_t now);

/// The new counter. `unauthorized` says what is wrong.
[[nodiscard]] Result<std::uint32_t> check_assertion(const Site& site, const Known& known, const Assertion& assertion,
                                                    const IsOurs& is_ours);

}  // namespace syncline::passkey
