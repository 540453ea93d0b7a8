// The whole API over a memory store, whose reads a test may let fail, and a manual clock, without a socket: a request
// goes in, the answer comes out, and must be what /openapi.json says. The faces are those of a hub with default
// settings, but that anybody may sign up. Every write function is held to its contract: it runs twice, names what it
// looks up, and reads no clock but its transaction's.
#pragma once

#include <gtest/gtest.h>

#include "api/operations/routes.hpp"
#include "app/faces.hpp"
#include "store/memory/memory_store.hpp"
#include "support/failing_store.hpp"
#include "support/in_process.hpp"
#include "support/manual_scheduler.hpp"
#include "support/proving_store.hpp"
#include "support/published_api.hpp"

namespace syncline::test {

class ApiFixture : public testing::Test {
 public:
  ~ApiFixture() override { *ended_ = true; }

 protected:
  /// `more`: faces beside those of the program, or in the place of those that have the same name.
  explicit ApiFixture(api::Router::Options options = {}, std::vector<api::FaceModule> more = {},
                      const api::CookieGate::Options& cookies = {.hub_id = "0123abcd"});

  /// A key of the account; the account is made at its first key.
  std::string add_key(const std::string& email, ScopeSet scopes, const std::string& label = "test");

  PendingAnswer begin(const RequestSpec& spec);
  Answer call(const RequestSpec& spec);
  Answer get(const std::string& target) { return call({.target = target, .token = key_}); }
  Answer post(const std::string& target, const std::string& body) {
    return call({.method = http::Method::post, .target = target, .token = key_, .body = body});
  }

  /// What a hub makes its faces do in these intervals.
  void each_second();
  [[nodiscard]] Result<> each_hour();

  static void on_fault(const std::string& fault) { ADD_FAILURE() << fault; }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  MemoryStore memory_{clock_, "e1"};
  TwiceStore twice_{memory_};
  StrictStore strict_{twice_, on_fault};
  FailingStore store_{strict_};
  /// What the hub's services read.
  OutsideClock service_clock_{clock_, on_fault};
  ManualScheduler scheduler_;
  Live live_{scheduler_};
  Access access_{store_, service_clock_, {.on_change = [this] { live_.notify_access_change(); }}};
  Sessions sessions_{store_, access_, service_clock_};
  BrowserSessions browser_sessions_{access_, sessions_, service_clock_};
  FirstRun first_run_{store_, access_, sessions_, service_clock_};
  /// What the hub has shown to whoever runs it.
  std::vector<std::string> shown_codes_;
  DeviceKeys device_keys_{store_, access_, service_clock_};
  OwnKeys own_keys_{store_, access_};
  Shares shares_{store_, access_};
  Pairings pairings_{access_, live_, service_clock_};
  Passkeys passkeys_{store_, access_, service_clock_};
  Identities identities_{store_, access_};
  RequestMeter meter_{store_, service_clock_};
  PullProgress progress_{store_};
  const std::vector<api::FaceModule> modules_;
  const RuleBook rules_ = app::make_rule_book(modules_);
  webhooks::Subscriptions webhooks_{store_, app::make_event_types(modules_)};
  Spaces spaces_{store_, service_clock_, live_, progress_, rules_, &webhooks_};
  SearchIndex search_index_{":memory:"};
  Search search_{spaces_, search_index_, app::find_search_subject(modules_)};
  webhooks::DeliveryQueue deliveries_{store_};
  PasswordQueue passwords_{scheduler_};
  api::CookieGate cookies_;
  /// What setup has stored as the public URL. A public origin of the test's options counts as the operator's.
  std::vector<std::string> kept_urls_;
  PublicUrl public_url_;
  operations::Metrics metrics_{"test"};
  std::vector<std::unique_ptr<api::Face>> faces_;
  api::Router router_;
  operations::Face operations_{router_,
                               metrics_,
                               {"test", [] { return std::optional<std::string>{}; }, [this] { return store_.status(); },
                                [this] { return doubt_; }}};
  /// What /ready says is not as it should be.
  std::string doubt_;
  /// A key with every scope but admin.
  std::string key_;

 private:
  PublicUrl::Keep keep_url();

  std::shared_ptr<const PublishedApi> published_;
  const std::shared_ptr<bool> ended_ = std::make_shared<bool>(false);
};

}  // namespace syncline::test
