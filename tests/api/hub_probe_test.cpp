// What a node asks a hub to learn what it speaks, in which order, and what it makes of the answers.
#include "node/hub_probe.hpp"

#include <gtest/gtest.h>

#include "app/faces.hpp"

namespace syncline::node {
namespace {

constexpr std::string_view kStats = R"({"plan":"pro","email":"ann@example.org","entry_count":3})";

/// A hub that knows some paths. It notes what it is asked.
class ScriptedHub {
 public:
  void set(const std::string& target, int status, std::string_view body = "{}") {
    answers_[target] = {status, std::string(body), std::nullopt};
  }

  Result<replica::HubAccount> probe(
      std::vector<const replica::Dialect*> dialects = app::list_dialects(app::make_node_faces())) {
    asked.clear();
    const HubProbe probe(
        [this](const HubAddress&) -> Result<http::ClientFactory> {
          return [this] { return std::make_unique<Client>(*this); };
        },
        clock_, std::move(dialects));
    return probe.ask({.url = "http://hub.example", .key = "key", .ca_file = {}}, {});
  }

  std::vector<std::string> asked;

 private:
  class Client final : public http::Client {
   public:
    explicit Client(ScriptedHub& hub) : hub_(hub) {}
    Result<http::ClientResponse> send(const http::ClientRequest& request, std::stop_token) override {
      hub_.asked.push_back(request.target);
      const auto known = hub_.answers_.find(request.target);
      if (known == hub_.answers_.end()) return http::ClientResponse{404, "", std::nullopt};
      return known->second;
    }
    Result<http::ClientResponse> stream(const http::ClientRequest&, const std::function<void(std::string_view)>&,
                                        std::stop_token) override {
      return fail(ErrorCode::unavailable, "no streams here");
    }

   private:
    ScriptedHub& hub_;
  };

  SystemClock clock_;
  std::map<std::string, http::ClientResponse> answers_;
};

using Asked = std::vector<std::string>;

TEST(HubProbeTest, a_hub_of_v1_is_used_natively_and_says_who_the_account_is) {
  ScriptedHub hub;
  hub.set("/sync/stats", 200, kStats);
  hub.set("/v1/me", 200);
  const auto account = hub.probe();
  ASSERT_TRUE(account) << account.error().text;
  EXPECT_EQ(account->dialect, &replica::native_dialect());
  EXPECT_EQ(account->name, "ann@example.org");
  EXPECT_EQ(account->entry_count, 3);
  EXPECT_TRUE(account->may_sync && account->models && account->wipe);
  EXPECT_EQ(hub.asked, (Asked{"/sync/stats", "/v1/me"}));
}

TEST(HubProbeTest, a_hub_of_v1_names_the_plan_and_says_whether_it_has_ai) {
  ScriptedHub hub;
  hub.set("/sync/stats", 200, R"({"plan":"sync_ai","email":"ann@example.org"})");
  hub.set("/v1/me", 200, R"({"account":"ann@example.org","plan":"team","ai":false})");
  const auto without = hub.probe();
  ASSERT_TRUE(without) << without.error().text;
  EXPECT_EQ(without->plan, "team");
  EXPECT_FALSE(without->models);
  hub.set("/v1/me", 200, R"({"account":"ann@example.org","plan":"team","ai":true})");
  EXPECT_TRUE(hub.probe()->models);
}

TEST(HubProbeTest, a_cloud_has_ai_in_the_plans_that_include_it) {
  ScriptedHub cloud;
  cloud.set("/sync/stats", 200, R"({"plan":"sync_ai"})");
  EXPECT_EQ(cloud.probe()->plan, "pro") << "the name that people know";
  EXPECT_TRUE(cloud.probe()->models);
  cloud.set("/sync/stats", 200, R"({"plan":"sync"})");
  EXPECT_EQ(cloud.probe()->plan, "companion");
  EXPECT_FALSE(cloud.probe()->models);
}

TEST(HubProbeTest, a_hub_in_trouble_at_v1_is_asked_again_and_not_taken_for_another_kind) {
  for (const int status : {401, 403, 429, 500, 503}) {
    ScriptedHub hub;
    hub.set("/sync/stats", 200, kStats);
    hub.set("/v1/me", status);
    const auto account = hub.probe();
    ASSERT_FALSE(account);
    EXPECT_EQ(account.error().code, ErrorCode::unavailable) << status;
    EXPECT_EQ(advice_of(account.error().code), Advice::retry_later) << status;
  }
}

TEST(HubProbeTest, a_key_that_may_not_ask_is_forbidden_and_anything_else_with_403_is_no_answer_of_a_hub) {
  ScriptedHub hub;
  hub.set("/sync/stats", 403, R"({"error":"Forbidden"})");
  EXPECT_EQ(hub.probe().error().code, ErrorCode::forbidden);
  hub.set("/sync/stats", 403, "<html>log in to this network</html>");
  EXPECT_EQ(hub.probe().error().code, ErrorCode::unavailable);
}

TEST(HubProbeTest, the_scopes_that_a_device_needs_and_the_key_lacks_are_named) {
  for (const auto& [scopes, missing] :
       std::vector<std::pair<std::string, std::string>>{{R"(["read","write","keys"])", ""},
                                                        {R"(["read"])", "write"},
                                                        {R"(["write"])", "read"},
                                                        {"[]", "read and write"},
                                                        {"null", ""}}) {
    ScriptedHub hub;
    hub.set("/sync/stats", 200, kStats);
    hub.set("/v1/me", 200, R"({"account":"ann@example.org","plan":"pro","key":{"scopes":)" + scopes + "}}");
    const auto account = hub.probe();
    ASSERT_TRUE(account) << account.error().text;
    EXPECT_EQ(account->missing_scopes, missing) << scopes;
  }
}

TEST(HubProbeTest, a_cloud_without_v1_is_asked_whether_it_syncs_only_if_the_plan_does_not_say_so) {
  ScriptedHub cloud;
  cloud.set("/sync/stats", 200, kStats);
  const auto paid = cloud.probe();
  ASSERT_TRUE(paid);
  EXPECT_EQ(paid->dialect->name(), "kaisho");
  EXPECT_EQ(cloud.asked, (Asked{"/sync/stats", "/v1/me"}));

  cloud.set("/sync/stats", 200, R"({"plan":"none"})");
  const auto refused = cloud.probe();
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->may_sync);
  EXPECT_TRUE(refused->name.starts_with("key ")) << refused->name;
  EXPECT_EQ(cloud.asked, (Asked{"/sync/stats", "/v1/me", "/sync/active"}));
  cloud.set("/sync/active", 200);
  EXPECT_TRUE(cloud.probe()->may_sync);
}

TEST(HubProbeTest, a_backend_is_asked_for_a_session_only_if_it_knows_no_stats) {
  ScriptedHub backend;
  backend.set("/auth/login", 200, R"({"user_id":"usr_1","token":"t","token_expires":"2100-01-01T00:00:00Z"})");
  const auto account = backend.probe();
  ASSERT_TRUE(account) << account.error().text;
  EXPECT_EQ(account->dialect->name(), "kernle");
  EXPECT_TRUE(account->dialect->asking_leaves_traces());
  EXPECT_EQ(account->session, "t");
  EXPECT_TRUE(account->renew_at);
  EXPECT_FALSE(account->models);
  EXPECT_EQ(backend.asked, (Asked{"/sync/stats", "/auth/login"}));

  backend.set("/sync/stats", 401);
  EXPECT_EQ(backend.probe().error().code, ErrorCode::unauthorized);
  EXPECT_EQ(backend.asked, (Asked{"/sync/stats"}));
}

TEST(HubProbeTest, a_server_that_speaks_nothing_known_is_no_hub) {
  ScriptedHub server;
  const auto account = server.probe();
  ASSERT_FALSE(account);
  EXPECT_EQ(account.error().text, "no hub at this URL: it has none of these APIs: /v1, Kaisho's, Kernle's");
  EXPECT_EQ(server.asked, (Asked{"/sync/stats", "/auth/login"}));
}

TEST(HubProbeTest, a_node_without_other_dialects_knows_hubs_of_v1) {
  ScriptedHub hub;
  hub.set("/v1/me", 200, R"({"account":"ann@example.org","plan":"pro"})");
  const auto account = hub.probe({});
  ASSERT_TRUE(account) << account.error().text;
  EXPECT_EQ(account->dialect, &replica::native_dialect());
  EXPECT_TRUE(account->may_sync);
  EXPECT_FALSE(account->wipe);
  hub.set("/v1/me", 401);
  EXPECT_EQ(hub.probe({}).error().code, ErrorCode::unauthorized);
}

}  // namespace
}  // namespace syncline::node
