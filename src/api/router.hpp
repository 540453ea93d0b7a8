// The table of all routes, and the one place where a request is let in: route, credential, scope, plan, rate, space.
// The table that dispatches is also the one that /openapi.json and the tests read.
#pragma once

#include "api/cookie_gate.hpp"
#include "api/route.hpp"
#include "service/access.hpp"
#include "service/quotas.hpp"
#include "service/request_meter.hpp"

namespace syncline::api {

class RequestObserver {
 public:
  virtual ~RequestObserver() = default;
  virtual void on_request(const http::Summary& summary) = 0;
  virtual void on_web_sockets(std::int64_t delta) = 0;
};

/// What stands between two slashes of a path.
struct PathSegment {
  std::string_view text;
  /// There were more slashes than one before it.
  bool follows_empty = false;
};
using PathSegments = std::vector<PathSegment>;

class Router final : public http::Application {
 public:
  struct Options {
    std::int64_t requests_per_minute = 0;   // of each key, 0: no limit
    std::vector<std::string> cors_origins;  // "*" for all
    /// On a device of one owner, everybody who gets here is the owner. Null: keys are asked for.
    std::shared_ptr<const Principal> everybody;
    /// Lets browsers in with a cookie, where a route accepts one. Null: nowhere. Outlives the router.
    const CookieGate* cookies = nullptr;
  };

  Router(Access& access, const Clock& clock, Options options)
      : access_(access), clock_(clock), options_(std::move(options)), rate_limit_(options_.requests_per_minute) {}

  // The table is made by the thread that makes the router, before the first request; after that nothing of it changes.

  /// As they are, and again as aliases under each prefix, for those who prefer one ("/kiro"); it also tells shared
  /// paths apart.
  void add(std::vector<Route> routes, const std::vector<std::string_view>& prefixes = {});
  /// Under the prefix alone.
  void add_under(std::string_view prefix, const std::vector<Route>& routes);
  void observe(RequestObserver& observer) { observer_ = &observer; }
  /// Counts the requests that are let in with a key.
  void meter(RequestMeter& meter) { meter_ = &meter; }
  /// Limits the requests of each account by its plan.
  void limit(Quotas& quotas) { quotas_ = &quotas; }
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

  [[nodiscard]] std::unique_ptr<http::Exchange> begin(const http::RequestHead& head) override;
  void finished(const http::Summary& summary) override;
  void web_sockets_changed(std::int64_t delta) override;

 private:
  class RoutedExchange;
  struct Entry {
    const Route* route;
    std::vector<std::string_view> segments;  // "{name}" for a parameter
  };
  struct Match {
    const Route* route = nullptr;
    std::vector<std::pair<std::string_view, std::string>> params;
    std::vector<std::string_view> allowed;  // methods of the path, if the path is known
    bool bad_encoding = false;
  };

  void append_under(std::string_view prefix, Route route);
  void index();
  [[nodiscard]] Match find(http::Method method, std::string_view target) const;
  [[nodiscard]] Match find_path(http::Method method, std::string_view target, PathSegments segments) const;
  /// Lets the call in, or says why not.
  [[nodiscard]] std::optional<Problem> admit(const Route& route, Call& call);
  /// The same for a request with a cookie and without an Authorization.
  [[nodiscard]] std::optional<Problem> admit_cookie(const Route& route, Call& call, std::string_view cookie);
  [[nodiscard]] std::optional<Problem> admit_principal(const Route& route, Call& call,
                                                       std::shared_ptr<const Principal> principal);
  /// Reaches the space of the route; refuses a key that is limited to spaces where the route touches others.
  [[nodiscard]] std::optional<Problem> reach_space(const Route& route, Call& call);
  /// Counts a request that is let in, or says how many there may be.
  [[nodiscard]] std::optional<Problem> check_rate(Call& call);
  [[nodiscard]] bool is_own_origin(const Call& call) const;
  void add_cors(Call& call) const;

  Access& access_;
  const Clock& clock_;
  const Options options_;
  RateLimit rate_limit_;
  RequestObserver* observer_ = nullptr;
  RequestMeter* meter_ = nullptr;
  Quotas* quotas_ = nullptr;
  std::vector<Route> routes_;
  std::vector<std::unique_ptr<std::string>> prefixed_patterns_;
  std::vector<Entry> entries_;
};

}  // namespace syncline::api
