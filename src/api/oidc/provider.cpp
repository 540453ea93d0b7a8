#include "api/oidc/provider.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/ip_address.hpp"
#include "base/text.hpp"

namespace syncline::oidc {
namespace {

constexpr std::int64_t kProviderTimeoutMs = 10'000;
constexpr std::size_t kDocumentBytesMax = 256UL << 10U;
constexpr std::size_t kTokensBytesMax = 128UL << 10U;
constexpr std::size_t kEndpointBytesMax = 2048;
constexpr int kDocumentDepthMax = 32;
constexpr std::string_view kDiscoveryPath = "/.well-known/openid-configuration";

/// Between the scheme and the path. Empty for what is no URL of http or https.
std::string_view authority_of(std::string_view url) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!url.starts_with(scheme)) continue;
    url.remove_prefix(scheme.size());
    return url.substr(0, url.find_first_of("/?"));
  }
  return {};
}

std::string_view host_in(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(1, authority.find(']') - 1);
  return authority.substr(0, authority.find(':'));
}

std::string form_of(const std::vector<std::pair<std::string_view, std::string_view>>& fields) {
  std::string form;
  for (const auto& [name, value] : fields) {
    if (!form.empty()) form += '&';
    form.append(name).append("=").append(percent_encode(value));
  }
  return form;
}

std::unexpected<Error> fail_to_read(const std::string& url, std::string_view what) {
  return fail(ErrorCode::unavailable, url + ": " + std::string(what));
}

/// A document as JSON. The text outlives what is read of it.
Result<JsonView> read_document(const std::string& url, std::string& text) {
  if (check_json(text, kDocumentDepthMax).fault == JsonFault::none && JsonView(text).is_object()) return JsonView(text);
  return fail_to_read(url, "the answer is no JSON object");
}

/// The error code of RFC 6749, which is a word; nothing else of the answer is shown to anybody.
std::string error_word_in(const std::string& body) {
  std::string text = body;
  if (check_json(text, kDocumentDepthMax).fault != JsonFault::none) return {};
  const std::string word = JsonView(text).text_of("error");
  const bool is_word =
      word.size() <= 50 && std::ranges::all_of(word, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  return is_word ? word : std::string();
}

bool lists(JsonView document, std::string_view name, std::string_view value) {
  const auto list = document.find(name);
  bool found = false;
  if (list && list->is_array()) {
    list->for_each_element([&](JsonView element) { found = found || element.as_string() == value; });
  }
  return found;
}

}  // namespace

bool is_on_this_machine(std::string_view url) {
  const std::string_view host = host_in(authority_of(url));
  return host == "localhost" || is_loopback(host);
}

Result<> check_provider_url(std::string_view url) {
  const std::string_view authority = authority_of(url);
  const bool is_plain = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7F && c != '\\' && c != '#'; });
  const bool has_host = !host_in(authority).empty() && !authority.contains('@');
  if (!is_plain || !has_host || url.size() > kEndpointBytesMax) {
    return fail(ErrorCode::invalid_argument,
                "'" + std::string(cut_utf8(to_valid_utf8(url), 200)) + "' is not a URL like https://id.example.org");
  }
  if (url.starts_with("https://") || is_on_this_machine(url)) return {};
  return fail(ErrorCode::invalid_argument,
              "'" + std::string(url) + "' must begin with https://; http is for a provider on this machine alone");
}

Result<http::ClientResponse> Provider::send(const std::string& url, http::ClientRequest request) {
  request.timeout_ms = kProviderTimeoutMs;
  return options_.connect(url)->send(request, stop_);
}

Result<std::string> Provider::fetch_json(const std::string& url, std::vector<http::Header> headers) {
  headers.push_back({"Accept", "application/json"});
  TRY(http::ClientResponse response,
      send(url, {.target = {}, .body = {}, .headers = std::move(headers), .answer_bytes_max = kDocumentBytesMax}));
  if (response.status != 200) return fail_to_read(url, "the answer has status " + std::to_string(response.status));
  return std::move(response.body);
}

Result<Provider::Site> Provider::fetch_site() {
  std::string base = options_.issuer;
  if (base.ends_with('/')) base.pop_back();
  const std::string url = base + std::string(kDiscoveryPath);
  TRY(std::string text, fetch_json(url, {}));
  TRY(const JsonView document, read_document(url, text));
  if (document.text_of("issuer") != options_.issuer) {
    return fail_to_read(url, "its issuer is '" + std::string(cut_utf8(to_valid_utf8(document.text_of("issuer")), 200)) +
                                 "', and oidc.issuer is '" + options_.issuer + "'; set what the provider writes");
  }
  Site site{.authorization_endpoint = document.text_of("authorization_endpoint"),
            .token_endpoint = document.text_of("token_endpoint"),
            .keys_url = document.text_of("jwks_uri"),
            .userinfo_endpoint = document.text_of("userinfo_endpoint"),
            .takes_basic = !document.find("token_endpoint_auth_methods_supported") ||
                           lists(document, "token_endpoint_auth_methods_supported", "client_secret_basic")};
  const bool is_ours = is_on_this_machine(options_.issuer);
  for (const std::string* endpoint :
       {&site.authorization_endpoint, &site.token_endpoint, &site.keys_url, &site.userinfo_endpoint}) {
    if (endpoint->empty() && endpoint == &site.userinfo_endpoint) continue;
    if (const auto good = check_provider_url(*endpoint); !good) return fail_to_read(url, good.error().text);
    if (is_on_this_machine(*endpoint) && !is_ours) {
      return fail_to_read(url, "an endpoint is on this machine, and the issuer is not");
    }
  }
  return site;
}

Result<Provider::Keys> Provider::fetch_keys(const Site& site) {
  TRY(std::string text, fetch_json(site.keys_url, {}));
  auto keys = parse_web_keys(std::move(text));
  if (!keys) return fail_to_read(site.keys_url, "the answer " + keys.error().text);
  return *std::move(keys);
}

Result<std::shared_ptr<const Provider::Site>> Provider::site() {
  return site_.get(clock_.now(), kFreshSeconds, [this] { return fetch_site(); });
}

Result<std::shared_ptr<const Provider::Keys>> Provider::keys(const Site& site, std::int64_t seconds_max) {
  return keys_.get(clock_.now(), seconds_max, [&] { return fetch_keys(site); });
}

Result<std::size_t> Provider::look() {
  TRY(const auto site, this->site());
  TRY(const auto keys, this->keys(*site, kFreshSeconds));
  return keys->size();
}

Result<std::string> Provider::authorization_url(const Question& question) {
  TRY(const auto site, this->site());
  const std::string& endpoint = site->authorization_endpoint;
  return endpoint + (endpoint.contains('?') ? '&' : '?') +
         form_of({{"response_type", "code"},
                  {"client_id", options_.client_id},
                  {"redirect_uri", question.redirect_uri},
                  {"scope", "openid email"},
                  {"state", question.state},
                  {"nonce", question.nonce},
                  {"code_challenge", question.challenge},
                  {"code_challenge_method", "S256"}});
}

Result<std::string> Provider::fetch_tokens(const Site& site, const Answer& answer) {
  std::vector<std::pair<std::string_view, std::string_view>> fields = {{"grant_type", "authorization_code"},
                                                                       {"code", answer.code},
                                                                       {"redirect_uri", answer.redirect_uri},
                                                                       {"code_verifier", answer.verifier}};
  std::vector<http::Header> headers = {{"Accept", "application/json"},
                                       {"Content-Type", "application/x-www-form-urlencoded"}};
  const bool has_secret = !options_.client_secret.empty();
  if (has_secret && site.takes_basic) {
    const std::string both = percent_encode(options_.client_id) + ':' + percent_encode(options_.client_secret);
    headers.push_back({"Authorization", "Basic " + to_base64(both)});
  } else {
    fields.emplace_back("client_id", options_.client_id);
    if (has_secret) fields.emplace_back("client_secret", options_.client_secret);
  }
  TRY(http::ClientResponse response, send(site.token_endpoint, {.method = http::Method::post,
                                                                .target = {},
                                                                .body = form_of(fields),
                                                                .headers = std::move(headers),
                                                                .answer_bytes_max = kTokensBytesMax}));
  if (response.status == 200) return std::move(response.body);
  const std::string word = error_word_in(response.body);
  if (response.status / 100 != 4 || word.empty() || word == "invalid_client" || word == "unauthorized_client") {
    return fail_to_read(site.token_endpoint,
                        "the answer has status " + std::to_string(response.status) +
                            (word.empty() ? std::string() : ", " + word + ": check oidc.client_id and its secret"));
  }
  return fail(ErrorCode::unauthorized, "the provider refuses the code (" + word + ")");
}

Result<Claims> Provider::check_token(const Site& site, const std::string& token, const std::string& nonce) {
  const Expected expected{.issuer = options_.issuer, .client_id = options_.client_id, .nonce = nonce};
  TRY(const auto known, keys(site, kFreshSeconds));
  auto claims = check_id_token(expected, token, *known, clock_.now());
  if (claims || claims.error().code != ErrorCode::not_found) return claims;
  TRY(const auto newer, keys(site, kKeysAgainSeconds));
  claims = check_id_token(expected, token, *newer, clock_.now());
  if (claims || claims.error().code != ErrorCode::not_found) return claims;
  return fail(ErrorCode::unauthorized, claims.error().text);
}

Result<> Provider::ask_for_email(const Site& site, const std::string& access_token, Claims& claims) {
  const bool is_token =
      !access_token.empty() && std::ranges::all_of(access_token, [](char c) { return c > ' ' && c < 0x7F; });
  if (!is_token || site.userinfo_endpoint.empty()) return {};
  TRY(std::string text, fetch_json(site.userinfo_endpoint, {{"Authorization", "Bearer " + access_token}}));
  TRY(const JsonView said, read_document(site.userinfo_endpoint, text));
  // Without this, an access token of somebody else would do (OpenID Connect Core 1.0, 5.3.2).
  if (said.text_of("sub") != claims.subject) {
    return fail(ErrorCode::unauthorized, "the provider's UserInfo is about somebody else");
  }
  read_email(said, claims);
  return {};
}

Result<Claims> Provider::redeem(const Answer& answer) {
  TRY(const auto site, this->site());
  TRY(std::string text, fetch_tokens(*site, answer));
  TRY(const JsonView tokens, read_document(site->token_endpoint, text));
  TRY(Claims claims, check_token(*site, tokens.text_of("id_token"), answer.nonce));
  if (claims.email.empty()) CHECK_OK(ask_for_email(*site, tokens.text_of("access_token"), claims));
  return claims;
}

}  // namespace syncline::oidc
