// The whole API over a memory store and a manual clock, without a socket: a request goes in, the answer comes out. The
// faces are those of a hub with default settings, but that anybody may sign up.
#pragma once

#include <gtest/gtest.h>

#include "api/operations/routes.hpp"
#include "app/faces.hpp"
#include "store/memory/memory_store.hpp"
#include "support/in_process.hpp"
#include "support/manual_scheduler.hpp"

namespace syncline::test {

class ApiFixture : public testing::Test {
 protected:
  /// `more`: faces beside those of the program.
  explicit ApiFixture(api::Router::Options options = {}, std::vector<api::FaceModule> more = {});

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

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  MemoryStore store_{clock_, "e1"};
  ManualScheduler scheduler_;
  Live live_{scheduler_};
  Access access_{store_, clock_, {.on_change = [this] { live_.notify_access_change(); }}};
  Sessions sessions_{store_, access_, clock_};
  DeviceKeys device_keys_{store_, access_, clock_};
  RequestMeter meter_{store_, clock_};
  PullProgress progress_{store_};
  const std::vector<api::FaceModule> modules_;
  const RuleBook rules_ = app::make_rule_book(modules_);
  webhooks::Subscriptions webhooks_{store_, clock_, app::make_event_types(modules_)};
  Spaces spaces_{store_, clock_, live_, progress_, rules_, &webhooks_};
  SearchIndex search_index_{":memory:"};
  Search search_{spaces_, search_index_, app::find_search_subject(modules_)};
  DeliveryQueue deliveries_{":memory:"};
  operations::Metrics metrics_{"test"};
  std::vector<std::unique_ptr<api::Face>> faces_;
  api::Router router_;
  operations::Face operations_{
      router_,
      access_,
      metrics_,
      {"test", [] { return std::optional<std::string>{}; }, [this] { return store_.status(); }}};
  /// A key with every scope but admin.
  std::string key_;
};

}  // namespace syncline::test
