// The time of a write is the time of the transaction that counts. Between the two runs of each write a day passes; no
// face may store the time of the request, which is a day that never commits anything.
#include "base/text.hpp"
#include "support/api_fixture.hpp"
#include "support/durations.hpp"

namespace syncline {
namespace {

using http::Method;

class WriteTimeTest : public test::ApiFixture {
 protected:
  /// Sends a request on a day of its own. Whatever that stores must have the time of its write.
  test::Answer send(Method method, const std::string& target, const std::string& body, const std::string& token) {
    clock_.advance_micros(test::kDayMicros);
    const Timestamp request_at = clock_.now();
    twice_.between_runs([this] { clock_.advance_micros(test::kDayMicros); });
    const test::Answer answer = call({.method = method, .target = target, .token = token, .body = body});
    twice_.between_runs([] {});
    EXPECT_GE(answer.status, 200) << target << ' ' << answer.body;
    EXPECT_LT(answer.status, 300) << target << ' ' << answer.body;
    EXPECT_GT(clock_.now(), request_at) << target << " writes nothing";
    look_for(request_at, target);
    return answer;
  }
  test::Answer post_to(const std::string& target, const std::string& body) {
    return send(Method::post, target, body, key_);
  }

 private:
  void look_for(Timestamp time, const std::string& target) {
    const std::string day = format_time(time).substr(0, 10);
    const std::string millis = std::to_string(time.millis());
    const auto look = [&](std::string_view where, std::string_view text) {
      EXPECT_FALSE(text.contains(day) || text.contains(millis))
          << target << " stores the time of its request in " << where << ": " << text;
    };
    const auto infos = memory_.spaces(std::nullopt);
    ASSERT_TRUE(infos);
    for (const SpaceInfo& info : *infos) {
      EXPECT_TRUE(memory_.read(info.name, [&](Snapshot& snapshot) {
        return snapshot.feed({}, [&](const RecordView& record) {
          if (record.committed_at < time) return true;
          const std::string where =
              info.name.name + '/' + std::string(record.collection) + '/' + std::string(record.id);
          look(where, where);
          look(where, record.doc);
          look(where, format_time(record.updated_at));
          return true;
        });
      }));
    }
    const auto events = memory_.take_events(1000);
    ASSERT_TRUE(events);
    for (const Event& event : *events) {
      look(event.type, format_time(event.at));
      look(event.type, event.data);
    }
  }
};

TEST_F(WriteTimeTest, native) {
  post_to("/v1/spaces/notes/push", R"({"ops":[{"collection":"c","id":"a","doc":{}}]})");
  send(Method::put, "/v1/spaces/notes/records/c/b", "{}", key_);
  send(Method::del, "/v1/spaces/notes/records/c/b", "", key_);
}

TEST_F(WriteTimeTest, kaisho) {
  post_to("/clocks/start", R"({"customer":"Acme"})");
  post_to("/clocks/stop", "");
  post_to("/clocks/quick-book", R"({"duration":"1h"})");
  post_to("/sync/active/start", R"({"id":"e1","start":"2026-11-22T09:00:00Z"})");
  post_to("/sync/active/stop", "");
  send(Method::patch, "/ref/config", R"({"a":1})", key_);
}

TEST_F(WriteTimeTest, kernle) {
  post_to("/sync/push",
          R"({"stack_id":"claire","operations":[{"operation":"update","table":"notes","record_id":"n1","data":{}}]})");
}

TEST_F(WriteTimeTest, kiro) {
  post_to("/command", R"({"type":"read_file","path":"late"})");
  EXPECT_EQ(post_to("/command/claim", "").status, 204) << "a day later it has expired";
  const std::string id = post_to("/command", R"({"type":"execute_bash","command":"ls","ttlMs":0})").at("commandId");
  EXPECT_EQ(post_to("/command/claim", "").at("commandId"), id);
  post_to("/command/" + id + "/approval/request", R"({"rule":"r","pattern":"ls *"})");
  const std::string phone = add_key("ann@example.org", {Scope::commands_approve}, "phone");
  send(Method::post, "/command/" + id + "/approval", R"({"decision":"approve","always":true})", phone);
  EXPECT_EQ(post_to("/command/claim", "").at("commandId"), id);
  send(Method::patch, "/command/" + id, R"({"status":"completed","result":"done"})", key_);
  const std::string cancelled = post_to("/command", R"({"type":"read_file","path":"a"})").at("commandId");
  send(Method::del, "/command/" + cancelled, "", key_);
  post_to("/sync", R"({"commands":{"cmd-1-x":{"type":"execute_bash","command":"ls","status":"pending"}}})");
  const std::string lost = post_to("/command", R"({"type":"read_file","path":"b"})").at("commandId");
  EXPECT_FALSE(lost.empty());
}

TEST_F(WriteTimeTest, accounts) {
  const auto made =
      send(Method::post, "/auth/signup", R"({"email":"cleo@example.org","password":"correct horse"})", "");
  const auto renewed =
      send(Method::post, "/auth/refresh", R"({"refresh_token":")" + made.at("refresh_token") + "\"}", "");
  send(Method::post, "/auth/login", R"({"email":"cleo@example.org","password":"correct horse"})", "");
  send(Method::post, "/auth/register", R"({"stack_id":"claire","email":"new@example.org"})", "");
  send(Method::post, "/auth/keys", R"({"name":"laptop"})", renewed.at("access_token"));
}

TEST_F(WriteTimeTest, webhooks) {
  const std::string id =
      post_to("/webhooks", R"({"webhook_url":"https://app.example/hook","events":["record.changed"]})").at("id");
  post_to("/webhooks/" + id + "/rotate-secret", "");
  post_to("/v1/spaces/notes/push", R"({"ops":[{"collection":"c","id":"a","doc":{}}]})");
}

}  // namespace
}  // namespace syncline
