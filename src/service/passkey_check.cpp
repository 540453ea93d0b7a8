#include "service/passkey_check.hpp"

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace syncline::passkey {
namespace {

constexpr int kClientDataDepthMax = 8;
constexpr std::size_t kClientDataBytesMax = 8UL << 10U;
constexpr std::size_t kCredentialBytesMax = 1023;  // of the standard

// Flags of authenticator data.
constexpr unsigned kUserPresent = 0x01;
constexpr unsigned kUserVerified = 0x04;
constexpr unsigned kHasCredential = 0x40;

std::unexpected<Error> refuse(std::string_view what) { return fail(ErrorCode::invalid_argument, std::string(what)); }

/// Read from the head of authenticator data: 32 bytes of hash, one of flags, four of counter.
struct Head {
  std::string_view rp_id_hash;
  unsigned flags = 0;
  std::uint32_t counter = 0;
  std::string_view rest;
};
constexpr std::size_t kHeadBytes = 37;

std::uint32_t read_number(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes) number = (number << 8U) | static_cast<unsigned char>(byte);
  return number;
}

Result<Head> read_head(std::string_view data) {
  if (data.size() < kHeadBytes) return refuse("the authenticator data is too short");
  return Head{.rp_id_hash = data.substr(0, 32),
              .flags = static_cast<unsigned char>(data[32]),
              .counter = read_number(data.substr(33, 4)),
              .rest = data.substr(kHeadBytes)};
}

/// The client data as JSON. The text outlives the view.
Result<JsonView> read_client_data(std::string& text) {
  if (text.size() > kClientDataBytesMax || check_json(text, kClientDataDepthMax).fault != JsonFault::none) {
    return refuse("the client data is not JSON");
  }
  return JsonView(text);
}

Result<> check_client_data(const Site& site, std::string_view client_data, std::string_view type,
                           const IsOurs& is_ours) {
  std::string text(client_data);
  TRY(const JsonView json, read_client_data(text));
  if (json.text_of("type") != type) return refuse("the client data is of another type than " + std::string(type));
  const std::string origin = json.text_of("origin");
  if (origin != site.origin) {
    const std::string shown = to_valid_utf8(origin);
    return refuse("the page is of " + std::string(cut_utf8(shown, 200)) + ", but passkeys of this hub are for " +
                  site.origin);
  }
  const auto cross_origin = json.find("crossOrigin");
  if (cross_origin && cross_origin->as_boolean() != false) return refuse("the page is part of a page elsewhere");
  TRY(const std::string challenge, challenge_in(client_data));
  if (!is_ours(challenge)) return refuse("the challenge was used, has expired, or is not the hub's; try again");
  return {};
}

Result<Head> check_head(const Site& site, std::string_view authenticator_data) {
  TRY(const Head head, read_head(authenticator_data));
  if (head.rp_id_hash != as_text(sha256(site.rp_id))) return refuse("the passkey is for another host");
  if ((head.flags & kUserPresent) == 0) return refuse("nobody was there to confirm");
  if ((head.flags & kUserVerified) == 0) {
    return refuse("the device has not checked who you are; use its PIN, fingerprint or face");
  }
  return head;
}

/// The id of the credential that authenticator data of a registration is about: behind the 16 bytes that name the
/// kind of authenticator, and two of length.
Result<std::string_view> credential_in(const Head& head) {
  constexpr std::size_t kModelBytes = 16;
  const std::string_view rest = head.rest;
  if ((head.flags & kHasCredential) == 0 || rest.size() < kModelBytes + 2) return refuse("no credential was made");
  const std::size_t length = read_number(rest.substr(kModelBytes, 2));
  if (rest.size() < kModelBytes + 2 + length) return refuse("the authenticator data is too short");
  return rest.substr(kModelBytes + 2, length);
}

}  // namespace

Result<SignatureKind> parse_kind(std::int64_t algorithm) {
  for (const SignatureKind kind : {SignatureKind::es256, SignatureKind::ed25519, SignatureKind::rs256}) {
    if (algorithm == static_cast<std::int64_t>(kind)) return kind;
  }
  return refuse("algorithm must be -7, -8 or -257");
}

Result<std::string> challenge_in(std::string_view client_data) {
  std::string text(client_data);
  TRY(const JsonView json, read_client_data(text));
  auto challenge = from_base64url(json.text_of("challenge"));
  if (!challenge || challenge->empty()) return refuse("the client data has no challenge");
  return *std::move(challenge);
}

Result<Known> check_registration(const Site& site, const Registration& registration, const IsOurs& is_ours) {
  CHECK_OK(check_client_data(site, registration.client_data, "webauthn.create", is_ours));
  TRY(const Head head, check_head(site, registration.authenticator_data));
  TRY(const std::string_view credential, credential_in(head));
  if (credential.empty() || credential.size() > kCredentialBytesMax || credential != registration.credential) {
    return refuse("the authenticator data is about another credential");
  }
  CHECK_OK(check_public_key(registration.kind, registration.public_key));
  return Known{registration.kind, registration.public_key, head.counter};
}

Result<> check_counter(std::uint32_t before, std::uint32_t now) {
  const bool counts = before != 0 || now != 0;
  if (!counts || now > before) return {};
  return fail(ErrorCode::unauthorized,
              "the passkey has not counted on, so there may be a copy of it; remove it and make a new one");
}

Result<std::uint32_t> check_assertion(const Site& site, const Known& known, const Assertion& assertion,
                                      const IsOurs& is_ours) {
  const auto counter = [&]() -> Result<std::uint32_t> {
    CHECK_OK(check_client_data(site, assertion.client_data, "webauthn.get", is_ours));
    TRY(const Head head, check_head(site, assertion.authenticator_data));
    const std::string signed_bytes = assertion.authenticator_data + std::string(as_text(sha256(assertion.client_data)));
    if (!is_signed(known.kind, known.public_key, signed_bytes, assertion.signature)) {
      return refuse(kUnknown);
    }
    CHECK_OK(check_counter(known.counter, head.counter));
    return head.counter;
  }();
  if (!counter) return fail(ErrorCode::unauthorized, counter.error().text);
  return counter;
}

}  // namespace syncline::passkey
