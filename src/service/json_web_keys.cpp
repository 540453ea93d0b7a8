#include "service/json_web_keys.hpp"

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace syncline::oidc {
namespace {

using namespace std::string_view_literals;

constexpr int kKeySetDepthMax = 8;
constexpr std::size_t kCoordinateBytes = 32;

// SubjectPublicKeyInfo up to the key itself (RFC 5480, RFC 8410), and the algorithm of an RSA key (RFC 8017).
constexpr std::string_view kP256Head =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04"sv;
constexpr std::string_view kEd25519Head = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"sv;
constexpr std::string_view kRsaAlgorithm = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"sv;

constexpr char kDerInteger = '\x02';
constexpr char kDerBitString = '\x03';
constexpr char kDerSequence = '\x30';

/// One value in DER. At most 65,535 bytes, which is more than any key has.
std::string der_value(char tag, std::string_view content) {
  std::string out(1, tag);
  const std::size_t size = content.size();
  if (size > 0xFF) {
    out += '\x82';
    out += static_cast<char>(size >> 8U);
  } else if (size > 0x7F) {
    out += '\x81';
  }
  out += static_cast<char>(size & 0xFFU);
  return out.append(content);
}

/// A number that is not negative, from its bytes in network order.
std::string der_number(std::string_view bytes) {
  while (bytes.size() > 1 && bytes.front() == '\0') bytes.remove_prefix(1);
  const bool looks_negative = bytes.empty() || (static_cast<unsigned char>(bytes.front()) & 0x80U) != 0;
  return der_value(kDerInteger, (looks_negative ? std::string(1, '\0') : std::string()) + std::string(bytes));
}

std::string bytes_of_member(JsonView key, std::string_view name) {
  return from_base64url(key.text_of(name)).value_or("");
}

std::string rsa_public_key(const std::string& modulus, const std::string& exponent) {
  const std::string key = der_value(kDerSequence, der_number(modulus) + der_number(exponent));
  return der_value(kDerSequence, std::string(kRsaAlgorithm) + der_value(kDerBitString, std::string(1, '\0') + key));
}

/// Empty for a key of another kind. What is no key at all is found by check_public_key().
std::string read_public_key(JsonView key, SignatureKind& kind) {
  const std::string type = key.text_of("kty");
  const std::string curve = key.text_of("crv");
  if (type == "RSA") {
    kind = SignatureKind::rs256;
    return rsa_public_key(bytes_of_member(key, "n"), bytes_of_member(key, "e"));
  }
  const std::string x = bytes_of_member(key, "x");
  if (x.size() != kCoordinateBytes) return {};
  if (type == "OKP" && curve == "Ed25519") {
    kind = SignatureKind::ed25519;
    return std::string(kEd25519Head) + x;
  }
  const std::string y = bytes_of_member(key, "y");
  if (type != "EC" || curve != "P-256" || y.size() != kCoordinateBytes) return {};
  kind = SignatureKind::es256;
  return std::string(kP256Head) + x + y;
}

}  // namespace

Result<SignatureKind> parse_token_algorithm(std::string_view name) {
  if (name == "RS256") return SignatureKind::rs256;
  if (name == "ES256") return SignatureKind::es256;
  if (name == "EdDSA" || name == "Ed25519") return SignatureKind::ed25519;
  return fail(ErrorCode::unauthorized, "the ID token is signed with '" +
                                           std::string(cut_utf8(to_valid_utf8(name), 20)) +
                                           "'; the hub accepts RS256, ES256 and EdDSA");
}

Result<std::vector<WebKey>> parse_web_keys(std::string text) {
  const auto refuse = [] { return fail(ErrorCode::invalid_argument, "is no set of keys"); };
  if (check_json(text, kKeySetDepthMax).fault != JsonFault::none) return refuse();
  const auto list = JsonView(text).find("keys");
  if (!list || !list->is_array()) return refuse();
  std::vector<WebKey> keys;
  std::size_t count = 0;
  list->for_each_element([&](JsonView element) {
    if (!element.is_object() || ++count > kWebKeysMax) return;
    const std::string use = element.text_of("use");
    if (!use.empty() && use != "sig") return;
    WebKey key{.id = element.text_of("kid"), .public_key = {}};
    key.public_key = read_public_key(element, key.kind);
    if (key.public_key.empty() || !check_public_key(key.kind, key.public_key)) return;
    const std::string algorithm = element.text_of("alg");
    const auto wanted = parse_token_algorithm(algorithm);
    if (!algorithm.empty() && (!wanted || *wanted != key.kind)) return;
    keys.push_back(std::move(key));
  });
  return keys;
}

bool is_token_signed(const WebKey& key, std::string_view message, std::string_view signature) {
  if (key.kind != SignatureKind::es256) return is_signed(key.kind, key.public_key, message, signature);
  if (signature.size() != 2 * kCoordinateBytes) return false;
  const std::string numbers =
      der_number(signature.substr(0, kCoordinateBytes)) + der_number(signature.substr(kCoordinateBytes));
  return is_signed(key.kind, key.public_key, message, der_value(kDerSequence, numbers));
}

}  // namespace syncline::oidc
