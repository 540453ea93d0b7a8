#include "support/token_issuer.hpp"

#include "base/bytes.hpp"
#include "base/json.hpp"

namespace syncline::test {
namespace {

constexpr std::size_t kNumberBytes = 32;

/// A number in DER, with as many bytes as ECDSA has.
std::string fixed_number(std::string number) {
  while (number.size() > kNumberBytes) number.erase(0, 1);
  return std::string(kNumberBytes - number.size(), '\0') + number;
}

/// r and s behind each other, as in a JSON Web Token.
std::string raw_signature(const std::string& der) {
  const auto size_at = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(der[at])); };
  const std::size_t r_size = size_at(3);
  const std::size_t s_at = 4 + r_size;
  return fixed_number(der.substr(4, r_size)) + fixed_number(der.substr(s_at + 2, size_at(s_at + 1)));
}

std::string_view algorithm_name(SignatureKind kind) {
  switch (kind) {
    case SignatureKind::es256: return "ES256";
    case SignatureKind::ed25519: return "EdDSA";
    case SignatureKind::rs256: break;
  }
  return "RS256";
}

}  // namespace

std::string TokenClaims::to_json() const {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  const auto add = [&](std::string_view name, const std::string& json) {
    if (!json.empty()) writer.raw(name, json);
  };
  add("iss", iss);
  add("sub", sub);
  add("aud", aud);
  add("azp", azp);
  add("exp", exp);
  add("iat", iat);
  add("nonce", nonce);
  add("email", email);
  add("email_verified", email_verified);
  writer.end_object();
  return out;
}

TokenIssuer::TokenIssuer(SignatureKind kind, std::string id) : kind_(kind), id_(std::move(id)), key_(kind) {}

std::string TokenIssuer::key_json() const {
  const std::string der = key_.public_key();
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("kid", id_).string("use", "sig").string("alg", algorithm_name(kind_));
  if (kind_ == SignatureKind::rs256) {
    // 2,048 bits, and the exponent 65,537 as the last value.
    writer.string("kty", "RSA").string("n", to_base64url(der.substr(der.size() - 261, 256))).string("e", "AQAB");
  } else if (kind_ == SignatureKind::es256) {
    writer.string("kty", "EC").string("crv", "P-256");
    writer.string("x", to_base64url(der.substr(der.size() - 64, 32)));
    writer.string("y", to_base64url(der.substr(der.size() - 32)));
  } else {
    writer.string("kty", "OKP").string("crv", "Ed25519").string("x", to_base64url(der.substr(der.size() - 32)));
  }
  writer.end_object();
  return out;
}

std::string TokenIssuer::head() const {
  return R"({"alg":")" + std::string(algorithm_name(kind_)) + R"(","kid":")" + id_ + "\"}";
}

std::string TokenIssuer::sign(const std::string& head, const std::string& claims) const {
  const std::string text = to_base64url(head) + '.' + to_base64url(claims);
  const std::string signature = key_.sign(text);
  return text + '.' + to_base64url(kind_ == SignatureKind::es256 ? raw_signature(signature) : signature);
}

std::string key_set(const std::string& keys) { return R"({"keys":[)" + keys + "]}"; }

}  // namespace syncline::test
