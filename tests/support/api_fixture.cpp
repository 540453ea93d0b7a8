#include "support/api_fixture.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline::test {
ApiFixture::ApiFixture(api::Router::Options options) : router_(access_, clock_, std::move(options)) {
  router_.add(operations::make_routes(
      router_, access_, metrics_,
      {"test", [] { return std::optional<std::string>{}; }, [this] { return store_.status(); }}));
  router_.add(native::make_routes(spaces_, access_));
  router_.add(kiro_.make_routes());
  router_.add_under("/kiro", kiro_.make_routes());
  router_.add(kernle_.make_routes());
  router_.add_under("/kernle", kernle_.make_routes());
  router_.add(kaisho_.make_routes());
  router_.add_under("/kaisho", kaisho_.make_routes());
  router_.add(accounts::make_routes(sessions_, {device_keys_, access_, spaces_, meter_},
                                    {.open = true, .plan = Plan::companion}));
  router_.meter(meter_);
  router_.add(webhooks::make_routes({webhooks_, deliveries_, spaces_, [] {}}));
  router_.observe(metrics_);
  key_ = add_key("ann@example.org",
                 {Scope::read, Scope::write, Scope::commands_submit, Scope::commands_run, Scope::commands_approve});
}

std::string ApiFixture::add_key(const std::string& email, ScopeSet scopes, const std::string& label) {
  if (!access_.find_account(email)) {
    EXPECT_TRUE(access_.add_account(email, Plan::pro));
  }
  auto made = access_.add_key(email, label, scopes, std::nullopt);
  EXPECT_TRUE(made);
  return made->token;
}

PendingAnswer ApiFixture::begin(const RequestSpec& spec) { return begin_request(router_, spec); }

Answer ApiFixture::call(const RequestSpec& spec) {
  const PendingAnswer pending = begin(spec);
  scheduler_.run_posted();
  EXPECT_TRUE(pending.has_come()) << spec.target;
  return pending.has_come() ? pending.get() : Answer{};
}

}  // namespace syncline::test
