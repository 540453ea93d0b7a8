// Keys for some spaces: every route with a key for others and with one for its own, what such a key hands on, and what
// narrowing it does to what is open.
#include <chrono>
#include <thread>

#include "support/example_requests.hpp"

namespace syncline {
namespace {

using test::Answer;

constexpr auto kAll = std::to_array<std::string_view>({"s", "conflicts", "kaisho", "kiro", "kernle/claire"});

class KeySpacesTest : public test::ExampleFixture {
 protected:
  static SpaceLimit only(std::vector<std::string> names) { return *SpaceLimit::only(std::move(names)); }
  std::string limited_key(const std::vector<std::string>& spaces, ScopeSet scopes = scopes_of(Role::admin)) {
    const auto made = access_.add_key("ann@example.org", "limited", scopes, std::nullopt, {.spaces = only(spaces)});
    EXPECT_TRUE(made);
    return made->token;
  }
  Answer ask(const std::string& token, http::Method method, const std::string& target, const std::string& body = "") {
    return call({.method = method, .target = target, .token = token, .body = body});
  }
  Answer make_key(const std::string& token, const std::string& body) {
    return ask(token, http::Method::post, "/v1/keys", body);
  }
  std::string id_of(const std::string& token) { return ask(token, http::Method::get, "/v1/me").at("key.id"); }
  void narrow(const std::string& token, const std::string& change) {
    const Answer answer = ask(everything_, http::Method::patch, "/v1/keys/" + id_of(token), change);
    EXPECT_EQ(answer.status, 200) << answer.body;
    scheduler_.run_posted();
  }
  /// Whether the route's example would give rights for all spaces.
  static bool hands_on_rights(const api::Route& route) {
    return (route.pattern == "/v1/keys" && route.method == http::Method::post) || route.pattern.ends_with("/cycle");
  }
  /// The answer to a route's example; one with status 0 for what stays open.
  Answer answer_of(const api::Route& route, const std::string& token) {
    clock_.advance_micros(16L * 60 * kMicrosPerSecond);  // logins are limited in a quarter of an hour
    const auto pending = begin(request_for(route, token));
    scheduler_.run_posted();
    return pending.has_come() ? pending.get() : Answer{};
  }
};

TEST_F(KeySpacesTest, no_route_lets_a_key_into_spaces_that_it_is_not_for) {
  std::size_t refused = 0;
  for (const api::Route& route : router_.routes()) {
    if (route.any_of.empty()) continue;
    const std::string token = limited_key({"elsewhere"});
    const Answer answer = answer_of(route, token);
    if (route.reach == api::Route::Reach::no_space || route.pattern == "/v1/live") {
      EXPECT_EQ(answer.at("code") == "space_not_allowed", hands_on_rights(route)) << route.pattern;
    } else if (route.pattern == "/v1/spaces") {
      EXPECT_EQ(answer.body, R"({"spaces":[],"shared":[]})") << "it lists the spaces of the key";
    } else {
      EXPECT_EQ(answer.status, 403) << route.pattern << ' ' << answer.body;
      EXPECT_EQ(answer.at("code"), "space_not_allowed") << route.pattern;
      EXPECT_NE(answer.at("detail").find("elsewhere"), std::string::npos) << route.pattern << ' ' << answer.body;
      ++refused;
    }
  }
  EXPECT_GT(refused, 80U);
}

TEST_F(KeySpacesTest, every_route_lets_a_key_into_its_own_spaces) {
  const std::vector<std::string> all(kAll.begin(), kAll.end());
  for (const api::Route& route : router_.routes()) {
    if (route.any_of.empty()) continue;
    const Answer answer = answer_of(route, limited_key(all));
    EXPECT_EQ(answer.at("code") == "space_not_allowed",
              route.reach == api::Route::Reach::account || hands_on_rights(route))
        << route.pattern << ' ' << answer.body;
  }
}

TEST_F(KeySpacesTest, a_list_of_spaces_shows_those_of_the_key) {
  for (const std::string space : {"a", "b", "c"}) {
    EXPECT_EQ(post("/v1/spaces/" + space + "/push", R"({"ops":[{"collection":"c","id":"1","doc":{}}]})").status, 200);
  }
  const Answer list = ask(limited_key({"b", "nowhere"}), http::Method::get, "/v1/spaces");
  EXPECT_EQ(list.at("spaces.0.name"), "b");
  EXPECT_EQ(list.body.find(R"("name":"a")"), std::string::npos) << list.body;
  EXPECT_EQ(ask(limited_key({"b"}), http::Method::get, "/v1/me").at("key.spaces"), R"(["b"])");
  EXPECT_EQ(get("/v1/me").at("key.spaces"), "null");
}

TEST_F(KeySpacesTest, a_search_finds_memories_of_the_agents_that_the_key_is_for) {
  for (const std::string agent : {"claire", "david"}) {
    as(everything_, http::Method::post, "/sync/push",
       R"({"stack_id":")" + agent +
           R"(","operations":[{"operation":"update","table":"notes","record_id":"1",)"
           R"("local_updated_at":"2026-11-22T10:00:00+00:00","data":{"content":"tea of )" +
           agent + "\"}}]}");
  }
  for (const std::string route : {"/search", "/memories/search"}) {
    const Answer found = ask(limited_key({"kernle/david"}), http::Method::post, route, R"({"query":"tea"})");
    EXPECT_EQ(found.status, 200) << found.body;
    EXPECT_NE(found.body.find("tea of david"), std::string::npos);
    EXPECT_EQ(found.body.find("claire"), std::string::npos) << found.body;
  }
}

TEST_F(KeySpacesTest, a_key_hands_on_no_more_spaces_than_it_has) {
  const std::string maker = limited_key({"a", "b"}, {Scope::keys, Scope::read});
  for (const std::string body :
       {R"({"label":"x","scopes":["read"]})", R"({"label":"x","scopes":["read"],"spaces":["c"]})",
        R"({"label":"x","scopes":["read"],"spaces":["a","c"]})"}) {
    const Answer refused = make_key(maker, body);
    EXPECT_EQ(refused.status, 403) << body;
    EXPECT_EQ(refused.at("code"), "space_not_allowed");
  }
  const Answer made = make_key(maker, R"({"label":"x","scopes":["read"],"spaces":["b"]})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("spaces"), R"(["b"])");
  EXPECT_EQ(made.at("maker.id"), id_of(maker));
  EXPECT_EQ(made.at("maker.label"), "limited");
  EXPECT_EQ(ask(made.at("key"), http::Method::get, "/v1/spaces/a/changes").status, 403);
  EXPECT_EQ(ask(made.at("key"), http::Method::get, "/v1/spaces/b/changes").status, 200);

  const std::string inherited = ask(maker, http::Method::post, "/auth/keys", R"({"name":"y"})").at("key");
  EXPECT_EQ(ask(inherited, http::Method::get, "/v1/me").at("key.spaces"), R"(["a","b"])");
  const std::string uuid = ask(maker, http::Method::post, "/auth/api-key").at("api_key");
  EXPECT_EQ(ask(uuid, http::Method::get, "/v1/me").at("key.spaces"), R"(["a","b"])");
  const std::string wide =
      as(everything_, http::Method::post, "/v1/keys", R"({"label":"w","scopes":["read"]})").at("id");
  EXPECT_EQ(ask(maker, http::Method::post, "/auth/keys/" + wide + "/cycle").status, 403);
  const Answer cycled = ask(everything_, http::Method::post, "/auth/keys/" + made.at("id") + "/cycle");
  EXPECT_EQ(ask(cycled.at("key"), http::Method::get, "/v1/me").at("key.spaces"), R"(["b"])");
}

TEST_F(KeySpacesTest, names_of_spaces_are_checked) {
  const auto make = [&](const std::string& spaces) {
    return make_key(everything_, R"({"label":"x","scopes":["read"],"spaces":)" + spaces + "}");
  };
  for (const std::string spaces : {"[]", R"("a")", R"(["a b"])", "[1]", R"(["@x/a"])", R"(["@01/a"])", R"(["@1"])"}) {
    EXPECT_EQ(make(spaces).status, 400) << spaces;
  }
  EXPECT_EQ(make(R"(["b","a","b"])").at("spaces"), R"(["a","b"])");
  EXPECT_EQ(make("null").at("spaces"), "null");
  std::string many = "[";
  for (int i = 0; i <= 100; ++i) many += (i > 0 ? ",\"s" : "\"s") + std::to_string(i) + '"';
  EXPECT_EQ(make(many + "]").status, 400);
}

TEST_F(KeySpacesTest, sessions_have_the_limit_of_their_key) {
  const std::string key = limited_key({"a", "b"}, {Scope::read, Scope::write});
  const auto device = device_keys_.log_in(key, "-");
  ASSERT_TRUE(device);
  const auto browser = browser_sessions_.sign_in_with_key(key, {.label = "browser"}, "-");
  ASSERT_TRUE(browser);
  const auto spaces = [&](const std::string& token, Access::Via via = Access::Via::bearer) {
    return (*access_.authenticate(token, via))->spaces.to_text();
  };
  EXPECT_EQ(spaces(device->token), "the spaces a, b");
  EXPECT_EQ(spaces(browser->token, Access::Via::cookie), "the spaces a, b");
  narrow(key, R"({"spaces":["b"],"scopes":["read"]})");
  EXPECT_EQ(spaces(device->token), "the space b");
  EXPECT_EQ(spaces(browser->token, Access::Via::cookie), "the space b");
  EXPECT_FALSE((*access_.authenticate(device->token))->scopes.has(Scope::write));
  EXPECT_EQ(ask(device->token, http::Method::post, "/v1/spaces/b/push", R"({"ops":[]})").status, 403);
}

TEST_F(KeySpacesTest, a_change_only_takes_rights_away) {
  const std::string key = limited_key({"a", "b"}, {Scope::read, Scope::write});
  const std::string target = "/v1/keys/" + id_of(key);
  const auto change = [&](const std::string& body, const std::string& by = "") {
    return ask(by.empty() ? everything_ : by, http::Method::patch, target, body);
  };
  EXPECT_EQ(change("{}").status, 400);
  EXPECT_EQ(change(R"({"scopes":[]})").status, 400);
  EXPECT_EQ(change(R"({"scopes":["read","keys"]})").status, 403);
  EXPECT_EQ(change(R"({"spaces":["a","c"]})").at("code"), "space_not_allowed");
  EXPECT_EQ(change(R"({"scopes":["read"],"spaces":["b"],"label":"new"})").at("label"), "new");
  EXPECT_EQ(change(R"({"scopes":["read","write"]})").status, 403) << "what is gone does not come back";
  EXPECT_EQ(change(R"({"spaces":["a"]})").status, 403);
  const std::string bob = add_key("bob@example.org", {Scope::keys});
  EXPECT_EQ(change(R"({"scopes":["read"]})", bob).status, 404);
}

TEST_F(KeySpacesTest, a_later_end_is_given_only_by_who_has_the_rights) {
  const auto in = [&](std::int64_t seconds) {
    return "\"" + format_time(clock_.now().plus_micros(seconds * kMicrosPerSecond)) + "\"";
  };
  const Answer made = make_key(everything_, R"({"label":"x","scopes":["read","write"],"expires_at":)" + in(600) + "}");
  const auto change = [&](const std::string& end, const std::string& by) {
    return ask(by, http::Method::patch, "/v1/keys/" + made.at("id"), R"({"expires_at":)" + end + "}");
  };
  const std::string reader = add_key("ann@example.org", {Scope::keys, Scope::read});
  const std::string of_one_space = limited_key({"a"});
  const auto device = device_keys_.log_in(made.at("key"), "-");
  ASSERT_TRUE(device);
  EXPECT_EQ(change(in(700), reader).status, 403);
  EXPECT_EQ(change("null", of_one_space).status, 403);
  EXPECT_EQ(change(in(-1), reader).status, 400);
  EXPECT_EQ(change(in(300), reader).status, 200);
  clock_.advance_micros(301 * kMicrosPerSecond);
  EXPECT_EQ(ask(device->token, http::Method::get, "/v1/me").status, 401) << "a session does not outlive its key";
  EXPECT_EQ(change("null", everything_).status, 409) << "the key has ended";
  EXPECT_EQ(ask(everything_, http::Method::patch, "/v1/keys/" + made.at("id"), R"({"label":"old"})").status, 200);
}

TEST_F(KeySpacesTest, the_list_says_where_a_key_was_used_last) {
  const auto from = [&](const std::string& address) { call({.target = "/v1/me", .token = other_, .client = address}); };
  const auto listed = [&] { return ask(everything_, http::Method::get, "/v1/keys").body; };
  from("192.0.2.1");
  EXPECT_NE(listed().find(R"("last_address":"192.0.2.1")"), std::string::npos) << listed();
  ASSERT_TRUE(access_.store_usage());
  EXPECT_NE(listed().find(R"("last_address":"192.0.2.1")"), std::string::npos);
  from("192.0.2.2");
  EXPECT_NE(listed().find(R"("last_address":"192.0.2.2")"), std::string::npos);
  EXPECT_EQ(listed().find("192.0.2.1"), std::string::npos);
}

/// What is open when a key is narrowed.
class NarrowedKeyTest : public KeySpacesTest {
 protected:
  NarrowedKeyTest() : token_(limited_key({"a", "b"}, {Scope::read})) {}

  static bool has_ended(http::BodySource& body) {
    for (;;) {
      const auto next = body.next();
      if (!std::holds_alternative<http::BodySource::Chunk>(next)) {
        return std::holds_alternative<http::BodySource::End>(next);
      }
    }
  }
  std::unique_ptr<http::BodySource> stream(const std::string& spaces) {
    http::Response response = test::take_response(router_, {.target = "/v1/events?spaces=" + spaces, .token = token_});
    auto body = std::get<std::unique_ptr<http::BodySource>>(std::move(response.body));
    body->start({[] {}});
    EXPECT_FALSE(has_ended(*body));
    return body;
  }
  std::unique_ptr<http::WebSocketSession> socket(const std::string& space) {
    auto session = test::watch_space(router_, token_, space);
    EXPECT_EQ(test::closed_with(*session), 0);
    return session;
  }

  const std::string token_;
};

TEST_F(NarrowedKeyTest, what_uses_a_lost_space_ends_at_once) {
  const auto lost = stream("a,b");
  const auto kept = stream("b");
  const auto lost_socket = socket("a");
  const auto kept_socket = socket("b");
  const auto poll = begin({.target = "/v1/spaces/a/changes?wait=30", .token = token_});
  EXPECT_FALSE(poll.has_come());
  narrow(token_, R"({"spaces":["b"]})");
  EXPECT_TRUE(has_ended(*lost));
  EXPECT_FALSE(has_ended(*kept));
  EXPECT_EQ(test::closed_with(*lost_socket), 4003);
  EXPECT_EQ(test::closed_with(*kept_socket), 0);
  ASSERT_TRUE(poll.has_come());
  EXPECT_EQ(poll.get().status, 403);
  EXPECT_EQ(poll.get().at("code"), "space_not_allowed");
  EXPECT_EQ(ask(token_, http::Method::get, "/v1/spaces/a/changes").status, 403);
}

TEST_F(NarrowedKeyTest, a_socket_watches_no_space_that_its_key_has_lost) {
  const auto open = socket("b");
  EXPECT_EQ(test::closed_with(*open), 0);
  narrow(token_, R"({"spaces":["b"]})");
  EXPECT_EQ(test::closed_with(*open), 0);
  open->on_text(R"({"type":"watch","spaces":{"a":"0"}})");
  EXPECT_EQ(test::closed_with(*open), 4003);
}

TEST_F(NarrowedKeyTest, a_body_that_arrives_late_is_judged_by_the_key_as_it_is_then) {
  const std::string token = limited_key({"a", "b"}, {Scope::write});
  test::LateBody late(router_, {.method = http::Method::post, .target = "/v1/spaces/a/push", .token = token});
  ASSERT_FALSE(late.is_refused());
  narrow(token, R"({"spaces":["b"]})");
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  late.arrive(R"({"ops":[{"collection":"c","id":"late","doc":{}}]})");
  scheduler_.run_posted();
  EXPECT_EQ(late.status(), 403);
}

TEST_F(NarrowedKeyTest, what_uses_a_lost_scope_ends_at_once) {
  const std::string token = limited_key({"kaisho", "kiro"}, {Scope::read, Scope::write});
  auto kaisho = test::take_response(router_, {.target = "/ws", .token = token}).upgrade;
  kaisho->start({[] {}});
  EXPECT_EQ(test::closed_with(*kaisho), 0);
  const auto poll = begin({.target = "/v1/spaces/kiro/changes?wait=30", .token = token});
  EXPECT_FALSE(poll.has_come());
  narrow(token, R"({"scopes":["write"]})");
  EXPECT_EQ(test::closed_with(*kaisho), 4001) << "its clients know no other code";
  ASSERT_TRUE(poll.has_come());
  EXPECT_EQ(poll.get().status, 403);
}

TEST_F(NarrowedKeyTest, sockets_whose_key_comes_later_refuse_it_for_other_spaces) {
  auto kaisho = test::take_response(router_, {.target = "/ws"}).upgrade;
  kaisho->start({[] {}});
  kaisho->on_text(R"({"type":"auth","api_key":")" + token_ + "\"}");
  EXPECT_EQ(test::closed_with(*kaisho), 4001);
  auto live = test::take_response(router_, {.target = "/v1/live"}).upgrade;
  live->start({[] {}});
  live->on_text(R"({"type":"auth","key":")" + token_ + "\"}");
  live->on_text(R"({"type":"watch","spaces":{"c":"0"}})");
  const auto next = live->next();
  const auto* text = std::get_if<std::shared_ptr<const std::string>>(&next);
  ASSERT_NE(text, nullptr);
  EXPECT_NE((*text)->find(R"("code":"space_not_allowed")"), std::string::npos) << **text;
}

TEST_F(NarrowedKeyTest, a_limit_that_cannot_be_read_allows_nothing) {
  const KeyNumber number = (*access_.authenticate(token_))->key;
  ASSERT_TRUE(store_.directory().write([&](DirectoryTxn& txn) -> Result<> {
    TRY(auto row, txn.find_key(number));
    row->doc.replace(row->doc.find(R"(["a","b"])"), 9, R"("a b")");
    return txn.put_key(*row);
  }));
  ASSERT_TRUE(access_.set_plan("ann@example.org", Plan::pro));  // after it no key is remembered
  EXPECT_EQ(ask(token_, http::Method::get, "/v1/spaces/a/changes").status, 403);
}

}  // namespace
}  // namespace syncline
