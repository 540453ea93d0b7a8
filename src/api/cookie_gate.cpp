#include "api/cookie_gate.hpp"

#include "base/ip_address.hpp"
#include "base/text.hpp"

namespace syncline::api {
namespace {

std::string_view without_scheme(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view{} : origin.substr(scheme + 3);
}

/// "localhost:8080", "127.0.0.1", "[::1]:8080": what never leaves the machine, and browsers treat like https.
bool is_this_machine(std::string_view host) {
  if (host.starts_with('[')) return is_loopback(host.substr(1, host.find(']') - 1));
  host = host.substr(0, host.rfind(':'));
  return equal_ignoring_case(host, "localhost") || is_loopback(host);
}

bool is_reading(const Call& call) {
  return call.head().method == http::Method::get || call.head().method == http::Method::head;
}

bool opens_socket(const Call& call) { return equal_ignoring_case(call.header("Upgrade"), "websocket"); }

bool has_json_or_no_body(const Call& call) {
  const std::string_view type = call.header("Content-Type");
  const std::string_view length = call.header("Content-Length");
  const bool has_body = !call.header("Transfer-Encoding").empty() || (!length.empty() && length != "0");
  if (type.empty()) return !has_body;
  return equal_ignoring_case(trim(type.substr(0, type.find(';'))), "application/json");
}

}  // namespace

CookieGate::CookieGate(Options options) : options_(std::move(options)), origin_(make_origin(options_.public_origin)) {}

std::shared_ptr<const CookieGate::Origin> CookieGate::make_origin(const std::string& text) const {
  const bool is_secure = options_.tls || text.starts_with("https://");
  const std::string prefix = is_secure ? "__Host-syncline-" : "syncline-";
  return std::make_shared<Origin>(
      Origin{text, is_secure, prefix + options_.hub_id, prefix + "oidc-" + options_.hub_id});
}

void CookieGate::use_public_origin(const std::string& origin) {
  auto made = make_origin(origin);
  const MutexLock lock(mutex_);
  origin_ = std::move(made);
}

std::shared_ptr<const CookieGate::Origin> CookieGate::public_origin() const {
  const SharedLock lock(mutex_);
  return origin_;
}

std::string CookieGate::origin_for(const Call& call) const {
  const auto ours = public_origin();
  if (!ours->text.empty()) return ours->text;
  return (options_.tls ? "https://" : "http://") + to_valid_utf8(lower_case(call.header("Host")));
}

namespace {

std::optional<std::string_view> find_cookie(const Call& call, std::string_view name) {
  const std::string_view header = call.header("Cookie");
  if (header.empty()) return std::nullopt;
  for (const std::string_view pair : split(header, ';')) {
    const std::string_view cookie = trim(pair);
    const std::size_t equals = cookie.find('=');
    if (equals == std::string_view::npos || cookie.substr(0, equals) != name) continue;
    const std::string_view value = cookie.substr(equals + 1);
    if (!value.empty()) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> CookieGate::find(const Call& call) const {
  return find_cookie(call, public_origin()->name);
}

std::optional<std::string_view> CookieGate::find_under_way(const Call& call) const {
  return find_cookie(call, public_origin()->name_under_way);
}

CookieGate::Page CookieGate::page_of(const Call& call) const {
  const std::string_view site = call.header("Sec-Fetch-Site");
  const std::string_view origin = call.header("Origin");
  if (site == "cross-site" || site == "same-site") return Page::foreign;
  if (origin.empty()) return site == "same-origin" ? Page::own : Page::unknown;
  const auto ours = public_origin();
  if (!ours->text.empty() && origin == ours->text) return Page::own;
  const std::string host = lower_case(call.header("Host"));
  // The public host is served under its public scheme alone: behind a proxy our own would be the wrong one.
  const bool is_public_host = host == without_scheme(ours->text);
  const std::string own = (options_.tls ? "https://" : "http://") + host;
  return !host.empty() && !is_public_host && origin == own ? Page::own : Page::foreign;
}

std::optional<Problem> CookieGate::refuse(const Call& call) const {
  const Page page = page_of(call);
  const bool needs_own = !is_reading(call) || opens_socket(call);
  if (page == Page::foreign || (needs_own && page == Page::unknown)) {
    Problem problem = problem_of(
        {ErrorCode::forbidden, page == Page::foreign
                                   ? "a cookie counts only for pages of the hub itself; the Origin is another one"
                                   : "with a cookie, this needs the Origin of the hub; or use a bearer token"});
    problem.code = "foreign_origin";
    return problem;
  }
  if (is_reading(call) || has_json_or_no_body(call)) return std::nullopt;
  Problem problem;
  problem.status = 415;
  problem.code = "unsupported_media_type";
  problem.title = http::reason_of(415);
  problem.detail = "with a cookie, a body must have the Content-Type application/json";
  return problem;
}

Result<> CookieGate::check_sign_in(const Call& call) const {
  const Page page = page_of(call);
  if (page == Page::foreign) {
    return fail(ErrorCode::forbidden, "only a page of the hub itself may do this; the Origin is another one");
  }
  const std::string host = lower_case(call.header("Host"));
  const std::string_view origin = call.header("Origin");
  const auto ours = public_origin();
  const bool is_public_https =
      ours->text.starts_with("https://") && (origin == ours->text || host == without_scheme(ours->text));
  if (options_.tls || options_.plain_http_anywhere || is_public_https || is_this_machine(host)) return {};
  return fail(ErrorCode::forbidden,
              "a browser can sign in by https or at localhost; give the hub TLS or set hub.public_url to the https URL "
              "of its proxy");
}

http::Header CookieGate::make(std::string_view token, std::optional<std::int64_t> seconds) const {
  const auto ours = public_origin();
  std::string cookie = ours->name + '=' + std::string(token) + "; Path=/; HttpOnly; SameSite=Strict";
  if (ours->is_secure) cookie += "; Secure";
  if (seconds) cookie += "; Max-Age=" + std::to_string(*seconds);
  return {"Set-Cookie", std::move(cookie)};
}

http::Header CookieGate::make_under_way(std::string_view value, std::int64_t seconds) const {
  const auto ours = public_origin();
  return {"Set-Cookie", ours->name_under_way + '=' + std::string(value) + "; Path=/; HttpOnly; SameSite=Lax; Max-Age=" +
                            std::to_string(seconds) + (ours->is_secure ? "; Secure" : "")};
}

Result<> CookieGate::check_public_origin() const {
  const auto ours = public_origin();
  if (ours->text.empty()) {
    return fail(ErrorCode::conflict,
                "this hub does not know where people reach it; whoever runs it can set hub.public_url");
  }
  const bool is_https = ours->text.starts_with("https://");
  if (is_https || options_.plain_http_anywhere || is_this_machine(without_scheme(ours->text))) return {};
  return fail(ErrorCode::forbidden,
              "people reach this hub by plain http, where everybody on the way could read the "
              "cookie; give it an https URL");
}

}  // namespace syncline::api
