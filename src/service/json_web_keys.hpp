// The public keys with which a provider of identities signs, as it publishes them (RFC 7517, 7518, 8037). Pure; safe
// from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/public_key.hpp"

namespace syncline::oidc {

struct WebKey {
  std::string id;  // "kid"; empty: none
  SignatureKind kind = SignatureKind::es256;
  std::string public_key;  // SubjectPublicKeyInfo
};

/// So many keys of a set are read, and no more.
inline constexpr std::size_t kWebKeysMax = 100;

/// The keys of a JSON Web Key Set that verify RS256, ES256 or EdDSA (Ed25519). Others are left out: secret ones, those
/// for encryption, too short or broken ones. invalid_argument if the text is no set.
[[nodiscard]] Result<std::vector<WebKey>> parse_web_keys(std::string text);

/// The algorithm of a signature by its name in a JSON Web Token. `unauthorized` for every other one: "none", and those
/// with a secret that both sides have, which a public key could be taken for.
[[nodiscard]] Result<SignatureKind> parse_token_algorithm(std::string_view name);

/// Whether `signature` of a JSON Web Token is right: with ECDSA it is two numbers of 32 bytes.
[[nodiscard]] bool is_token_signed(const WebKey& key, std::string_view message, std::string_view signature);

}  // namespace syncline::oidc
