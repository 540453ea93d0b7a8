#include "base/public_key.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

namespace syncline {
namespace {

constexpr std::size_t kKeyBytesMax = 2048;
constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeKey>;

struct FreeDigest {
  void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

bool is_on_p256(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t length = 0;
  return EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
         std::string_view(group.data(), length) == "prime256v1";
}

bool is_of(SignatureKind kind, const EVP_PKEY* key) {
  switch (kind) {
    case SignatureKind::es256: return EVP_PKEY_is_a(key, "EC") == 1 && is_on_p256(key);
    case SignatureKind::ed25519: return EVP_PKEY_is_a(key, "ED25519") == 1;
    case SignatureKind::rs256: {
      const int bits = EVP_PKEY_get_bits(key);
      return EVP_PKEY_is_a(key, "RSA") == 1 && bits >= kRsaBitsMin && bits <= kRsaBitsMax;
    }
  }
  return false;
}

/// Null unless the bytes are a key of that kind, and nothing else.
KeyHandle read_key(SignatureKind kind, std::string_view key) {
  if (key.empty() || key.size() > kKeyBytesMax) return nullptr;
  const unsigned char* at = bytes_of(key);
  KeyHandle read(d2i_PUBKEY(nullptr, &at, static_cast<long>(key.size())));
  ERR_clear_error();
  const bool is_whole = read && at == bytes_of(key) + key.size();
  return is_whole && is_of(kind, read.get()) ? std::move(read) : nullptr;
}

}  // namespace

Result<> check_public_key(SignatureKind kind, std::string_view key) {
  if (read_key(kind, key)) return {};
  return fail(ErrorCode::invalid_argument, "the public key is not one of its algorithm");
}

bool is_signed(SignatureKind kind, std::string_view key, std::string_view message, std::string_view signature) {
  const KeyHandle read = read_key(kind, key);
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> digest(EVP_MD_CTX_new());
  if (!read || !digest) return false;
  const EVP_MD* hash = kind == SignatureKind::ed25519 ? nullptr : EVP_sha256();
  const bool is_right =
      EVP_DigestVerifyInit(digest.get(), nullptr, hash, nullptr, read.get()) == 1 &&
      EVP_DigestVerify(digest.get(), bytes_of(signature), signature.size(), bytes_of(message), message.size()) == 1;
  ERR_clear_error();
  return is_right;
}

}  // namespace syncline
