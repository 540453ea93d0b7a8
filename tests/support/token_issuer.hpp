// A provider of identities in software: publishes keys, signs ID tokens, and says in them what a test wants.
#pragma once

#include "support/authenticator.hpp"

namespace syncline::test {

/// What an ID token says. Each value is JSON; an empty one is left out.
struct TokenClaims {
  std::string iss = R"("https://id.example.org")";
  std::string sub = R"("ann-7")";
  std::string aud = R"("syncline")";
  std::string azp;
  std::string exp = "1800000300";
  std::string iat = "1800000000";
  std::string nonce = R"("n1")";
  std::string email = R"("Ann@example.org")";
  std::string email_verified = "true";

  [[nodiscard]] std::string to_json() const;
};

class TokenIssuer {
 public:
  explicit TokenIssuer(SignatureKind kind = SignatureKind::es256, std::string id = "k1");

  /// The public key as a JSON Web Key.
  [[nodiscard]] std::string key_json() const;
  [[nodiscard]] std::string token(const TokenClaims& claims) const { return sign(head(), claims.to_json()); }
  /// Both parts are JSON.
  [[nodiscard]] std::string sign(const std::string& head, const std::string& claims) const;
  [[nodiscard]] std::string head() const;
  /// SubjectPublicKeyInfo.
  [[nodiscard]] std::string public_key() const { return key_.public_key(); }

 private:
  const SignatureKind kind_;
  const std::string id_;
  const Authenticator key_;
};

/// A set of these keys, each as JSON.
[[nodiscard]] std::string key_set(const std::string& keys);

}  // namespace syncline::test
