// ID tokens: each claim and each part of the signature made wrong in turn.
#include "service/id_token.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/hmac.hpp"
#include "support/token_issuer.hpp"

namespace syncline::oidc {
namespace {

using test::key_set;
using test::TokenClaims;
using test::TokenIssuer;

constexpr Timestamp kNow{1'800'000'000'000'000};

class IdTokenTest : public testing::Test {
 protected:
  Result<Claims> check(const std::string& token) { return check_by(issuer_, token); }
  static Result<Claims> check_by(const TokenIssuer& issuer, const std::string& token) {
    const auto keys = parse_web_keys(key_set(issuer.key_json()));
    EXPECT_TRUE(keys);
    return check_id_token(kExpected, token, *keys, kNow);
  }
  /// Why the token is refused; "accepted" if it is not.
  std::string fault_of(const TokenClaims& claims) { return fault_of_token(issuer_.token(claims)); }
  std::string fault_of_token(const std::string& token) {
    const auto claims = check(token);
    return claims ? "accepted" : claims.error().text;
  }

  inline static const Expected kExpected{.issuer = "https://id.example.org", .client_id = "syncline", .nonce = "n1"};
  const TokenIssuer issuer_;
};

TEST_F(IdTokenTest, a_token_of_each_algorithm_says_who_it_is) {
  for (const SignatureKind kind : {SignatureKind::es256, SignatureKind::rs256, SignatureKind::ed25519}) {
    const TokenIssuer issuer(kind);
    for (int times = 0; times < 20; ++times) {  // numbers of ECDSA may begin with zeros
      const auto claims = check_by(issuer, issuer.token({}));
      ASSERT_TRUE(claims) << claims.error().text;
      EXPECT_EQ(claims->subject, "ann-7");
      EXPECT_EQ(claims->email, "ann@example.org") << "in lower case";
      EXPECT_TRUE(claims->is_email_verified);
    }
  }
}

TEST_F(IdTokenTest, the_issuer_the_client_and_the_sign_in_must_be_ours) {
  EXPECT_EQ(fault_of({.iss = R"("https://id.example.org/")"}), "the ID token is of another issuer");
  EXPECT_EQ(fault_of({.iss = ""}), "the ID token is of another issuer");
  for (const std::string aud : {R"("another")", R"(["another"])", "[]", "", "7"}) {
    EXPECT_EQ(fault_of({.aud = aud}), "the ID token is for another client than this hub") << aud;
  }
  EXPECT_EQ(fault_of({.aud = R"(["syncline"])"}), "accepted");
  EXPECT_EQ(fault_of({.aud = R"(["syncline","another"])"}), "the ID token was made for another client");
  EXPECT_EQ(fault_of({.aud = R"(["syncline","another"])", .azp = R"("another")"}),
            "the ID token was made for another client");
  EXPECT_EQ(fault_of({.aud = R"(["syncline","another"])", .azp = R"("syncline")"}), "accepted");
  EXPECT_EQ(fault_of({.azp = R"("another")"}), "the ID token was made for another client");
  for (const std::string nonce : {R"("n2")", R"("")", "", "null", "1"}) {
    EXPECT_EQ(fault_of({.nonce = nonce}), "the ID token belongs to another sign-in") << nonce;
  }
  for (const std::string& sub : std::vector<std::string>{R"("")", "", "7", '"' + std::string(256, 'x') + '"'}) {
    EXPECT_EQ(fault_of({.sub = sub}), "the ID token does not say who it is") << sub;
  }
}

TEST_F(IdTokenTest, it_is_good_in_its_time_and_two_minutes_around_it) {
  EXPECT_EQ(fault_of({.exp = "1799999881"}), "accepted");
  EXPECT_EQ(fault_of({.exp = "1799999880"}), "the ID token has expired");
  EXPECT_EQ(fault_of({.exp = "1799999880.0"}), "the ID token has expired");
  EXPECT_EQ(fault_of({.exp = ""}), "the ID token does not say exp");
  EXPECT_EQ(fault_of({.exp = R"("1800000300")"}), "the ID token does not say exp");
  EXPECT_EQ(fault_of({.iat = "1800000120"}), "accepted");
  EXPECT_TRUE(fault_of({.iat = "1800000121"}).contains("a time to come"));
  EXPECT_EQ(fault_of({.iat = ""}), "the ID token does not say iat");
}

TEST_F(IdTokenTest, an_address_counts_as_verified_only_if_the_provider_says_so) {
  const auto is_verified = [&](const std::string& verified) {
    return check(issuer_.token({.email_verified = verified}))->is_email_verified;
  };
  EXPECT_TRUE(is_verified(R"("true")")) << "as some providers write it";
  for (const std::string verified : {"false", R"("false")", "", "null", "1", R"("yes")"}) {
    EXPECT_FALSE(is_verified(verified)) << verified;
  }
  EXPECT_EQ(check(issuer_.token({.email = ""}))->email, "");
  EXPECT_FALSE(check(issuer_.token({.email = ""}))->is_email_verified);
}

TEST_F(IdTokenTest, no_algorithm_without_a_key_of_its_own_is_accepted) {
  const std::string claims = TokenClaims{}.to_json();
  for (const std::string name : {"none", "None", "NONE", "", "HS256", "HS512", "PS256", "ES512"}) {
    const std::string text = to_base64url(R"({"alg":")" + name + R"(","kid":"k1"})") + '.' + to_base64url(claims);
    EXPECT_TRUE(fault_of_token(text + '.').contains("the hub accepts")) << name;
  }
  // With the public key as the secret that both sides have.
  const std::string text = to_base64url(R"({"alg":"HS256","kid":"k1"})") + '.' + to_base64url(claims);
  for (const std::string& secret : {issuer_.public_key(), issuer_.key_json()}) {
    EXPECT_TRUE(
        fault_of_token(text + '.' + to_base64url(as_text(hmac_sha256(secret, text)))).contains("the hub accepts"));
  }
  // With the name of another algorithm than the key has.
  const auto other = check(issuer_.sign(R"({"alg":"RS256","kid":"k1"})", claims));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::not_found);
  EXPECT_EQ(fault_of_token(issuer_.sign(R"({"alg":"ES256","kid":"k1","crit":["b64"],"b64":true})", claims)),
            "the ID token demands an extension that the hub does not know");
}

TEST_F(IdTokenTest, the_signature_must_be_of_the_key_that_it_names) {
  const TokenIssuer stranger(SignatureKind::es256, "k1");
  EXPECT_EQ(fault_of_token(stranger.token({})), "the ID token has a wrong signature");
  const TokenIssuer unknown(SignatureKind::es256, "k2");
  const auto claims = check(unknown.token({}));
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code, ErrorCode::not_found) << "the caller fetches the keys again";
  EXPECT_EQ(fault_of_token(issuer_.sign(R"({"alg":"ES256"})", TokenClaims{}.to_json())), "accepted") << "any key";
  std::string token = issuer_.token({});
  token[token.size() - 5] = token[token.size() - 5] == 'A' ? 'B' : 'A';
  EXPECT_EQ(fault_of_token(token), "the ID token has a wrong signature");
  const std::string good = issuer_.token({});
  const std::string changed = issuer_.token({.sub = R"("bob")"});
  const std::size_t tail = good.rfind('.');
  EXPECT_EQ(fault_of_token(changed.substr(0, changed.rfind('.')) + good.substr(tail)),
            "the ID token has a wrong signature");
  EXPECT_EQ(fault_of_token(good.substr(0, tail + 1)), "the ID token has a wrong signature");
}

TEST_F(IdTokenTest, what_is_no_token_is_refused) {
  const std::string good = issuer_.token({});
  for (const std::string& token :
       {std::string(), std::string("a"), std::string("a.b.c"), std::string("...."), good + ".x", "=" + good,
        good.substr(good.find('.')), std::string(kIdTokenBytesMax + 1, 'a'), issuer_.sign("[]", "{}"),
        issuer_.sign(issuer_.head(), "7"),
        issuer_.sign(issuer_.head(), R"({"a":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]})")}) {
    EXPECT_EQ(fault_of_token(token), "the ID token cannot be read") << token.substr(0, 60);
  }
}

TEST(WebKeysTest, only_keys_that_sign_with_a_known_algorithm_are_taken) {
  const std::string good = TokenIssuer(SignatureKind::rs256).key_json();
  const std::string point = R"("crv":"P-256","x":")" + to_base64url(std::string(32, 'x')) + R"(","y":")" +
                            to_base64url(std::string(32, 'y')) + "\"";
  const std::vector<std::string> others = {
      "7",
      "{}",
      R"({"kty":"oct","k":"c2VjcmV0"})",
      R"({"kty":"EC",)" + point + "}",  // not on the curve
      R"({"kty":"EC","crv":"P-384","x":"","y":""})",
      R"({"kty":"RSA","n":"AQAB","e":"AQAB"})",
      R"({"kty":"RSA"})",
      R"({"kty":"OKP","crv":"Ed25519","x":"AA"})",
      R"({"kty":"OKP","crv":"X25519","x":")" + to_base64url(std::string(32, 'x')) + "\"}",
      good.substr(0, good.size() - 1) + R"(,"use":"enc"})",
      good.substr(0, good.size() - 1) + R"(,"alg":"RSA-OAEP"})",
      good.substr(0, good.size() - 1) + R"(,"alg":"PS256"})",
  };
  for (const std::string& other : others) {
    const auto keys = parse_web_keys(key_set(other + ',' + good));
    ASSERT_TRUE(keys) << other;
    EXPECT_EQ(keys->size(), 1U) << other;
  }
  for (const std::string text : {"", "[]", "{}", R"({"keys":7})", "{"}) EXPECT_FALSE(parse_web_keys(text)) << text;
  EXPECT_EQ(parse_web_keys(key_set(""))->size(), 0U);
}

TEST(WebKeysTest, of_a_flood_of_keys_some_are_read) {
  std::string keys = "{}";
  for (std::size_t count = 1; count < kWebKeysMax; ++count) keys += ",{}";
  EXPECT_EQ(parse_web_keys(key_set(keys + ',' + TokenIssuer().key_json()))->size(), 0U);
}

}  // namespace
}  // namespace syncline::oidc
