// What a runner believes of the answers that reach it: the hub's own word, and nobody else's.
#include "runner/hub_link.hpp"

#include <gtest/gtest.h>

#include <array>

namespace syncline::runner {
namespace {

using http::ClientResponse;

class ScriptedClient final : public http::Client {
 public:
  explicit ScriptedClient(ClientResponse answer, int* renewals = nullptr)
      : answer_(std::move(answer)), renewals_(renewals) {}
  void renew_connection() override {
    if (renewals_ != nullptr) ++*renewals_;
  }
  Result<ClientResponse> send(const http::ClientRequest&, std::stop_token) override { return answer_; }
  Result<ClientResponse> stream(const http::ClientRequest&, const std::function<void(std::string_view)>&,
                                std::stop_token) override {
    return fail(ErrorCode::unavailable, "no streams here");
  }

 private:
  const ClientResponse answer_;
  int* const renewals_;
};

ClientResponse from_our_hub(int status, const std::string& code) {
  return {status,
          R"({"type":"/problems/)" + code + R"(","title":"t","status":)" + std::to_string(status) +
              R"(,"detail":"d","code":")" + code + R"(","request_id":"r","error":"t"})",
          std::nullopt};
}
ClientResponse from_published_hub(int status) { return {status, R"({"error":"Unauthorized"})", std::nullopt}; }
std::array<ClientResponse, 3> from_proxies(int status) {
  return {{{status, "<html><body>nginx</body></html>", std::nullopt},
           {status, "", std::nullopt},
           {status, R"({"message":"Unauthorized"})", std::nullopt}}};
}

std::unique_ptr<HubLink> claiming(const ClientResponse& answer) {
  return make_claiming_links([answer] { return std::make_unique<ScriptedClient>(answer); })();
}
std::unique_ptr<HubLink> published(const ClientResponse& answer) {
  return make_published_links([answer] { return std::make_unique<ScriptedClient>(answer); }, 1000)();
}

/// The errors of all that a link asks of its hub.
std::vector<ErrorCode> errors_of(HubLink& link) {
  std::vector<ErrorCode> codes;
  const auto note = [&](const auto& result) {
    if (!result) codes.push_back(result.error().code);
  };
  note(link.next({}));
  note(link.report("cmd-1", {}, {}));
  note(link.renew("cmd-1", {}));
  note(link.watch("cmd-1", 0, {}));
  return codes;
}

TEST(HubLinkTest, an_answer_that_is_not_the_hubs_costs_the_connection) {
  const auto renewals_after = [](const ClientResponse& answer) {
    int renewals = 0;
    const auto link = make_claiming_links([&] { return std::make_unique<ScriptedClient>(answer, &renewals); })();
    (void)link->next({});
    return renewals;
  };
  EXPECT_EQ(renewals_after({200, R"({"commandId":"cmd-1"})", std::nullopt}), 0);
  EXPECT_EQ(renewals_after({204, "", std::nullopt}), 0);
  EXPECT_EQ(renewals_after(from_our_hub(503, "unavailable")), 0);
  for (const ClientResponse& answer : from_proxies(401)) EXPECT_EQ(renewals_after(answer), 1) << answer.body;
  EXPECT_EQ(renewals_after({200, "<html></html>", std::nullopt}), 1);
  EXPECT_EQ(renewals_after({200, "[]", std::nullopt}), 1);
}

TEST(HubLinkTest, only_a_problem_of_the_hub_says_that_the_key_counts_no_more) {
  const std::vector<ErrorCode> all_unauthorized(4, ErrorCode::unauthorized);
  const std::vector<ErrorCode> all_unavailable(4, ErrorCode::unavailable);
  EXPECT_EQ(errors_of(*claiming(from_our_hub(401, "unauthorized"))), all_unauthorized);
  EXPECT_EQ(errors_of(*claiming(from_our_hub(403, "insufficient_scope"))), all_unauthorized);
  EXPECT_EQ(errors_of(*claiming(from_published_hub(401))), all_unavailable);
  EXPECT_EQ(errors_of(*published(from_published_hub(401))), all_unauthorized);
  for (const int status : {401, 403, 404, 405, 409, 407, 302, 400, 422, 500, 502, 503}) {
    for (const ClientResponse& answer : from_proxies(status)) {
      EXPECT_EQ(errors_of(*claiming(answer)), all_unavailable) << status << ' ' << answer.body;
      EXPECT_EQ(errors_of(*published(answer)), all_unavailable) << status << ' ' << answer.body;
    }
  }
}

TEST(HubLinkTest, a_redirection_is_no_answer_whoever_it_is_from) {
  const std::vector<ErrorCode> all_unavailable(4, ErrorCode::unavailable);
  for (const int status : {300, 301, 302, 304, 307, 308}) {
    EXPECT_EQ(errors_of(*claiming(from_our_hub(status, "moved"))), all_unavailable) << status;
    EXPECT_EQ(errors_of(*published(from_published_hub(status))), all_unavailable) << status;
  }
}

TEST(HubLinkTest, a_command_is_given_up_only_if_the_hub_says_so) {
  for (const auto& [status, code] : {std::pair{404, "not_found"}, std::pair{409, "conflict"}}) {
    const auto link = claiming(from_our_hub(status, code));
    EXPECT_EQ(*link->report("cmd-1", {}, {}), Receipt::superseded);
    EXPECT_FALSE(link->renew("cmd-1", {})->is_ours);
    EXPECT_FALSE(link->watch("cmd-1", 0, {})->is_ours);
    const auto published_link = published(from_published_hub(status));
    EXPECT_EQ(*published_link->report("cmd-1", {}, {}), Receipt::superseded);
  }
}

TEST(HubLinkTest, an_order_is_not_declined_because_a_proxy_knows_no_such_route) {
  for (const int status : {404, 409}) {
    for (const ClientResponse& answer : from_proxies(status)) {
      const auto asked = claiming(answer)->ask("cmd-1", {"r", "p", "h"}, {});
      ASSERT_FALSE(asked) << status;
      EXPECT_EQ(asked.error().code, ErrorCode::unavailable) << status;
    }
  }
  EXPECT_EQ(*claiming(from_our_hub(409, "conflict"))->ask("cmd-1", {"r", "p", "h"}, {}), Approval::withdrawn);
}

TEST(HubLinkTest, a_report_counts_as_delivered_only_if_the_hub_answers_with_the_command) {
  EXPECT_FALSE(claiming({200, "<html>sign in</html>", std::nullopt})->report("cmd-1", {}, {}));
  EXPECT_EQ(*claiming({200, R"({"status":"completed"})", std::nullopt})->report("cmd-1", {}, {}), Receipt::accepted);
  EXPECT_EQ(*claiming({413, "<html>too large</html>", std::nullopt})->report("cmd-1", {}, {}), Receipt::refused);
}

TEST(HubLinkTest, a_hub_without_claims_is_recognised) {
  for (const ClientResponse& answer : {from_published_hub(404), from_our_hub(404, "not_found")}) {
    const auto order = claiming(answer)->next({});
    ASSERT_FALSE(order);
    EXPECT_EQ(order.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(order.error().text.find("--published-api"), std::string::npos);
  }
}

}  // namespace
}  // namespace syncline::runner
