// The cookie with which a browser stays signed in, and which requests it counts for: those of the hub's own pages.
// Every program on a host gets the cookies of that host, whatever its port, so the name of a hub's cookie carries the
// hub's id, and a request that changes something must say that it comes from the hub's own origin. cors.origins plays
// no part. Safe from any thread.
#pragma once

#include <memory>

#include "api/call.hpp"
#include "base/mutex.hpp"

namespace syncline::api {

class CookieGate {
 public:
  struct Options {
    std::string hub_id;         // eight hexadecimal digits
    std::string public_origin;  // hub.public_url, as app/public_url.hpp makes it; empty: none
    bool tls = false;           // of the hub itself
    bool plain_http_anywhere = false;
  };

  explicit CookieGate(Options options);

  /// From now on browsers reach the hub there: at setup, before anybody has a session that matters.
  void use_public_origin(const std::string& origin);
  /// The origin of the page that asks: the public one, or that of the request.
  [[nodiscard]] std::string origin_for(const Call& call) const;
  /// The value of the cookie; nothing if the request has none, or an empty one.
  [[nodiscard]] std::optional<std::string_view> find(const Call& call) const;

  enum class Page { own, unknown, foreign };
  /// Which page made the request, as far as the browser says so: the `Origin`, or `Sec-Fetch-Site` without one.
  [[nodiscard]] Page page_of(const Call& call) const;

  /// The cookie does not count for this request, because of its page or of the type of its body.
  [[nodiscard]] std::optional<Problem> refuse(const Call& call) const;
  /// `forbidden` for a foreign page, and where the cookie would cross a network in clear text.
  [[nodiscard]] Result<> check_sign_in(const Call& call) const;

  /// Set-Cookie. Without `seconds` the browser forgets the cookie when it is closed.
  [[nodiscard]] http::Header make(std::string_view token, std::optional<std::int64_t> seconds) const;
  [[nodiscard]] http::Header clear() const { return make("", 0); }

  // Another cookie, of a sign-in that is under way at another service: the browser brings it along when that service
  // sends it back, so it is SameSite=Lax. It opens nothing by itself.

  /// `conflict` if nobody has said where people reach the hub, `forbidden` if a cookie for there would cross a network
  /// in clear text.
  [[nodiscard]] Result<> check_public_origin() const;
  [[nodiscard]] std::optional<std::string_view> find_under_way(const Call& call) const;
  [[nodiscard]] http::Header make_under_way(std::string_view value, std::int64_t seconds) const;
  [[nodiscard]] http::Header clear_under_way() const { return make_under_way("", 0); }

 private:
  /// What follows from where browsers reach the hub.
  struct Origin {
    std::string text;
    bool is_secure = false;
    /// "__Host-syncline-1a2b3c4d"; without the prefix if browsers reach the hub by plain http.
    std::string name;
    std::string name_under_way;
  };
  [[nodiscard]] std::shared_ptr<const Origin> public_origin() const;
  [[nodiscard]] std::shared_ptr<const Origin> make_origin(const std::string& text) const;

  const Options options_;
  mutable SharedMutex mutex_;
  std::shared_ptr<const Origin> origin_ GUARDED_BY(mutex_);
};

}  // namespace syncline::api
