// Webhooks as their owners set them up, and the events of each face.
#include "service/backup_watch.hpp"
#include "support/kernle_fixture.hpp"
#include "webhooks/operator_events.hpp"

namespace syncline {
namespace {

using http::Method;
using test::Answer;

class WebhooksTest : public test::KernleFixture {
 protected:
  Answer send(Method method, const std::string& target, const std::string& body = "") {
    return call({.method = method, .target = target, .token = key_, .body = body});
  }
  Answer subscribe(const std::string& events) {
    return send(Method::post, "/webhooks", R"({"webhook_url":"https://app.example/hook","events":[)" + events + "]}");
  }
  /// "type" of each event that waits to be sent, with "data" at `member`, and forgets them.
  std::string told(std::string_view member) {
    std::string out;
    const auto events = store_.take_events(100);
    std::vector<EventNumber> taken;
    for (const Event& event : *events) {
      taken.push_back(event.number);
      out += (out.empty() ? "" : " ") + event.type + ':' + JsonView(event.data).text_of(member);
    }
    EXPECT_TRUE(store_.forget_events(taken));
    return out;
  }
};

TEST_F(WebhooksTest, can_be_created_read_changed_rotated_and_removed) {
  const Answer made = subscribe(R"("sync.completed","memory.created")");
  EXPECT_EQ(made.status, 201);
  EXPECT_TRUE(made.at("secret").starts_with("whsec_"));
  EXPECT_EQ(made.at("webhook_url"), "https://app.example/hook");
  EXPECT_EQ(made.at("events"), R"(["sync.completed","memory.created"])");
  EXPECT_EQ(made.at("enabled"), "true");
  const std::string path = "/webhooks/" + made.at("id");
  EXPECT_EQ(send(Method::get, "/webhooks").at("webhooks.0.id"), made.at("id"));
  EXPECT_EQ(send(Method::get, path).at("secret"), "(none)") << "shown once";
  EXPECT_EQ(send(Method::patch, path, R"({"events":["conflict.detected"],"enabled":false})").at("events"),
            R"(["conflict.detected"])");
  EXPECT_EQ(send(Method::get, path).at("enabled"), "false");
  EXPECT_NE(send(Method::post, path + "/rotate-secret").at("secret"), made.at("secret"));
  EXPECT_EQ(send(Method::get, path + "/deliveries").at("deliveries"), "[]");
  EXPECT_EQ(send(Method::post, path + "/deliveries/1/replay").status, 409) << "it is disabled";
  EXPECT_EQ(send(Method::del, path).status, 204);
  EXPECT_EQ(send(Method::get, path).status, 404);
}

TEST_F(WebhooksTest, invalid_webhooks_are_rejected_with_a_reason) {
  EXPECT_NE(subscribe(R"("nothing.known")").at("detail").find("sync.completed"), std::string::npos);
  EXPECT_EQ(subscribe("").status, 400);
  EXPECT_EQ(send(Method::post, "/webhooks", R"({"events":["sync.completed"]})").status, 400);
  EXPECT_EQ(send(Method::post, "/webhooks", R"({"webhook_url":"https://a.b/","events":["sync.completed"],"secret":5})")
                .status,
            400);
  const std::string writer = add_key("ann@example.org", {Scope::write});
  EXPECT_EQ(call({.method = Method::post,
                  .target = "/webhooks",
                  .token = writer,
                  .body = R"({"webhook_url":"https://a.b/","events":["sync.completed"]})"})
                .status,
            403);
  EXPECT_EQ(send(Method::post, "/webhooks", R"({"webhook_url":"file:///x","events":["sync.completed"]})").status, 400);
  for (std::size_t i = 0; i < limits::kWebhooksMax; ++i) EXPECT_EQ(subscribe(R"("timer.started")").status, 201);
  EXPECT_EQ(subscribe(R"("timer.started")").status, 409);
}

TEST_F(WebhooksTest, an_address_that_is_not_public_is_refused_at_once_unless_its_network_is_allowed) {
  webhooks_.guard_addresses(*webhooks::AddressGuard::make({"10.1.0.0/16", "::1"}));
  const auto add = [&](const std::string& url) {
    return send(Method::post, "/webhooks", R"({"webhook_url":")" + url + R"(","events":["sync.completed"]})");
  };
  for (const std::string host : {"127.0.0.1", "127.1", "0x7f.1", "2130706433", "0.0.0.0", "10.2.0.1", "192.168.1.1",
                                 "169.254.169.254", "[fe80::1]", "[::ffff:127.0.0.1]", "127.0.0.1."}) {
    const Answer refused = add("http://" + host + ":8080/hook");
    EXPECT_EQ(refused.status, 400) << host;
    EXPECT_NE(refused.at("detail").find("webhooks.allow"), std::string::npos) << refused.body;
  }
  const Answer allowed = add("http://10.1.2.3/hook");
  EXPECT_EQ(allowed.status, 201);
  EXPECT_EQ(add("http://localhost:1/").status, 201) << "it may mean ::1";
  EXPECT_EQ(add("https://8.8.8.8/").status, 201);
  EXPECT_EQ(add("https://internal.example/").status, 201) << "what a name means is seen when the hub connects";
  const std::string path = "/webhooks/" + allowed.at("id");
  EXPECT_EQ(send(Method::patch, path, R"({"webhook_url":"http://10.2.0.1/"})").status, 400);
  EXPECT_EQ(send(Method::patch, path, R"({"enabled":true})").status, 200);
  webhooks_.guard_addresses(*webhooks::AddressGuard::make({}));
  EXPECT_EQ(add("http://localhost:1/").status, 400);
  EXPECT_EQ(add("http://hub.localhost/").status, 400);
}

TEST_F(WebhooksTest, nothing_is_replayed_to_a_disabled_webhook) {
  const std::string id = subscribe(R"("sync.completed")").at("id");
  ASSERT_TRUE(
      deliveries_.add({{.id = "msg_1", .account = {1}, .type = "sync.completed", .body = "{}", .webhooks = {id}}}));
  const std::string path = "/webhooks/" + id;
  const std::string number = send(Method::get, path + "/deliveries").at("deliveries.0.id");
  EXPECT_EQ(send(Method::post, path + "/deliveries/" + number + "/replay").status, 200);
  ASSERT_TRUE(webhooks_.disable(id, "it answered 410"));
  const Answer refused = send(Method::post, path + "/deliveries/" + number + "/replay");
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.at("detail").find("is disabled (it answered 410)"), std::string::npos) << refused.body;
  EXPECT_EQ(send(Method::patch, path, R"({"enabled":true})").status, 200);
  EXPECT_EQ(send(Method::post, path + "/deliveries/" + number + "/replay").status, 200);
}

TEST_F(WebhooksTest, events_of_the_hub_as_a_whole_reach_the_webhooks_of_admins_alone) {
  const std::string bob = add_key("bob@example.org", {Scope::read, Scope::write});
  const std::string body = R"({"webhook_url":"https://app.example/hook","events":["backup.failed","timer.started"]})";
  const auto as_bob = [&](Method method, const std::string& target, const std::string& sent) {
    return call({.method = method, .target = target, .token = bob, .body = sent});
  };
  EXPECT_EQ(as_bob(Method::post, "/webhooks", body).status, 403);
  const std::string bobs =
      as_bob(Method::post, "/webhooks", R"({"webhook_url":"https://app.example/hook","events":["timer.started"]})")
          .at("id");
  EXPECT_EQ(as_bob(Method::patch, "/webhooks/" + bobs, R"({"events":["backup.overdue"]})").status, 403);
  const std::string anns = send(Method::post, "/webhooks", body).at("id");
  const std::string other = subscribe(R"("backup.ok")").at("id");
  const auto tell = [&] {
    clock_.advance_micros(1000);
    ASSERT_TRUE(store_.directory().write([&](DirectoryTxn& txn) {
      return webhooks::queue_operator_event(txn, webhooks_, kBackupFailed, R"({"path":"/b"})");
    }));
  };
  tell();
  const Answer deliveries = send(Method::get, "/webhooks/" + anns + "/deliveries");
  EXPECT_EQ(deliveries.at("deliveries.0.type"), "backup.failed");
  EXPECT_EQ(deliveries.at("deliveries.0.payload.data.path"), "/b");
  EXPECT_EQ(send(Method::get, "/webhooks/" + other + "/deliveries").at("deliveries"), "[]");
  ASSERT_TRUE(access_.set_role("bob@example.org", Role::admin));
  ASSERT_TRUE(access_.set_role("ann@example.org", Role::member));
  tell();
  EXPECT_EQ(send(Method::get, "/webhooks/" + anns + "/deliveries").at("deliveries.1"), "(none)")
      << "who is no admin any more hears nothing";
}

TEST_F(WebhooksTest, another_accounts_webhook_is_not_found) {
  const std::string path = "/webhooks/" + subscribe(R"("sync.completed")").at("id");
  const std::string eve = add_key("eve@example.org", {Scope::read, Scope::write, Scope::keys});
  for (const auto& [method, target] :
       std::vector<std::pair<Method, std::string>>{{Method::get, path},
                                                   {Method::patch, path},
                                                   {Method::del, path},
                                                   {Method::get, path + "/deliveries"},
                                                   {Method::post, path + "/rotate-secret"}}) {
    EXPECT_EQ(call({.method = method, .target = target, .token = eve, .body = "{}"}).status, 404) << target;
  }
}

TEST_F(WebhooksTest, kernle_pushes_emit_three_kinds_of_events) {
  subscribe(R"("sync.completed","memory.created","conflict.detected")");
  const std::string device = log_in();
  push(device, {{"n1", R"({"content":"a"})", "11:00:00"}});
  EXPECT_EQ(told("record_id"), "memory.created:n1 sync.completed:");
  push(api_key_, {{"n1", R"({"content":"older"})", "10:00:00"}});
  EXPECT_EQ(told("agent_id"), "conflict.detected:claire sync.completed:claire");
  push(api_key_, {{"n1", R"({"content":"older"})", "10:00:00"}});
  EXPECT_EQ(told("stack_id"), "sync.completed:claire") << "a repeat is no new conflict";
  push(api_key_, {{"n2", "{}", "10:00:00", "no_table"}});
  EXPECT_EQ(told("stack_id"), "") << "nothing was synced";
}

TEST_F(WebhooksTest, kaisho_kiro_and_native_changes_emit_events) {
  subscribe(R"("timer.started","timer.stopped","command.completed","record.changed")");
  post("/sync/active/start", R"({"id":"t1","start":"2026-11-22T11:00:00Z","description":"d","customer":"c"})");
  EXPECT_NE(told("collection").find("timer.started"), std::string::npos);
  post("/sync/active/stop", "{}");
  EXPECT_NE(told("collection").find("timer.stopped"), std::string::npos);
  const std::string id = post("/command", R"({"type":"execute_bash","command":"true"})").at("commandId");
  told("collection");
  call({.method = Method::patch, .target = "/command/" + id, .token = key_, .body = R"({"status":"processing"})"});
  EXPECT_EQ(told("command_id").find("command.completed"), std::string::npos);
  call({.method = Method::patch,
        .target = "/command/" + id,
        .token = key_,
        .body = R"({"status":"completed","result":"ok"})"});
  EXPECT_NE(told("command_id").find("command.completed:" + id), std::string::npos);
}

TEST_F(WebhooksTest, without_a_webhook_no_event_is_stored) {
  push(api_key_, {{"n1", R"({"content":"a"})", "11:00:00"}});
  EXPECT_EQ(told("record_id"), "");
}

TEST_F(WebhooksTest, a_request_with_an_idempotency_key_adds_one_webhook) {
  const auto add = [&](const std::string& url) {
    return call({.method = Method::post,
                 .target = "/webhooks",
                 .token = key_,
                 .body = R"({"webhook_url":")" + url + R"(","events":["record.changed"]})",
                 .headers = {{"Idempotency-Key", "\"w-1\""}}});
  };
  const Answer first = add("https://app.example/hook");
  const Answer again = add("https://app.example/hook");
  EXPECT_EQ(first.status, 201) << first.body;
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.at("id"), first.at("id"));
  EXPECT_EQ(again.at("secret"), first.at("secret")) << "the first answer may have been lost";
  EXPECT_EQ(send(Method::get, "/webhooks").at("webhooks.1.id"), "(none)");
  EXPECT_EQ(add("https://other.example/hook").status, 422);
}

}  // namespace
}  // namespace syncline
