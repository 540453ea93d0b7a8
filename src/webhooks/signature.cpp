#include "webhooks/signature.hpp"

#include "base/hmac.hpp"

namespace syncline::webhooks {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kSecretBytesMin = 24;
constexpr std::size_t kSecretBytesMax = 64;

std::optional<std::string> key_of(std::string_view secret) {
  if (!secret.starts_with(kPrefix)) return std::nullopt;
  return from_base64(secret.substr(kPrefix.size()));
}

}  // namespace

std::string make_secret() { return std::string(kPrefix) + to_base64(random_bytes(kSecretBytes)); }

Result<> check_secret(std::string_view secret) {
  const auto key = key_of(secret);
  if (key && key->size() >= kSecretBytesMin && key->size() <= kSecretBytesMax) return {};
  return fail(ErrorCode::invalid_argument, "a secret must be whsec_ followed by the base64 of 24 to 64 bytes");
}

std::string sign(const std::vector<std::string>& secrets, std::string_view id, std::int64_t unix_s,
                 std::string_view body) {
  std::string message = std::string(id) + '.' + std::to_string(unix_s) + '.';
  message += body;
  std::string signatures;
  for (const std::string& secret : secrets) {
    const auto key = key_of(secret);
    if (!key) continue;
    if (!signatures.empty()) signatures += ' ';
    signatures += "v1," + to_base64(as_text(hmac_sha256(*key, message)));
  }
  return signatures;
}

}  // namespace syncline::webhooks
