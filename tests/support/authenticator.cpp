#include "support/authenticator.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/bytes.hpp"
#include "base/json.hpp"

namespace syncline::test {
namespace {

std::string big_endian(std::uint32_t number, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>(number >> static_cast<unsigned>(shift));
  }
  return out;
}

EVP_PKEY* make_key(const std::string& algorithm) {
  if (algorithm == "ED25519") return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  if (algorithm.starts_with("RSA")) {
    const std::size_t bits = std::stoul(algorithm.substr(3));
    return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits);
  }
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", algorithm.c_str());
}

std::string algorithm_of(SignatureKind kind) {
  switch (kind) {
    case SignatureKind::es256: return "P-256";
    case SignatureKind::ed25519: return "ED25519";
    case SignatureKind::rs256: break;
  }
  return "RSA2048";
}

}  // namespace

std::string client_data_of(const Ceremony& ceremony) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("type", ceremony.type).string("challenge", to_base64url(ceremony.challenge));
  writer.string("origin", ceremony.origin);
  if (!ceremony.cross_origin.empty()) writer.raw("crossOrigin", ceremony.cross_origin);
  writer.end_object();
  return out;
}

std::string authenticator_data_of(const Ceremony& ceremony) {
  std::string out(as_text(sha256(ceremony.rp_id)));
  out += static_cast<char>(ceremony.flags);
  out += big_endian(ceremony.counter, 4);
  if (ceremony.credential.empty()) return out;
  out += std::string(16, '\0') + big_endian(static_cast<std::uint32_t>(ceremony.credential.size()), 2);
  return out + ceremony.credential + "a key in CBOR, which nobody reads";
}

void Authenticator::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

Authenticator::Authenticator(SignatureKind kind) : Authenticator(algorithm_of(kind)) {}
Authenticator::Authenticator(const std::string& algorithm) : key_(make_key(algorithm)) { EXPECT_TRUE(key_); }
Authenticator::Authenticator(Authenticator&&) noexcept = default;
Authenticator::~Authenticator() = default;

std::string Authenticator::public_key() const {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  EXPECT_GT(size, 0);
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

std::string Authenticator::sign(const std::string& message) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const EVP_MD* hash = EVP_PKEY_is_a(key_.get(), "ED25519") == 1 ? nullptr : EVP_sha256();
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  EXPECT_EQ(EVP_DigestSignInit(digest.get(), nullptr, hash, nullptr, key_.get()), 1);
  EXPECT_EQ(EVP_DigestSign(digest.get(), nullptr, &size, bytes, message.size()), 1);
  std::string signature(size, '\0');
  EXPECT_EQ(
      EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes, message.size()),
      1);
  signature.resize(size);
  return signature;
}

std::string Authenticator::sign(const std::string& authenticator_data, const std::string& client_data) const {
  return sign(authenticator_data + std::string(as_text(sha256(client_data))));
}

std::string Authenticator::registration_json(Ceremony ceremony, SignatureKind kind) const {
  ceremony.type = "webauthn.create";
  ceremony.flags |= 0x40U;
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("id", to_base64url(ceremony.credential)).string("type", "public-key");
  writer.name("response").begin_object().string("clientDataJSON", to_base64url(client_data_of(ceremony)));
  writer.string("authenticatorData", to_base64url(authenticator_data_of(ceremony)));
  writer.string("publicKey", to_base64url(public_key()));
  writer.integer("publicKeyAlgorithm", static_cast<std::int64_t>(kind)).end_object().end_object();
  return out;
}

std::string Authenticator::assertion_json(const Ceremony& ceremony) const {
  const std::string client_data = client_data_of(ceremony);
  Ceremony plain = ceremony;
  plain.credential.clear();
  const std::string authenticator_data = authenticator_data_of(plain);
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("id", to_base64url(ceremony.credential)).string("type", "public-key");
  writer.name("response").begin_object().string("clientDataJSON", to_base64url(client_data));
  writer.string("authenticatorData", to_base64url(authenticator_data));
  writer.string("signature", to_base64url(sign(authenticator_data, client_data))).end_object().end_object();
  return out;
}

}  // namespace syncline::test
