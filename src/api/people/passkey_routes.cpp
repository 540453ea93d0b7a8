// /v1/passkeys: the passkeys of the account that asks, and /v1/session/passkey-options: the first half of signing in
// with one, whose second half is POST /v1/session.
//
// Scope keys; adding needs a whole session of a person: 403 otherwise. Errors: 400 for an answer of the browser that
// does not fit, 404 for a passkey of another account, 409 where browsers offer no passkeys, and for one too many. The
// options are what PublicKeyCredential.parseCreationOptionsFromJSON() and parseRequestOptionsFromJSON() take, and the
// answers what toJSON() makes of a credential.
#include "api/people/passkey_json.hpp"
#include "api/people/routes.hpp"
#include "base/bytes.hpp"

namespace syncline::people {
namespace {

constexpr std::int64_t kTimeoutMs = Passkeys::kChallengeSeconds * 1000;

Result<std::string> bytes_in(JsonView body, std::string_view name) {
  TRY(const std::string text, text_in(body, name));
  auto bytes = from_base64url(text);
  if (!bytes) return fail(ErrorCode::invalid_argument, std::string(name) + " must be base64url without padding");
  return *std::move(bytes);
}

Result<JsonView> object_in(JsonView body, std::string_view name) {
  const auto value = body.find(name);
  if (!value || !value->is_object()) {
    return fail(ErrorCode::invalid_argument, std::string(name) + " must be what toJSON() makes of a credential");
  }
  return *value;
}

Result<passkey::Registration> registration_in(JsonView body) {
  TRY(const JsonView credential, object_in(body, "credential"));
  TRY(const JsonView response, object_in(credential, "response"));
  passkey::Registration registration;
  TRY(registration.credential, bytes_in(credential, "id"));
  TRY(registration.client_data, bytes_in(response, "clientDataJSON"));
  TRY(registration.authenticator_data, bytes_in(response, "authenticatorData"));
  TRY(registration.public_key, bytes_in(response, "publicKey"));
  const auto algorithm = response.find("publicKeyAlgorithm");
  TRY(registration.kind, passkey::parse_kind(algorithm ? algorithm->as_integer().value_or(0) : 0));
  return registration;
}

void append_credentials(JsonWriter& writer, std::string_view name, const std::vector<std::string>& credentials) {
  writer.name(name).begin_array();
  for (const std::string& credential : credentials) {
    writer.begin_object().string("type", "public-key").string("id", to_base64url(credential)).end_object();
  }
  writer.end_array();
}

void append_passkey(JsonWriter& writer, const Passkey& passkey) {
  writer.begin_object().string("id", passkey.id).string("label", passkey.label);
  writer.string("created_at", format_time(passkey.created_at)).name("last_used_at");
  passkey.last_used_at ? writer.string(format_time(*passkey.last_used_at)) : writer.null();
  writer.end_object();
}

}  // namespace

void fail_without_passkeys(const api::CallPtr& call, const Error& error) {
  api::Problem problem = api::problem_of(error);
  problem.code = "passkeys_unavailable";
  call->fail(problem);
}

Result<passkey::Assertion> assertion_in(JsonView body) {
  TRY(const JsonView credential, object_in(body, "passkey"));
  TRY(const JsonView response, object_in(credential, "response"));
  passkey::Assertion assertion;
  TRY(assertion.credential, bytes_in(credential, "id"));
  TRY(assertion.client_data, bytes_in(response, "clientDataJSON"));
  TRY(assertion.authenticator_data, bytes_in(response, "authenticatorData"));
  TRY(assertion.signature, bytes_in(response, "signature"));
  return assertion;
}

void Face::begin_passkey(const api::CallPtr& call) {
  const auto site = passkey_site(public_url_.get());
  if (!site) return fail_without_passkeys(call, site.error());
  TRY_CALL(call, const Passkeys::Creation creation, passkeys_.begin(call->principal()));
  const std::string& email = call->principal().email;
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("rp").begin_object().string("id", site->rp_id).string("name", "syncline").end_object();
  writer.name("user").begin_object().string("id", to_base64url(creation.user));
  writer.string("name", email).string("displayName", email).end_object();
  writer.string("challenge", to_base64url(creation.challenge)).name("pubKeyCredParams").begin_array();
  for (const SignatureKind kind : {SignatureKind::ed25519, SignatureKind::es256, SignatureKind::rs256}) {
    writer.begin_object().string("type", "public-key").integer("alg", static_cast<std::int64_t>(kind)).end_object();
  }
  writer.end_array().integer("timeout", kTimeoutMs).string("attestation", "none");
  append_credentials(writer, "excludeCredentials", creation.credentials);
  writer.name("authenticatorSelection").begin_object().string("residentKey", "required");
  writer.boolean("requireResidentKey", true).string("userVerification", "required").end_object().end_object();
  respond_secret(call, 200, std::move(out));
}

void Face::add_passkey(const api::CallPtr& call) {
  const auto site = passkey_site(public_url_.get());
  if (!site) return fail_without_passkeys(call, site.error());
  TRY_CALL(call, const JsonView body, call->json_object());
  TRY_CALL(call, const std::string label, text_in(body, "label"));
  TRY_CALL(call, const passkey::Registration registration, registration_in(body));
  TRY_CALL(call, const Passkey made, passkeys_.add(call->principal(), *site, label, registration));
  std::string out;
  JsonWriter writer(out);
  append_passkey(writer, made);
  call->respond_json(201, std::move(out));
}

void Face::list_passkeys(const api::CallPtr& call) {
  TRY_CALL(call, const auto passkeys, passkeys_.list(call->principal()));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("passkeys").begin_array();
  for (const Passkey& passkey : passkeys) append_passkey(writer, passkey);
  writer.end_array().end_object();
  call->respond_json(200, std::move(out));
}

void Face::remove_passkey(const api::CallPtr& call) {
  CHECK_CALL(call, passkeys_.remove(call->principal(), call->param("id")));
  call->respond_empty();
}

void Face::begin_passkey_sign_in(const api::CallPtr& call) {
  CHECK_CALL(call, cookies_.check_sign_in(*call));
  const auto site = passkey_site(public_url_.get());
  if (!site) return fail_without_passkeys(call, site.error());
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("challenge", to_base64url(passkeys_.begin_sign_in())).string("rpId", site->rp_id);
  writer.integer("timeout", kTimeoutMs).string("userVerification", "required");
  append_credentials(writer, "allowCredentials", {});  // whoever asks is told nothing of any account
  writer.end_object();
  respond_secret(call, 200, std::move(out));
}

void Face::add_passkey_routes(Routes& routes) {
  routes.get("/v1/passkeys", Scope::keys, "List the passkeys of this account", &Face::list_passkeys)
      .described("Oldest first.")
      .answers(200, "the passkeys", "OwnPasskeys");
  routes.post("/v1/passkeys/options", Scope::keys, "Begin to add a passkey", &Face::begin_passkey)
      .described(
          "For PublicKeyCredential.parseCreationOptionsFromJSON() in the browser. The challenge is good once, for 60 "
          "seconds. A passkey opens sessions with all rights of the account, so only a session that was opened with a "
          "password or a passkey can add one.")
      .answers(200, "the options", "PasskeyCreation")
      .answers(403, "not a whole session of a person")
      .answers(409, "browsers offer no passkeys for hub.public_url; detail says why");
  routes.post("/v1/passkeys", Scope::keys, "Add a passkey", &Face::add_passkey)
      .described("A repeated request gets 400, because its challenge was used.")
      .body("label; credential: toJSON() of what navigator.credentials.create() has made", "NewPasskey")
      .answers(201, "the passkey", "OwnPasskey")
      .answers(400, "not a label, or an answer of the browser that does not fit; detail says what is wrong")
      .answers(403, "not a whole session of a person")
      .answers(409, "no passkeys for hub.public_url, already registered, or more than 20");
  routes.del("/v1/passkeys/{id}", Scope::keys, "Remove a passkey", &Face::remove_passkey)
      .described("Sessions that it has opened stay; end them at /v1/sessions.")
      .answers(204, "removed")
      .answers(404, "no passkey of this account");
  routes.post("/v1/session/passkey-options", {}, "Begin to sign in with a passkey", &Face::begin_passkey_sign_in)
      .quick()
      .described(
          "For PublicKeyCredential.parseRequestOptionsFromJSON() in the browser; POST /v1/session takes the answer. "
          "The "
          "challenge is good once, for 60 seconds.")
      .answers(200, "the options", "PasskeyRequest")
      .answers(403, "a page of another origin, or plain http from another machine")
      .answers(409, "browsers offer no passkeys for hub.public_url; detail says why");
}

}  // namespace syncline::people
