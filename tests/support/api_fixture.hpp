// The whole API over a memory store and a manual clock, without a socket: a request goes in, the answer comes out.
#pragma once

#include <gtest/gtest.h>

#include "api/accounts/routes.hpp"
#include "api/kaisho/routes.hpp"
#include "api/kernle/routes.hpp"
#include "api/kiro/routes.hpp"
#include "api/native/routes.hpp"
#include "api/operations/routes.hpp"
#include "api/webhooks/routes.hpp"
#include "app/core_services.hpp"
#include "store/memory/memory_store.hpp"
#include "support/in_process.hpp"
#include "support/manual_scheduler.hpp"

namespace syncline::test {

class ApiFixture : public testing::Test {
 protected:
  explicit ApiFixture(api::Router::Options options = {});

  /// A key of the account; the account is made at its first key.
  std::string add_key(const std::string& email, ScopeSet scopes, const std::string& label = "test");

  PendingAnswer begin(const RequestSpec& spec);
  Answer call(const RequestSpec& spec);
  Answer get(const std::string& target) { return call({.target = target, .token = key_}); }
  Answer post(const std::string& target, const std::string& body) {
    return call({.method = http::Method::post, .target = target, .token = key_, .body = body});
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  MemoryStore store_{clock_, "e1"};
  ManualScheduler scheduler_;
  Live live_{scheduler_};
  Access access_{store_, clock_, {.on_change = [this] { live_.notify_access_change(); }}};
  Sessions sessions_{store_, access_, clock_};
  DeviceKeys device_keys_{store_, access_, clock_};
  RequestMeter meter_{store_, clock_};
  PullProgress progress_{store_};
  const RuleBook rules_ = app::make_rule_book();
  webhooks::Subscriptions webhooks_{store_, clock_, app::make_event_types()};
  Spaces spaces_{store_, clock_, live_, progress_, rules_, &webhooks_};
  SearchIndex search_index_{":memory:"};
  Search search_{spaces_, search_index_, kernle::make_search_subject()};
  DeliveryQueue deliveries_{":memory:"};
  operations::Metrics metrics_{"test"};
  kiro::Face kiro_{spaces_, access_, scheduler_, {}};
  kaisho::Face kaisho_{spaces_, access_};
  kernle::Face kernle_{spaces_, search_, scheduler_};
  api::Router router_;
  /// A key with every scope but admin.
  std::string key_;
};

}  // namespace syncline::test
