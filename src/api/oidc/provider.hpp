// The provider of identities, as the hub asks it (OpenID Connect Discovery 1.0, Core 1.0): where it is, with which keys
// it signs, and who has come with a code. What it publishes is kept for an hour; keys are fetched again, at most once a
// minute, when a token names one that is not known. Safe from any thread; everything here may wait for the provider, so
// none of it is for network threads.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "base/mutex.hpp"
#include "http/client.hpp"
#include "service/id_token.hpp"

namespace syncline::oidc {

struct ProviderOptions {
  std::string issuer;  // as the provider writes it
  std::string client_id;
  std::string client_secret;  // empty: the hub is a public client
  /// A connection to the server of that URL.
  std::function<std::unique_ptr<http::Client>(const std::string& url)> connect;
};

/// invalid_argument unless the URL is https, or http to this machine, with a host, and without a user or a fragment.
[[nodiscard]] Result<> check_provider_url(std::string_view url);
/// Whether that URL is on this machine, where plain http crosses no network. False for what is no URL.
[[nodiscard]] bool is_on_this_machine(std::string_view url);

class Provider {
 public:
  /// How long the hub believes what the provider publishes.
  static constexpr std::int64_t kFreshSeconds = 3600;
  /// Keys are not asked for again within this time, whatever tokens name.
  static constexpr std::int64_t kKeysAgainSeconds = 60;
  /// Nor is anything else, after it could not be fetched.
  static constexpr std::int64_t kAfterFailureSeconds = 5;

  Provider(ProviderOptions options, const Clock& clock, std::stop_token stop = {})
      : options_(std::move(options)), clock_(clock), stop_(std::move(stop)) {}

  // Errors of all these: `unavailable`, `timed_out` and answer_too_large if the provider does not answer as it should;
  // the text says how.

  /// Where the browser goes.
  struct Question {
    std::string redirect_uri;
    std::string state;
    std::string nonce;
    std::string challenge;
  };
  [[nodiscard]] Result<std::string> authorization_url(const Question& question);

  /// With what the browser came back.
  struct Answer {
    std::string code;
    std::string redirect_uri;
    std::string verifier;
    std::string nonce;
  };
  /// Who it is. `unauthorized` if the provider refuses the code, or its ID token is not as it must be.
  [[nodiscard]] Result<Claims> redeem(const Answer& answer);

  /// Fetches both documents. Returns how many keys the hub can use.
  [[nodiscard]] Result<std::size_t> look();

 private:
  /// What the provider publishes of itself.
  struct Site {
    std::string authorization_endpoint;
    std::string token_endpoint;
    std::string keys_url;
    std::string userinfo_endpoint;  // empty: none
    bool takes_basic = true;        // the secret in the Authorization header; else in the body
  };
  /// A document that was fetched, or the failure to do so.
  template <class What>
  class Kept {
   public:
    using Pointer = std::shared_ptr<const What>;
    /// What is kept if it is younger than that, or what `fetch` returns.
    Result<Pointer> get(Timestamp now, std::int64_t seconds_max, const std::function<Result<What>()>& fetch) {
      {
        const MutexLock lock(mutex_);
        if (what_ && now < fetched_at_.plus_micros(seconds_max * kMicrosPerSecond)) return what_;
        const bool has_just_failed = failure_ && now < failed_at_.plus_micros(kAfterFailureSeconds * kMicrosPerSecond);
        if (has_just_failed) return std::unexpected(*failure_);
      }
      auto fetched = fetch();
      const MutexLock lock(mutex_);
      if (!fetched) {
        failure_ = fetched.error();
        failed_at_ = now;
        return std::unexpected(fetched.error());
      }
      failure_.reset();
      what_ = std::make_shared<const What>(*std::move(fetched));
      fetched_at_ = now;
      return what_;
    }

   private:
    Mutex mutex_;
    Pointer what_ GUARDED_BY(mutex_);
    Timestamp fetched_at_ GUARDED_BY(mutex_);
    std::optional<Error> failure_ GUARDED_BY(mutex_);
    Timestamp failed_at_ GUARDED_BY(mutex_);
  };
  using Keys = std::vector<WebKey>;

  [[nodiscard]] Result<std::shared_ptr<const Site>> site();
  [[nodiscard]] Result<std::shared_ptr<const Keys>> keys(const Site& site, std::int64_t seconds_max);
  [[nodiscard]] Result<Site> fetch_site();
  [[nodiscard]] Result<Keys> fetch_keys(const Site& site);
  [[nodiscard]] Result<http::ClientResponse> send(const std::string& url, http::ClientRequest request);
  [[nodiscard]] Result<std::string> fetch_json(const std::string& url, std::vector<http::Header> headers);
  [[nodiscard]] Result<std::string> fetch_tokens(const Site& site, const Answer& answer);
  [[nodiscard]] Result<Claims> check_token(const Site& site, const std::string& token, const std::string& nonce);
  [[nodiscard]] Result<> ask_for_email(const Site& site, const std::string& access_token, Claims& claims);

  const ProviderOptions options_;
  const Clock& clock_;
  const std::stop_token stop_;
  Kept<Site> site_;
  Kept<Keys> keys_;
};

}  // namespace syncline::oidc
