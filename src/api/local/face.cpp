#include "api/local/face.hpp"

#include <algorithm>

#include "api/kaisho/errors.hpp"
#include "api/local/profile_face.hpp"
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

api::Problem make_problem(int status, http::ProblemCode code, std::string detail) {
  api::Problem problem;
  problem.status = status;
  problem.code = code;
  problem.title = http::reason_of(status);
  problem.detail = std::move(detail);
  return problem;
}

/// Pages of other origins say where they come from; so do names of other sites that were made to lead here. Another
/// port of this device is another origin: anybody may serve a page there.
std::optional<std::string> find_foreign_origin(const http::HeaderReader& headers,
                                               const std::vector<std::string>& allowed) {
  const std::string_view host = headers.find("Host");
  if (!is_this_device(host)) return "this API answers to localhost, 127.0.0.1 and [::1] only";
  const std::string_view origin = headers.find("Origin");
  if (!origin.empty()) {
    const bool is_own = equal_ignoring_case(origin, "http://" + std::string(host));
    if (is_own || std::ranges::find(allowed, origin) != allowed.end()) return std::nullopt;
    return "pages of this origin may not use the API of this device; local.origins lists those that may";
  }
  // Browsers leave Origin out of some requests, but not where they come from.
  const std::string_view site = headers.find("Sec-Fetch-Site");
  if (site.empty() || site == "same-origin" || site == "none") return std::nullopt;
  return "pages of other origins may not use the API of this device";
}

/// A page may send texts and forms to any server without being asked; for JSON, a browser asks first.
bool is_foreign_form(const http::RequestHead& head) {
  if (head.method == http::Method::get || head.method == http::Method::head) return false;
  const std::string_view length = head.headers->find("Content-Length");
  const bool has_body = !head.headers->find("Transfer-Encoding").empty() || (!length.empty() && length != "0");
  const std::string_view type = head.headers->find("Content-Type");
  return has_body && !equal_ignoring_case(trim(type.substr(0, type.find(';'))), "application/json");
}

std::optional<api::Problem> find_rejection(const http::RequestHead& head, const std::vector<std::string>& origins) {
  if (auto reason = find_foreign_origin(*head.headers, origins)) {
    return api::problem_of({ErrorCode::forbidden, *std::move(reason)});
  }
  if (!is_foreign_form(head)) return std::nullopt;
  return make_problem(415, "unsupported_media_type", "a body needs the header Content-Type: application/json");
}

std::vector<api::Route> routes_of(std::vector<api::Route> all, const api::DeviceFace::Part& part) {
  std::erase_if(all, [&](const api::Route& route) { return !route.pattern.starts_with(part.pattern_prefix); });
  return all;
}

/// The node syncs every space that a request names.
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
  ProfileFaces(node::Node& node, const std::vector<api::FaceModule>& modules, std::shared_ptr<node::Profile> of,
               Executor& blocking, const std::string& version, const std::vector<std::string>& origins)
      : profile(std::move(of)),
        metrics(version),
        own(node, *profile, blocking),
        router(profile->access(), profile->spaces().clock(),
               {.cors_origins = origins, .everybody = profile->principal()}),
        operations(
            router, metrics,
            {.version = version,
             .not_ready = [this] { return not_ready(); },
             .store_status = [this] { return profile->store().status(); },
             .in_doubt =
                 [this] { return profile->clock_status().advice("syncline profile accept-clock " + profile->name()); },
             .metrics_for = operations::MetricsFor::this_machine}) {
    router.add(operations.make_routes());
    router.add(own.make_routes());
    for (const api::FaceModule& module : modules) {
      if (module.on_device) add(*module.on_device);
    }
    router.observe(metrics);
  }

  void add(const api::DeviceFace& of) {
    api::Face& face = *faces.emplace_back(of.make(profile->spaces(), profile->access()));
    for (const api::DeviceFace::Part& part : of.parts) {
      router.add_under(part.path, following(routes_of(face.make_routes(), part), *profile));
    }
  }

  std::optional<std::string> not_ready() const {
    const StoreStatus status = profile->store().status();
    return status.trouble().empty() ? std::nullopt : std::optional(status.trouble());
  }

  const std::shared_ptr<node::Profile> profile;
  operations::Metrics metrics;
  std::vector<std::unique_ptr<api::Face>> faces;
  ProfileFace own;
  api::Router router;
  operations::Face operations;
};

/// A request that does not reach a route.
class Face::Rejected final : public http::Exchange {
 public:
  Rejected(const http::RequestHead& head, const api::Problem& problem) : call_(head, kaisho::kErrors) {
    response_ = call_.problem_response(problem);
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
  void start(http::Wake wake) override { session_->start(std::move(wake)); }
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
  std::string_view account() const override { return exchange_->account(); }

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
  if (!faces) faces = std::make_shared<ProfileFaces>(node_, modules_, profile, blocking_, version_, origins_);
  return faces;
}

std::unique_ptr<http::Exchange> Face::begin(const http::RequestHead& head) {
  if (const auto rejection = find_rejection(head, origins_)) return std::make_unique<Rejected>(head, *rejection);
  auto faces = faces_for(head);
  if (!faces) return std::make_unique<Rejected>(head, api::problem_of(faces.error()));
  return std::make_unique<Held>(*std::move(faces), head);
}

void Face::finished(const http::Summary&) {}
void Face::web_sockets_changed(std::int64_t) {}

}  // namespace syncline::local
