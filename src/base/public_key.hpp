// Signatures by a public key that is in somebody else's hands, by OpenSSL. The keys are those that passkeys have. Safe
// from any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace syncline {

/// By the numbers of COSE (RFC 9053, RFC 8812).
enum class SignatureKind : std::int16_t { es256 = -7, ed25519 = -8, rs256 = -257 };

/// invalid_argument unless `key` is one public key of that kind as SubjectPublicKeyInfo (DER): ECDSA on P-256, Ed25519,
/// or RSA of 2,048 to 8,192 bits.
[[nodiscard]] Result<> check_public_key(SignatureKind kind, std::string_view key);

/// True if whoever has the private key has signed exactly `message`. False for a key of another kind.
[[nodiscard]] bool is_signed(SignatureKind kind, std::string_view key, std::string_view message,
                             std::string_view signature);

}  // namespace syncline
