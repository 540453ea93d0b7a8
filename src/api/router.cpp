#include "api/router.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline::api {
namespace {

Problem insufficient_scope(ScopeSet any_of) {
  Problem problem;
  problem.status = 403;
  problem.code = "insufficient_scope";
  problem.title = "Forbidden";
  problem.detail = "the key needs one of these scopes: " + join_scopes(any_of, ", ");
  problem.headers.push_back({"WWW-Authenticate", "Bearer realm=\"syncline\", error=\"insufficient_scope\", scope=\"" +
                                                     join_scopes(any_of, " ") + '"'});
  return problem;
}

Problem rate_limited(std::string detail, const RateLimit::Verdict& verdict) {
  Problem problem;
  problem.status = 429;
  problem.code = "rate_limited";
  problem.title = http::reason_of(429);
  problem.detail = std::move(detail);
  problem.retry_after_s = verdict.reset_s;
  return problem;
}

/// Nothing if the route declares all query parameters of the call.
std::optional<Problem> unknown_parameter(const Route& route, const Call& call) {
  const std::vector<std::string> unknown = call.undeclared_parameters();
  if (unknown.empty()) return std::nullopt;
  std::vector<std::string_view> known;
  for (const Parameter& parameter : route.parameters) {
    if (parameter.in == "query") known.push_back(parameter.name);
  }
  const std::string_view nearest = nearest_word(unknown.front(), known);
  Problem problem;
  problem.status = 400;
  problem.code = "unknown_parameter";
  problem.title = http::reason_of(400);
  problem.detail =
      "unknown query parameter '" + to_valid_utf8(cut_utf8(unknown.front(), limits::kErrorTextBytesMax)) + "'; ";
  problem.detail += !nearest.empty() ? "did you mean '" + std::string(nearest) + "'?"
                    : known.empty()  ? "this route takes none"
                                     : "this route takes " + join(known, ", ");
  return problem;
}

/// See Route::only_with_query.
bool is_meant(const Route& route, std::string_view target) {
  if (route.only_with_query.empty()) return true;
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return false;
  return std::ranges::any_of(split(target.substr(mark + 1), '&'), [&](std::string_view part) {
    const std::string_view name = part.substr(0, part.find('='));
    return std::ranges::find(route.only_with_query, name) != route.only_with_query.end();
  });
}

PathSegments segments_of(std::string_view path) {
  PathSegments segments;
  for (const std::string_view text : split(path, '/')) segments.push_back({text});
  return segments;
}

/// "//sync/" as "/sync": base URLs end in a slash, or people put one behind a path.
PathSegments without_empty(const PathSegments& all) {
  PathSegments segments;
  bool follows_empty = false;
  for (const PathSegment& segment : all) {
    if (!segment.text.empty()) segments.push_back({segment.text, follows_empty});
    follows_empty = segment.text.empty();
  }
  if (segments.empty()) segments.push_back({});
  return segments;
}

/// In /v1/spaces/@12/notes/changes, "@12/notes" is the name of a space, although it has a slash. As one segment, with
/// %2F, it stays as it is.
void join_shared_name(PathSegments& segments) {
  if (segments.size() < 4 || segments[0].text != "v1" || segments[1].text != "spaces") return;
  const std::string_view account = segments[2].text;
  if (!account.starts_with('@') && !account.starts_with("%40")) return;
  if (account.find("%2F") != std::string_view::npos || account.find("%2f") != std::string_view::npos) return;
  if (segments[3].follows_empty) return;
  segments[2].text = {account.data(), account.size() + 1 + segments[3].text.size()};
  segments.erase(segments.begin() + 3);
}

/// A parameter is never empty, and none takes the place of one that is: DELETE /a//b would delete another thing.
bool fits_segment(std::string_view pattern, const PathSegment& segment) {
  if (pattern.starts_with('{')) return !segment.text.empty() && !segment.follows_empty;
  return pattern == segment.text;
}

}  // namespace

/// The exchange of one request: what net/ sees of a Call.
class Router::RoutedExchange final : public http::Exchange {
 public:
  RoutedExchange(Router& router, const http::RequestHead& head) {
    const http::Method method = head.method == http::Method::head ? http::Method::get : head.method;
    Match match = router.find(method, head.target);
    route_ = match.route;
    call_ = std::make_shared<Call>(head, route_ != nullptr ? *route_->errors : kProblemDetails);
    router.add_cors(*call_);
    if (route_ != nullptr) {
      call_->set_params(std::move(match.params));
      call_->set_query_parameters(route_->parameters);
      auto problem = router.admit(*route_, *call_);
      if (!problem && route_->is_strict()) problem = unknown_parameter(*route_, *call_);
      if (problem) refusal_ = call_->problem_response(*problem);
      if (const auto& principal = call_->shared_principal()) account_ = std::to_string(principal->account.value);
    } else {
      refusal_ = refuse(method, match);
    }
  }

  std::optional<http::Response> refusal() override { return std::move(refusal_); }
  std::size_t body_bytes_max() const override { return route_ != nullptr ? route_->body_bytes_max : 0; }
  bool is_heavy() const override { return route_ != nullptr && route_->cost == Route::Cost::heavy; }

  http::Response too_large() override {
    Problem problem = problem_of(
        {ErrorCode::too_large, "the body may have at most " + std::to_string(body_bytes_max()) + " bytes here"});
    return call_->problem_response(problem);
  }

  void run(std::string body, http::Responder respond) override {
    call_->start(std::move(body), std::move(respond));
    const CallPtr call = std::move(call_);
    principal_ = call->shared_principal();
    // A body may take long to arrive, and a key or a share may have ended meanwhile.
    const bool is_late = steady_micros() - began_micros_ > kLateBodyMicros;
    if (principal_ && (is_late || call->is_guest()) && call->fail_unless_valid()) return;
    if (!is_heavy()) return route_->handle(call);
    // Whatever changes accounts, keys or settings is heavy.
    const ActingAs acting(principal_.get(), call->head().client);
    route_->handle(call);
  }

  std::string_view route() const override { return route_ != nullptr ? route_->pattern : "-"; }
  std::string_view key_id() const override {
    const Principal* principal = principal_ ? principal_.get() : call_ ? call_->shared_principal().get() : nullptr;
    return principal != nullptr ? std::string_view(principal->key_id) : "-";
  }
  std::string_view account() const override { return account_; }

 private:
  /// After this long, the key of a request is looked at again.
  static constexpr std::int64_t kLateBodyMicros = kMicrosPerSecond;

  [[nodiscard]] http::Response refuse(http::Method method, const Match& match) const {
    if (match.bad_encoding) {
      return call_->problem_response(problem_of({ErrorCode::invalid_argument, "invalid percent-encoding in the path"}));
    }
    if (match.allowed.empty()) {
      Problem problem = problem_of({ErrorCode::not_found, "no route for this path"});
      return call_->problem_response(problem);
    }
    std::vector<std::string_view> allowed = match.allowed;
    if (std::ranges::find(allowed, "GET") != allowed.end()) allowed.emplace_back("HEAD");
    allowed.emplace_back("OPTIONS");
    const http::Header allow{"Allow", join(allowed, ", ")};
    if (method == http::Method::options) {
      http::Response response;
      response.status = 204;
      response.content_type = {};
      response.headers = {allow,
                          {"Access-Control-Allow-Methods", join(allowed, ", ")},
                          {"Access-Control-Allow-Headers",
                           "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID, "
                           "X-Request-Id"},
                          {"Access-Control-Max-Age", "600"}};
      return call_->finish(std::move(response));
    }
    Problem problem;
    problem.status = 405;
    problem.code = "method_not_allowed";
    problem.title = http::reason_of(405);
    problem.detail = "allowed methods: " + join(allowed, ", ");
    problem.headers.push_back(allow);
    return call_->problem_response(problem);
  }

  const Route* route_ = nullptr;
  CallPtr call_;
  std::shared_ptr<const Principal> principal_;
  std::string account_;
  const std::int64_t began_micros_ = steady_micros();
  std::optional<http::Response> refusal_;
};

void Router::add(std::vector<Route> routes, const std::vector<std::string_view>& prefixes) {
  routes_.insert(routes_.end(), routes.begin(), routes.end());
  for (const std::string_view prefix : prefixes) {
    for (Route route : routes) {
      route.alias_of = route.pattern;
      append_under(prefix, std::move(route));
    }
  }
  index();
}

void Router::add_under(std::string_view prefix, const std::vector<Route>& routes) {
  for (const Route& route : routes) append_under(prefix, route);
  index();
}

void Router::append_under(std::string_view prefix, Route route) {
  prefixed_patterns_.push_back(std::make_unique<std::string>(std::string(prefix) + std::string(route.pattern)));
  route.pattern = *prefixed_patterns_.back();
  route.only_with_query.clear();
  routes_.push_back(std::move(route));
}

void Router::index() {
  entries_.clear();
  for (const Route& route : routes_) entries_.push_back({&route, split(route.pattern.substr(1), '/')});
}

Router::Match Router::find(http::Method method, std::string_view target) const {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path.empty() || path.front() != '/') return {};
  const PathSegments segments = segments_of(path.substr(1));
  Match match = find_path(method, target, segments);
  const bool is_known = match.bad_encoding || !match.allowed.empty();
  const bool is_tidy = std::ranges::none_of(segments, [](const PathSegment& one) { return one.text.empty(); });
  return is_known || is_tidy ? match : find_path(method, target, without_empty(segments));
}

Router::Match Router::find_path(http::Method method, std::string_view target, PathSegments segments) const {
  Match match;
  join_shared_name(segments);
  for (const Entry& entry : entries_) {
    if (!std::ranges::equal(entry.segments, segments, fits_segment)) continue;
    match.allowed.push_back(http::to_text(entry.route->method));
    if (entry.route->method != method || !is_meant(*entry.route, target)) continue;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const std::string_view pattern = entry.segments[i];
      if (!pattern.starts_with('{')) continue;
      auto decoded = percent_decode(segments[i].text);
      if (!decoded) {
        match.bad_encoding = true;
        return match;
      }
      match.params.emplace_back(pattern.substr(1, pattern.size() - 2), *std::move(decoded));
    }
    match.route = entry.route;
    return match;
  }
  return match;
}

std::optional<Problem> Router::admit(const Route& route, Call& call) {
  if (options_.everybody) {
    call.set_principal(options_.everybody, access_, route.any_of);
    return reach_space(route, call);
  }
  if (route.any_of.empty()) return std::nullopt;
  if (route.key == Route::Key::may_follow && !is_own_origin(call)) {
    return problem_of({ErrorCode::forbidden, "pages of this origin may not connect"});
  }
  const std::string_view header = call.header("Authorization");
  if (header.empty() && options_.cookies != nullptr && route.cookie == Route::Cookie::accepted) {
    if (const auto cookie = options_.cookies->find(call)) return admit_cookie(route, call, *cookie);
  }
  if (header.empty() && route.key == Route::Key::may_follow) return std::nullopt;
  if (header.empty()) return unauthorized("a bearer token is needed", false);
  constexpr std::string_view kScheme = "bearer ";
  if (header.size() <= kScheme.size() || !equal_ignoring_case(header.substr(0, kScheme.size()), kScheme)) {
    return unauthorized("the Authorization header must be 'Bearer <key>'", true);
  }
  auto principal = access_.authenticate(trim(header.substr(kScheme.size())), Access::Via::bearer, call.head().client);
  if (!principal) {
    if (principal.error().code != ErrorCode::unauthorized) return problem_of(principal.error());
    return unauthorized(principal.error().text, true);
  }
  return admit_principal(route, call, *std::move(principal));
}

std::optional<Problem> Router::admit_cookie(const Route& route, Call& call, std::string_view cookie) {
  if (auto problem = options_.cookies->refuse(call)) {
    // A page of another origin gets the hub's cookies, too, if it is on the same host; its first message is its key.
    if (route.key == Route::Key::may_follow) return std::nullopt;
    return problem;
  }
  // Two accounts may have the same ETag, and a browser must not show one of them what it has cached for the other.
  call.add_header({"Vary", "Cookie, Accept-Encoding"});
  auto principal = access_.authenticate(cookie, Access::Via::cookie, call.head().client);
  if (principal) return admit_principal(route, call, *std::move(principal));
  if (principal.error().code != ErrorCode::unauthorized) return problem_of(principal.error());
  return unauthorized("the session is over; sign in again", false);
}

std::optional<Problem> Router::admit_principal(const Route& route, Call& call,
                                               std::shared_ptr<const Principal> principal) {
  call.set_principal(std::move(principal), access_, route.any_of);
  if (!call.principal().scopes.has_any(route.any_of)) return insufficient_scope(route.any_of);
  if (route.plan == Route::Plan::with_sync && !access_.may_sync(call.principal())) {
    Problem problem = problem_of({ErrorCode::forbidden, "the free plan does not include sync"});
    problem.code = "plan_too_small";
    problem.text_members.emplace_back("current_plan", to_text(call.principal().plan));
    return problem;
  }
  if (meter_ != nullptr) meter_->count(call.principal().account);
  if (auto problem = check_rate(call)) return problem;
  return reach_space(route, call);
}

std::optional<Problem> Router::reach_space(const Route& route, Call& call) {
  const SpaceLimit& limit = call.principal().spaces;
  Result<> reached;
  if (route.reach == Route::Reach::account && limit.is_limited()) reached = space_not_allowed(limit, "");
  if (route.reach == Route::Reach::one_space) {
    std::string name(route.space);
    if (!route.space_param.empty()) name += call.param(route.space_param);
    if (const auto space = call.reach(name); !space) reached = std::unexpected(space.error());
  }
  if (!reached) return problem_of(reached.error());
  if (quotas_ == nullptr || !call.is_guest()) return std::nullopt;
  // What guests write counts to the account that has the space.
  const auto plan = access_.plan_of(call.space().account);
  if (!plan) return problem_of(plan.error());
  quotas_->expect_write(call.space().account, *plan);
  return std::nullopt;
}

std::optional<Problem> Router::check_rate(Call& call) {
  const Principal& principal = call.principal();
  if (quotas_ != nullptr) {
    const RateLimit::Verdict verdict = quotas_->take_request(principal, clock_.now());
    if (!verdict.allowed) {
      return rate_limited("the plan " + std::string(to_text(principal.plan)) + " allows " +
                              std::to_string(quotas_->of(principal.plan).requests_per_minute) + " requests a minute",
                          verdict);
    }
  }
  if (!rate_limit_.is_on()) return std::nullopt;
  const RateLimit::Verdict verdict = rate_limit_.take(principal.key.value, clock_.now());
  call.add_header({"RateLimit-Policy", "\"default\";q=" + std::to_string(rate_limit_.per_minute()) + ";w=60"});
  call.add_header(
      {"RateLimit", "\"default\";r=" + std::to_string(verdict.remaining) + ";t=" + std::to_string(verdict.reset_s)});
  if (verdict.allowed) return std::nullopt;
  return rate_limited("this key may make " + std::to_string(rate_limit_.per_minute()) + " requests a minute", verdict);
}

bool Router::is_own_origin(const Call& call) const {
  const std::string_view origin = call.header("Origin");
  if (origin.empty()) return true;  // not a browser
  if (options_.cookies != nullptr && options_.cookies->page_of(call) == CookieGate::Page::own) return true;
  const std::size_t scheme = origin.find("://");
  if (scheme != std::string_view::npos && origin.substr(scheme + 3) == call.header("Host")) return true;
  return std::ranges::any_of(options_.cors_origins,
                             [&](const std::string& allowed) { return allowed == "*" || allowed == origin; });
}

void Router::add_cors(Call& call) const {
  if (options_.cors_origins.empty()) return;
  const std::string_view origin = call.header("Origin");
  if (origin.empty()) return;
  const bool any = std::ranges::find(options_.cors_origins, "*") != options_.cors_origins.end();
  if (!any && std::ranges::find(options_.cors_origins, origin) == options_.cors_origins.end()) return;
  call.add_header({"Access-Control-Allow-Origin", any ? "*" : std::string(origin)});
  call.add_header({"Access-Control-Expose-Headers", "ETag, Retry-After, X-Request-Id, Idempotent-Replayed"});
  if (!any) call.add_header({"Vary", "Origin"});
}

std::unique_ptr<http::Exchange> Router::begin(const http::RequestHead& head) {
  return std::make_unique<RoutedExchange>(*this, head);
}

void Router::finished(const http::Summary& summary) {
  if (observer_ != nullptr) observer_->on_request(summary);
}

void Router::web_sockets_changed(std::int64_t delta) {
  if (observer_ != nullptr) observer_->on_web_sockets(delta);
}

}  // namespace syncline::api
