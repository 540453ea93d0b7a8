#include "api/local/face.hpp"

#include <algorithm>

#include "api/kaisho/errors.hpp"
#include "api/kaisho/routes.hpp"
#include "api/kernle/space.hpp"
#include "api/local/profile_face.hpp"
#include "api/native/routes.hpp"
#include "api/operations/routes.hpp"
#include "base/text.hpp"

namespace syncline::local {
namespace {

/// Host and port as they stand in a Host header or behind the scheme of an Origin.
bool is_this_device(std::string_view authority) {
  std::string_view host = authority;
  if (host.starts_with('[')) {
    host = host.substr(0, host.find(']') + 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  return equal_ignoring_case(host, "localhost") || host == "127.0.0.1" || host == "[::1]";
}

/// Pages of other sites say where they come from; so do names of other sites that were made to lead here.
std::optional<std::string> rejection_reason(const http::HeaderReader& headers) {
  if (!is_this_device(headers.find("Host"))) return "this API answers to localhost, 127.0.0.1 and [::1] only";
  // Browsers leave Origin out of some requests, but not where they come from.
  const std::string_view site = headers.find("Sec-Fetch-Site");
  if (site == "cross-site") return "pages of other sites may not use the API of this device";
  const std::string_view origin = headers.find("Origin");
  if (origin.empty()) return std::nullopt;
  const std::size_t scheme = origin.find("://");
  if (scheme != std::string_view::npos && is_this_device(origin.substr(scheme + 3))) return std::nullopt;
  return "pages of this origin may not use the API of this device";
}

std::vector<api::Route> under_clocks(std::vector<api::Route> routes) {
  std::erase_if(routes, [](const api::Route& route) { return !route.pattern.starts_with("/clocks"); });
  return routes;
}

std::vector<api::Route> only_socket(std::vector<api::Route> routes) {
  std::erase_if(routes, [](const api::Route& route) { return route.pattern != "/ws"; });
  return routes;
}

/// A space that somebody names is kept in step from then on.
std::vector<api::Route> following(std::vector<api::Route> routes, node::Profile& profile) {
  for (api::Route& route : routes) {
    if (route.pattern.find("{space}") == std::string_view::npos) continue;
    route.handle = [handle = std::move(route.handle), &profile](const api::CallPtr& call) {
      CHECK_CALL(call, check_space_name(call->param("space")));
      CHECK_CALL(call, profile.replica().add_space(call->param("space")));
      handle(call);
    };
  }
  return routes;
}

std::string profile_in(const http::RequestHead& head) {
  const std::string_view named = head.headers->find("X-Syncline-Profile");
  if (!named.empty()) return std::string(named);
  const std::size_t mark = head.target.find('?');
  if (mark == std::string_view::npos) return "";
  for (const std::string_view part : split(head.target.substr(mark + 1), '&')) {
    if (part.starts_with("profile=")) return percent_decode(part.substr(8)).value_or("");
  }
  return "";
}

}  // namespace

/// The routes of one profile, bound to it.
struct Face::ProfileFaces {
  ProfileFaces(node::Node& node, std::shared_ptr<node::Profile> of, Executor& blocking, const std::string& version)
      : profile(std::move(of)),
        metrics(version),
        kaisho(profile->spaces(), profile->access()),
        native(profile->spaces(), profile->access()),
        own(node, *profile, blocking),
        router(profile->access(), profile->spaces().clock(), {.everybody = profile->principal()}),
        operations(router, profile->access(), metrics,
                   {version, [this] { return not_ready(); }, [this] { return profile->store().status(); }}) {
    router.add(operations.make_routes());
    router.add(own.make_routes());
    router.add_under("/api", under_clocks(kaisho.make_routes()));
    router.add(only_socket(kaisho.make_routes()));
    router.add(following(native.make_routes(), *profile));
    router.observe(metrics);
  }

  std::optional<std::string> not_ready() const {
    const StoreStatus status = profile->store().status();
    return status.failing.empty() ? std::nullopt : std::optional(status.failing);
  }

  const std::shared_ptr<node::Profile> profile;
  operations::Metrics metrics;
  kaisho::Face kaisho;
  native::Face native;
  ProfileFace own;
  api::Router router;
  operations::Face operations;
};

/// A request that gets no further.
class Face::TurnedAway final : public http::Exchange {
 public:
  TurnedAway(const http::RequestHead& head, const Error& error) : call_(head, kaisho::kErrors) {
    response_ = call_.problem_response(api::problem_of(error));
  }
  std::optional<http::Response> refusal() override { return std::move(response_); }
  std::size_t body_bytes_max() const override { return 0; }
  http::Response too_large() override { return {}; }
  bool is_heavy() const override { return false; }
  void run(std::string, http::Responder) override {}
  std::string_view route() const override { return "-"; }
  std::string_view key_id() const override { return "-"; }

 private:
  api::Call call_;
  std::optional<http::Response> response_;
};

namespace {

/// A WebSocket that keeps its profile, also if that is removed meanwhile.
class HeldSession final : public http::WebSocketSession {
 public:
  HeldSession(std::shared_ptr<void> keep, std::unique_ptr<http::WebSocketSession> session)
      : keep_(std::move(keep)), session_(std::move(session)) {}
  void start(std::function<void()> wake) override { session_->start(std::move(wake)); }
  void on_text(std::string_view text) override { session_->on_text(text); }
  Next next() override { return session_->next(); }
  std::int64_t first_message_ms() const override { return session_->first_message_ms(); }
  Close first_message_missing() const override { return session_->first_message_missing(); }

 private:
  const std::shared_ptr<void> keep_;
  std::unique_ptr<http::WebSocketSession> session_;  // ends before what it works with
};

}  // namespace

/// A request that keeps its profile likewise.
class Face::Held final : public http::Exchange {
 public:
  Held(std::shared_ptr<ProfileFaces> faces, const http::RequestHead& head)
      : faces_(std::move(faces)), exchange_(faces_->router.begin(head)) {}
  std::optional<http::Response> refusal() override { return exchange_->refusal(); }
  std::size_t body_bytes_max() const override { return exchange_->body_bytes_max(); }
  http::Response too_large() override { return exchange_->too_large(); }
  bool is_heavy() const override { return exchange_->is_heavy(); }
  void run(std::string body, http::Responder respond) override {
    exchange_->run(std::move(body),
                   http::Responder([faces = faces_, send = std::move(respond)](http::Response response) mutable {
                     if (response.upgrade) {
                       response.upgrade = std::make_unique<HeldSession>(faces, std::move(response.upgrade));
                     }
                     send(std::move(response));
                   }));
  }
  std::string_view route() const override { return exchange_->route(); }
  std::string_view key_id() const override { return exchange_->key_id(); }

 private:
  const std::shared_ptr<ProfileFaces> faces_;
  const std::unique_ptr<http::Exchange> exchange_;
};

Result<std::shared_ptr<Face::ProfileFaces>> Face::faces_for(const http::RequestHead& head) {
  TRY(const auto profile, node_.find(profile_in(head)));
  const MutexLock lock(mutex_);
  std::erase_if(faces_, [&](const auto& entry) {
    const auto current = node_.find(entry.first);
    return !current || *current != entry.second->profile;
  });
  auto& faces = faces_[profile->name()];
  if (!faces) faces = std::make_shared<ProfileFaces>(node_, profile, blocking_, version_);
  return faces;
}

std::unique_ptr<http::Exchange> Face::begin(const http::RequestHead& head) {
  if (const auto reason = rejection_reason(*head.headers)) {
    return std::make_unique<TurnedAway>(head, Error{ErrorCode::forbidden, *reason});
  }
  auto faces = faces_for(head);
  if (!faces) return std::make_unique<TurnedAway>(head, faces.error());
  return std::make_unique<Held>(*std::move(faces), head);
}

void Face::finished(const http::Summary&) {}
void Face::web_sockets_changed(std::int64_t) {}

}  // namespace syncline::local
