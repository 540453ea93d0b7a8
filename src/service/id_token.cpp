#include "service/id_token.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline::oidc {
namespace {

constexpr int kTokenDepthMax = 16;
constexpr std::size_t kSubjectBytesMax = 255;  // of the standard
constexpr std::size_t kEmailBytesMax = 254;

std::unexpected<Error> refuse_token(std::string_view what) {
  return fail(ErrorCode::unauthorized, "the ID token " + std::string(what));
}

/// The three parts of a signed token, the first two decoded.
struct TokenParts {
  std::string head;
  std::string claims;
  std::string_view signed_text;
  std::string signature;
};

Result<std::string> decode_json(std::string_view part) {
  auto text = from_base64url(part);
  if (!text || check_json(*text, kTokenDepthMax).fault != JsonFault::none || !JsonView(*text).is_object()) {
    return refuse_token("cannot be read");
  }
  return *std::move(text);
}

Result<TokenParts> take_apart(std::string_view token) {
  const auto parts = split(token, '.');
  if (token.size() > kIdTokenBytesMax || parts.size() != 3) return refuse_token("cannot be read");
  TokenParts taken;
  TRY(taken.head, decode_json(parts[0]));
  TRY(taken.claims, decode_json(parts[1]));
  taken.signed_text = token.substr(0, parts[0].size() + 1 + parts[1].size());
  auto signature = from_base64url(parts[2]);
  if (!signature) return refuse_token("cannot be read");
  taken.signature = *std::move(signature);
  return taken;
}

Result<> check_signature(const TokenParts& token, const std::vector<WebKey>& keys) {
  const JsonView head(token.head);
  if (head.find("crit")) return refuse_token("demands an extension that the hub does not know");
  TRY(const SignatureKind kind, parse_token_algorithm(head.text_of("alg")));
  const std::string id = head.text_of("kid");
  bool has_key = false;
  for (const WebKey& key : keys) {
    if (key.kind != kind || (!id.empty() && key.id != id)) continue;
    has_key = true;
    if (is_token_signed(key, token.signed_text, token.signature)) return {};
  }
  if (has_key) return refuse_token("has a wrong signature");
  return fail(ErrorCode::not_found, "the ID token is signed with a key that the provider does not publish");
}

Result<double> seconds_claim(JsonView claims, std::string_view name) {
  const auto claim = claims.find(name);
  const auto seconds = claim ? claim->as_number() : std::nullopt;
  if (!seconds) return refuse_token("does not say " + std::string(name));
  return *seconds;
}

Result<> check_times(JsonView claims, Timestamp now) {
  const double seconds = static_cast<double>(now.micros) / kMicrosPerSecond;
  TRY(const double ends, seconds_claim(claims, "exp"));
  if (ends <= seconds - kClockSkewSeconds) return refuse_token("has expired");
  TRY(const double issued, seconds_claim(claims, "iat"));
  if (issued > seconds + kClockSkewSeconds) {
    return refuse_token("is of a time to come; the clocks of hub and provider are too far apart");
  }
  return {};
}

Result<> check_audience(JsonView claims, const std::string& client_id) {
  std::size_t count = 0;
  bool is_for_us = false;
  const auto take = [&](JsonView one) {
    count += 1;
    is_for_us = is_for_us || one.as_string() == client_id;
  };
  if (const auto audience = claims.find("aud")) {
    if (audience->is_array()) {
      audience->for_each_element(take);
    } else {
      take(*audience);
    }
  }
  if (!is_for_us) return refuse_token("is for another client than this hub");
  const auto party = claims.find("azp");
  if (party ? party->as_string() != client_id : count > 1) return refuse_token("was made for another client");
  return {};
}

}  // namespace

void read_email(JsonView claims, Claims& into) {
  const std::string email = claims.text_of("email");
  if (email.empty() || email.size() > kEmailBytesMax) return;
  into.email = lower_case(email);
  const auto verified = claims.find("email_verified");
  // Some providers write it as a string.
  into.is_email_verified = verified && (verified->as_boolean() == true || verified->as_string() == "true");
}

Result<Claims> check_id_token(const Expected& expected, std::string_view token, const std::vector<WebKey>& keys,
                              Timestamp now) {
  TRY(const TokenParts parts, take_apart(token));
  CHECK_OK(check_signature(parts, keys));
  const JsonView json(parts.claims);
  if (json.text_of("iss") != expected.issuer) return refuse_token("is of another issuer");
  CHECK_OK(check_audience(json, expected.client_id));
  CHECK_OK(check_times(json, now));
  if (!equal_in_constant_time(json.text_of("nonce"), expected.nonce)) {
    return refuse_token("belongs to another sign-in");
  }
  Claims claims{.subject = json.text_of("sub"), .email = {}};
  if (claims.subject.empty() || claims.subject.size() > kSubjectBytesMax) return refuse_token("does not say who it is");
  read_email(json, claims);
  return claims;
}

}  // namespace syncline::oidc
