// What is checked of the ID token with which a provider of identities says who somebody is (OpenID Connect Core 1.0,
// 3.1.3.7). Pure; safe from any thread.
#pragma once

#include "base/json.hpp"
#include "base/time.hpp"
#include "service/json_web_keys.hpp"

namespace syncline::oidc {

/// What the token must say.
struct Expected {
  std::string issuer;
  std::string client_id;
  std::string nonce;
};

/// What the token, or the provider's UserInfo, says of the person.
struct Claims {
  std::string subject;  // whom the issuer means: never given to somebody else
  std::string email;    // empty: it does not say
  bool is_email_verified = false;
};

/// How far the clocks of hub and provider may be apart, in seconds.
inline constexpr std::int64_t kClockSkewSeconds = 120;
inline constexpr std::size_t kIdTokenBytesMax = 32UL << 10U;

/// `unauthorized` says what is wrong with the token; not_found if none of the keys is the one that it names, so that
/// the caller can fetch them again.
[[nodiscard]] Result<Claims> check_id_token(const Expected& expected, std::string_view token,
                                            const std::vector<WebKey>& keys, Timestamp now);

/// Takes over email and email_verified, if the object has them.
void read_email(JsonView claims, Claims& into);

}  // namespace syncline::oidc
