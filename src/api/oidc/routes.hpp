// Signing in with another provider (OpenID Connect): the browser goes there, comes back with a code, and gets the same
// cookie as after a password. Part of /v1, and the two pages that browsers pass.
#pragma once

#include <stop_token>

#include "api/face.hpp"
#include "api/oidc/flow.hpp"
#include "api/oidc/provider.hpp"
#include "api/route_builder.hpp"

namespace syncline::oidc {

/// Makes so many threads. Their end waits for the work that they were given.
using MakeThreads = std::function<std::unique_ptr<Executor>(std::size_t count)>;

struct Setup {
  ProviderOptions provider;
  Identities::Policy policy;
};

/// Requests to the provider run on threads of the face, so a slow one holds up nobody else, and one client has only
/// some of the places.
class Face final : public api::Face {
 public:
  /// Without a setup nobody signs in so.
  Face(const api::FaceParts& parts, const MakeThreads& make_threads, std::optional<Setup> setup);

  [[nodiscard]] std::vector<api::Route> make_routes() override;
  /// Ends the requests under way.
  void stop() override;

 private:
  static constexpr std::size_t kThreads = 2;
  /// Waiting for the provider or for a thread.
  static constexpr PasswordQueue::Limits kPlaces{.all = 32, .per_client = 4};

  void show_provider(const api::CallPtr& call);
  void sign_in(const api::CallPtr& call);
  void come_back(const api::CallPtr& call);
  void list_identities(const api::CallPtr& call);
  void link_identity(const api::CallPtr& call);
  void remove_identity(const api::CallPtr& call);

  /// The origin that the provider sends browsers back to; `conflict` and `forbidden` say what to set.
  [[nodiscard]] Result<std::string> base_url() const;
  [[nodiscard]] Result<Wanted> wanted_by(const api::Call& call) const;
  /// The session whose cookie the browser has; empty if none.
  [[nodiscard]] std::string session_of(const api::Call& call) const;
  /// Runs on a thread of the face. `busy` if there is no place, or the hub is stopping.
  [[nodiscard]] Result<> post(const api::Call& call, std::move_only_function<void()> run);
  /// Where the browser goes, and what it takes along.
  struct Departure {
    std::string url;
    std::string cookie;
  };
  [[nodiscard]] Result<Departure> depart(const Wanted& wanted);
  void finish(const api::CallPtr& call, const Flows::Returned& returned, const std::string& code);
  [[nodiscard]] Result<std::optional<BrowserSession>> admit(const api::Call& call, const Wanted& wanted,
                                                            const Claims& claims);
  /// Whether somebody was refused, who may be guessing.
  enum class Counts : std::uint8_t { yes, no };
  /// A page that says why, and that ends the sign-in under way.
  void fail_page(const api::CallPtr& call, const Error& error, Counts counts);
  /// The same for an error of the provider, whose reason is for the operator.
  void fail_by_provider(const api::CallPtr& call, const Error& error);

  Access& access_;
  Identities& identities_;
  const api::CookieGate& cookies_;
  PublicUrl& public_url_;
  const std::optional<Setup> setup_;
  std::stop_source stop_;
  Flows flows_;
  std::optional<Provider> provider_;
  Throttle by_peer_{100, 15LL * 60};
  Mutex threads_mutex_;
  std::unique_ptr<Executor> threads_ GUARDED_BY(threads_mutex_);  // end before the rest does
  std::unique_ptr<PasswordQueue> queue_ GUARDED_BY(threads_mutex_);
};

[[nodiscard]] api::FaceModule make_module(MakeThreads make_threads, std::optional<Setup> setup);

}  // namespace syncline::oidc
