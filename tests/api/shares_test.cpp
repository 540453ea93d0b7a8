// Shared spaces: every route of a space with each kind of guest, who may share, and what the end of a share does to
// what is open.
#include "base/text.hpp"
#include "support/example_requests.hpp"

namespace syncline {
namespace {

using test::Answer;

class SharesTest : public test::ExampleFixture {
 protected:
  SharesTest() {
    const ScopeSet all = scopes_of(Role::member);
    guest_ = add_key("bob@example.org", all, "guest");
    stranger_ = add_key("eve@example.org", all, "stranger");
    owner_number_ = access_.get_account("ann@example.org")->number.value;
    shared_ = "/v1/spaces/%40" + std::to_string(owner_number_) + "%2F";
    name_ = "@" + std::to_string(owner_number_) + "/";
  }

  Answer ask(const std::string& token, http::Method method, const std::string& target, const std::string& body = "") {
    return call({.method = method, .target = target, .token = token, .body = body});
  }
  Answer share(const std::string& space, const std::string& rights, const std::string& with = "bob@example.org") {
    Answer answer = ask(everything_, http::Method::put, "/v1/spaces/" + space + "/shares/" + with,
                        R"({"rights":")" + rights + "\"}");
    scheduler_.run_posted();
    return answer;
  }
  void unshare(const std::string& space) {
    EXPECT_EQ(ask(everything_, http::Method::del, "/v1/spaces/" + space + "/shares/bob@example.org").status, 204);
    scheduler_.run_posted();
  }
  Answer push(const std::string& token, const std::string& prefix, const std::string& id) {
    return ask(token, http::Method::post, prefix + "/push",
               R"({"ops":[{"collection":"c","id":")" + id + R"(","doc":{"by":"somebody"}}]})");
  }
  static bool is_in_space(const api::Route& route) {
    return route.space_param == "space" && route.pattern.find("/shares") == std::string_view::npos;
  }
  /// The route's example, in the shared space of the same name.
  test::RequestSpec as_guest(const api::Route& route, const std::string& token) {
    test::RequestSpec spec = request_for(route, token);
    constexpr std::string_view kSpaces = "/v1/spaces/";
    EXPECT_TRUE(spec.target.starts_with(kSpaces)) << spec.target;
    spec.target = shared_ + spec.target.substr(kSpaces.size());
    return spec;
  }

  std::string guest_, stranger_;
  std::int64_t owner_number_ = 0;
  std::string shared_;  // what paths of Ann's spaces begin with for others
  std::string name_;    // what their names begin with
};

TEST_F(SharesTest, every_route_of_a_space_lets_in_guests_as_far_as_they_may) {
  enum class Who : std::uint8_t { reader, writer, former, stranger };
  std::size_t tried = 0;
  for (const Who who : {Who::stranger, Who::reader, Who::writer, Who::former}) {
    for (const std::string space : {"s", "conflicts"}) {
      if (who == Who::reader) {
        EXPECT_EQ(share(space, "read").at("rights"), "read");
      } else if (who == Who::writer) {
        EXPECT_EQ(share(space, "write").at("rights"), "write");
      } else if (who == Who::former) {
        unshare(space);
      }
    }
    for (const api::Route& route : router_.routes()) {
      if (!is_in_space(route)) continue;
      const Answer answer = call(as_guest(route, who == Who::stranger ? stranger_ : guest_));
      const bool may = who == Who::writer || (who == Who::reader && route.any_of.has(Scope::read));
      EXPECT_EQ(answer.status < 300, may) << route.pattern << ' ' << answer.status << ' ' << answer.body;
      EXPECT_EQ(answer.status == 403, !may) << route.pattern;
      EXPECT_EQ(answer.at("code") == "forbidden", !may) << route.pattern;
      ++tried;
    }
  }
  EXPECT_EQ(tried, 4 * 10U);
}

TEST_F(SharesTest, a_stranger_cannot_tell_what_there_is) {
  (void)fill("{record}");
  const Answer there = ask(stranger_, http::Method::get, shared_ + "s/records/c/1");
  const Answer nowhere = ask(stranger_, http::Method::get, shared_ + "nowhere/records/c/1");
  const Answer nobody = ask(stranger_, http::Method::get, "/v1/spaces/%40999%2Fs/records/c/1");
  EXPECT_EQ(there.at("detail"), "the space '" + name_ + "s' is not shared with this account");
  EXPECT_EQ(nowhere.at("detail"), "the space '" + name_ + "nowhere' is not shared with this account");
  EXPECT_EQ(nobody.status, 403);
  EXPECT_EQ(nobody.at("code"), there.at("code"));
  EXPECT_EQ(ask(stranger_, http::Method::get, "/v1/spaces/%400%2Fsystem/changes").status, 400);
}

TEST_F(SharesTest, only_the_owner_shares_and_gives_no_more_than_its_key_has) {
  EXPECT_EQ(share("s", "write").status, 200);
  for (const auto& [method, target] : {std::pair{http::Method::get, shared_ + "s/shares"},
                                       std::pair{http::Method::put, shared_ + "s/shares/eve@example.org"},
                                       std::pair{http::Method::del, shared_ + "s/shares/bob@example.org"}}) {
    EXPECT_EQ(ask(guest_, method, target, R"({"rights":"read"})").status, 403) << target;
  }
  const auto put = [&](const std::string& token, const std::string& target, const std::string& rights) {
    return ask(token, http::Method::put, "/v1/spaces/" + target, R"({"rights":")" + rights + "\"}").status;
  };
  const std::string reader = add_key("ann@example.org", {Scope::keys, Scope::read});
  EXPECT_EQ(put(reader, "s/shares/eve@example.org", "write"), 403);
  EXPECT_EQ(put(reader, "s/shares/eve@example.org", "read"), 200);
  EXPECT_EQ(put(add_key("ann@example.org", {Scope::keys}), "s/shares/eve@example.org", "read"), 403);
  EXPECT_EQ(put(key_, "s/shares/eve@example.org", "read"), 403) << "needs the scope keys";
  const auto limited = access_.add_key("ann@example.org", "limited", scopes_of(Role::member), std::nullopt,
                                       {.spaces = *SpaceLimit::only({"t"})});
  EXPECT_EQ(put(limited->token, "s/shares/eve@example.org", "read"), 403);
  EXPECT_EQ(put(limited->token, "t/shares/eve@example.org", "read"), 200);
  EXPECT_EQ(put(everything_, "s/shares/nobody@example.org", "read"), 404);
  EXPECT_EQ(put(everything_, "s/shares/999", "read"), 404);
  EXPECT_EQ(put(everything_, "s/shares/ann@example.org", "read"), 400);
  EXPECT_EQ(put(everything_, "s/shares/bob@example.org", "all"), 400);
  const Answer list = ask(everything_, http::Method::get, "/v1/spaces/s/shares");
  EXPECT_EQ(list.at("shares.0.email"), "bob@example.org");
  EXPECT_EQ(list.at("shares.0.rights"), "write");
  EXPECT_EQ(list.at("shares.1.email"), "eve@example.org");
  const std::string number = list.at("shares.1.account");
  EXPECT_EQ(ask(everything_, http::Method::del, "/v1/spaces/s/shares/" + number).status, 204);
  EXPECT_EQ(ask(everything_, http::Method::del, "/v1/spaces/s/shares/" + number).status, 404);
}

TEST_F(SharesTest, a_guest_works_in_the_space_as_the_owner_does) {
  ASSERT_EQ(share("s", "write").status, 200);
  const std::string plain = "/v1/spaces/" + name_ + "s";
  for (const std::string path : {"/changes", "/collections", "/conflicts", "/records/c", "/records/c/none/history"}) {
    const auto answer = test::begin_request(router_, {.target = plain + path, .token = guest_});
    ASSERT_TRUE(answer.has_come());
    EXPECT_EQ(answer.get().status, path.ends_with("/history") ? 404 : 200) << path << ' ' << answer.get().body;
  }
  const Answer pushed = push(guest_, shared_ + "s", "1");
  ASSERT_EQ(pushed.status, 200) << pushed.body;
  EXPECT_EQ(get("/v1/spaces/s/records/c/1").at("doc.by"), "somebody");
  EXPECT_EQ(ask(guest_, http::Method::get, "/v1/spaces/s/records/c/1").status, 404) << "its own space is another one";
  EXPECT_EQ(get("/v1/spaces/s/records/c/1/history").at("versions.0.key_label"), "guest");
  const Answer list = ask(guest_, http::Method::get, "/v1/spaces");
  EXPECT_EQ(list.at("shared.0.name"), name_ + "s");
  EXPECT_EQ(list.at("shared.0.owner"), "ann@example.org");
  EXPECT_EQ(list.at("shared.0.rights"), "write");
  EXPECT_EQ(list.at("shared.0.cursor"), pushed.at("cursor"));
  EXPECT_EQ(list.at("spaces"), "[]");
  EXPECT_EQ(get("/v1/spaces/%40" + std::to_string(owner_number_) + "%2Fs/records/c/1").status, 200) << "its own";
}

TEST_F(SharesTest, a_key_for_some_spaces_reaches_a_shared_one_only_by_its_name) {
  ASSERT_EQ(share("s", "read").status, 200);
  const auto key = [&](const std::string& space) {
    return access_
        .add_key("bob@example.org", "limited", scopes_of(Role::member), std::nullopt,
                 {.spaces = *SpaceLimit::only({space})})
        ->token;
  };
  EXPECT_EQ(ask(key("s"), http::Method::get, shared_ + "s/changes").at("code"), "space_not_allowed");
  EXPECT_EQ(ask(key("s"), http::Method::get, "/v1/spaces").at("shared"), "[]");
  EXPECT_EQ(ask(key(name_ + "s"), http::Method::get, shared_ + "s/changes").status, 200);
  EXPECT_EQ(ask(key(name_ + "s"), http::Method::get, "/v1/spaces/s/changes").at("code"), "space_not_allowed");
  EXPECT_EQ(ask(key(name_ + "t"), http::Method::get, shared_ + "t/changes").at("code"), "forbidden");
}

TEST_F(SharesTest, a_guest_searches_the_memories_of_a_shared_agent) {
  const std::string memory = fill("{memory}");
  const std::string body = R"({"query":")" + memory + R"( remembered","space":")" + name_ + R"(kernle/claire"})";
  for (const std::string route : {"/search", "/memories/search"}) {
    EXPECT_EQ(ask(guest_, http::Method::post, route, body).status, 403);
    ASSERT_EQ(share("kernle%2Fclaire", "read").status, 200);
    const Answer found = ask(guest_, http::Method::post, route, body);
    EXPECT_EQ(found.status, 200) << found.body;
    EXPECT_NE(found.body.find(memory + " remembered"), std::string::npos) << found.body;
    EXPECT_EQ(ask(guest_, http::Method::post, route, R"({"query":"remembered"})").body.find(memory), std::string::npos)
        << "a search of its own";
    unshare("kernle%2Fclaire");
  }
  EXPECT_EQ(ask(guest_, http::Method::post, "/search", R"({"query":"x","space":"notes"})").status, 400);
}

/// What a guest has open.
class OpenShareTest : public SharesTest {
 protected:
  OpenShareTest() { EXPECT_EQ(share("s", "write").status, 200); }

  /// What the stream says now; "end" behind it if it has ended.
  static std::string read(http::BodySource& body) {
    std::string text;
    for (;;) {
      const auto next = body.next();
      if (std::holds_alternative<http::BodySource::End>(next)) return text + "end";
      const auto* chunk = std::get_if<http::BodySource::Chunk>(&next);
      if (chunk == nullptr) return text;
      text += *chunk->bytes;
    }
  }
  std::unique_ptr<http::BodySource> stream(const std::string& more = "") {
    http::Response response =
        test::take_response(router_, {.target = "/v1/events?spaces=" + name_ + "s" + more, .token = guest_});
    auto body = std::get<std::unique_ptr<http::BodySource>>(std::move(response.body));
    body->start({[] {}});
    return body;
  }
};

TEST_F(OpenShareTest, notices_name_the_space_as_the_guest_does) {
  const auto events = stream();
  (void)read(*events);
  const auto socket = test::watch_space(router_, guest_, name_ + "s");
  EXPECT_EQ(test::closed_with(*socket), 0);
  const std::string cursor = push(everything_, "/v1/spaces/s", "1").at("cursor");
  const std::string event = read(*events);
  EXPECT_NE(event.find(R"("space":")" + name_ + R"(s","cursor":")" + cursor), std::string::npos) << event;
  const auto next = socket->next();
  const auto* text = std::get_if<std::shared_ptr<const std::string>>(&next);
  ASSERT_NE(text, nullptr);
  EXPECT_NE((*text)->find(R"("space":")" + name_ + "s\""), std::string::npos) << **text;
  const std::string id = event.substr(event.find("id: ") + 4, event.find('\n') - 4);
  push(everything_, "/v1/spaces/s", "2");
  EXPECT_NE(read(*stream("&last_event_id=" + percent_encode(id))).find("event: change"), std::string::npos) << id;
}

TEST_F(OpenShareTest, the_end_of_a_share_ends_what_is_open_at_once) {
  const auto events = stream();
  (void)read(*events);
  const auto socket = test::watch_space(router_, guest_, name_ + "s");
  EXPECT_EQ(test::closed_with(*socket), 0);
  const auto poll = begin({.target = shared_ + "s/changes?wait=30", .token = guest_});
  const auto of_owner = begin({.target = "/v1/spaces/s/changes?wait=30", .token = key_});
  ASSERT_EQ(share("s", "read").status, 200);
  EXPECT_EQ(read(*events), "") << "who may read still reads";
  EXPECT_EQ(test::closed_with(*socket), 0);
  const auto again = begin({.target = shared_ + "s/changes?wait=30", .token = guest_});
  unshare("s");
  EXPECT_TRUE(read(*events).ends_with("end"));
  EXPECT_EQ(test::closed_with(*socket), 4003);
  ASSERT_TRUE(again.has_come());
  EXPECT_EQ(again.get().status, 403);
  ASSERT_TRUE(of_owner.has_come());
  EXPECT_EQ(of_owner.get().status, 200);
}

TEST_F(OpenShareTest, a_body_that_took_long_to_arrive_is_judged_by_what_is_shared_then) {
  test::LateBody late(router_, {.method = http::Method::post, .target = shared_ + "s/push", .token = guest_});
  ASSERT_FALSE(late.is_refused());
  unshare("s");
  late.arrive(R"({"ops":[{"collection":"c","id":"late","doc":{}}]})");
  scheduler_.run_posted();
  EXPECT_EQ(late.status(), 403);
  EXPECT_EQ(get("/v1/spaces/s/records/c/late").status, 404);
}

TEST_F(SharesTest, nobody_learns_addresses_by_counting_accounts) {
  const std::string bob = std::to_string(access_.get_account("bob@example.org")->number.value);
  const std::string shares = "/v1/spaces/s/shares/";
  EXPECT_EQ(ask(everything_, http::Method::put, shares + bob, R"({"rights":"read"})").status, 404);
  const Answer none = ask(everything_, http::Method::del, shares + bob);
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.body.find("bob@example.org"), std::string::npos) << none.body;
  ASSERT_EQ(share("s", "read").status, 200);
  EXPECT_EQ(ask(everything_, http::Method::put, shares + bob, R"({"rights":"write"})").status, 200);
  EXPECT_EQ(ask(everything_, http::Method::del, shares + bob).status, 204);
}

TEST_F(SharesTest, who_names_unknown_guests_keeps_nobody_from_ending_a_share) {
  ASSERT_EQ(share("s", "read").status, 200);
  for (int i = 0; i < 40; ++i) (void)share("s", "read", "nobody" + std::to_string(i) + "@example.org");
  EXPECT_EQ(share("s", "write").status, 429);
  unshare("s");
}

TEST_F(OpenShareTest, shares_end_before_the_data_of_their_owner_is_erased) {
  ASSERT_TRUE(access_.set_role("eve@example.org", Role::admin));
  int status = 0;
  Access remover{store_, service_clock_, {.on_change = {}, .on_erase = [&](AccountNumber) -> Result<> {
                                            status = push(guest_, shared_ + "s", "after the end").status;
                                            return {};
                                          }}};
  ASSERT_TRUE(remover.remove_account("ann@example.org"));
  EXPECT_EQ(status, 403);
  EXPECT_TRUE(store_.spaces(AccountNumber{owner_number_})->empty());
}

TEST_F(OpenShareTest, shares_go_with_either_account) {
  ASSERT_EQ(share("t", "read", "eve@example.org").status, 200);
  ASSERT_TRUE(access_.remove_account("bob@example.org"));
  EXPECT_EQ(ask(everything_, http::Method::get, "/v1/spaces/s/shares").at("shares"), "[]");
  EXPECT_EQ(ask(stranger_, http::Method::get, shared_ + "t/changes").status, 200);
  ASSERT_TRUE(access_.set_role("eve@example.org", Role::admin));
  ASSERT_TRUE(access_.remove_account("ann@example.org"));
  EXPECT_EQ(ask(stranger_, http::Method::get, shared_ + "t/changes").status, 403);
  EXPECT_EQ(ask(stranger_, http::Method::get, "/v1/spaces").at("shared"), "[]");
}

TEST_F(OpenShareTest, an_error_of_the_store_is_not_taken_for_the_end_of_a_share) {
  const test::RequestSpec spec{.target = shared_ + "s/changes", .token = guest_};
  EXPECT_EQ(call(spec).status, 200);
  for (std::int64_t passing = 0; passing < 2; ++passing) {
    store_.fail_reads_after(passing, 1);
    const Answer answer = call(spec);
    store_.stop_failing();
    EXPECT_EQ(answer.status, 503) << passing << answer.body;
  }
  const auto events = stream();
  (void)read(*events);
  store_.fail_reads_after(0);
  live_.notify_access_change();
  EXPECT_TRUE(std::holds_alternative<http::BodySource::Abort>(events->next()));
  store_.stop_failing();
}

}  // namespace
}  // namespace syncline
