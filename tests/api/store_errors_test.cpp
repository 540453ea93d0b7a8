// What is said of a store that cannot be read: that, and nothing else. The routes come from the router's table, so a
// new one is asked without being listed here.
#include <algorithm>
#include <array>

#include "support/example_requests.hpp"

namespace syncline {
namespace {

using test::Answer;
using test::RequestSpec;

/// Further requests, for ways that the one example of a route does not take.
struct FurtherRequest {
  http::Method method;
  std::string_view target;
  std::string_view body;
  bool is_by_other_key = false;
};
constexpr auto kFurther = std::to_array<FurtherRequest>({
    {http::Method::get, "/sync", ""},
    {http::Method::get, "/v1/spaces/s/changes", ""},
    {http::Method::get, "/v1/spaces/s/conflicts?state=all", ""},
    {http::Method::post, "/v1/spaces/s/conflicts/1", R"({"action":"dismiss"})"},
    {http::Method::patch, "/command/{running}", R"({"status":"processing"})", true},
    {http::Method::post, "/sync/full", R"({"stack_id":"claire"})"},
    {http::Method::post, "/sync/pull", R"({"stack_id":"claire"})"},
    {http::Method::post, "/auth/login", R"({"api_key":"{api_key}"})"},
    {http::Method::post, "/auth/login", R"({"email":"nobody@example.org","password":"correct horse"})"},
    {http::Method::post, "/auth/register", R"({"email":"ann@example.org"})"},
    {http::Method::post, "/auth/signup", R"({"email":"ann@example.org","password":"correct horse"})"},
});

class StoreErrorsTest : public test::ExampleFixture {
 protected:
  enum class KeyIs : std::uint8_t { known, unknown };

  void prepare(KeyIs key, const RequestSpec& spec) {
    if (key == KeyIs::unknown) {
      ASSERT_TRUE(access_.set_plan("ann@example.org", Plan::pro));  // after it no key is remembered
    } else if (!spec.token.empty()) {
      (void)access_.authenticate(spec.token);
    }
  }

  /// Asks again and again, with one read more that succeeds each time (at most so many), until none fails: behind them
  /// one read fails, or all do. Whoever takes one failure for an answer is found by the first, for the next read works.
  /// Returns how many reads there are.
  std::int64_t sweep(const RequestSpec& spec, KeyIs key, std::int64_t passing_max = INT64_MAX) {
    for (std::int64_t passing = 0;; passing += 1 + passing / 20) {
      if (passing > passing_max) return passing;
      for (const std::int64_t count : {INT64_MAX, std::int64_t{1}}) {
        prepare(key, spec);
        store_.fail_reads_after(passing, count);
        const auto pending = begin(spec);
        scheduler_.run_posted();
        const std::int64_t failed = store_.failed();
        store_.stop_failing();
        const std::string what = std::string(http::to_text(spec.method)) + ' ' + spec.target + ' ' + spec.body + ", " +
                                 std::to_string(passing) + " reads succeed";
        if (!pending.has_come()) {
          ADD_FAILURE() << what << ": no answer";
          return passing;
        }
        if (failed == 0) return passing;
        const bool has_entry_waiting = access_.audit().has_waiting();
        EXPECT_TRUE(access_.audit().flush());
        if (is_kept_in_reserve(spec, pending.get())) continue;
        // It was done, but the log of that could not be written: the entry follows with the next write.
        if (has_entry_waiting && pending.get().status < 500) continue;
        if (!expect_store_error(pending.get(), what)) return passing;
      }
    }
  }

  /// A revocation succeeds although its write failed: the store has a place for it that needs no such read.
  bool is_kept_in_reserve(const RequestSpec& spec, const Answer& answer) {
    if (answer.status != 204 || spec.method != http::Method::del) return false;
    if (spec.target == "/v1/session") return !access_.authenticate(spec.token);
    const auto keys_at = spec.target.find("/keys/");
    if (keys_at == std::string::npos) return false;
    const std::string id = spec.target.substr(keys_at + std::string_view("/keys/").size());
    const auto keys = access_.keys(std::nullopt);
    const auto found = std::ranges::find(*keys, id, &Key::id);
    EXPECT_TRUE(found != keys->end() && found->revoked_at) << id;
    return true;
  }

  /// False if it is something else, which is a failure of the test.
  static bool expect_store_error(const Answer& answer, const std::string& what) {
    const bool comes_again = answer.is_cut || answer.close_code == 1013;
    const bool says_so = answer.status == 503 && answer.at("code") == "unavailable" &&
                         answer.headers.contains("Retry-After") && !answer.headers.contains("WWW-Authenticate");
    EXPECT_TRUE(comes_again || says_so) << what << ": " << answer.status << ' ' << answer.body;
    return comes_again || says_so;
  }

  /// Registers what is open for its key, has the key checked again while nothing can be read, and returns the answer.
  Answer answer_of_wait(const RequestSpec& spec) {
    const auto pending = begin(spec);
    scheduler_.run_posted();
    EXPECT_FALSE(pending.has_come()) << spec.target << " does not wait: " << pending.get().body;
    store_.fail_reads_after(0);
    live_.notify_access_change();
    scheduler_.run_posted();
    store_.stop_failing();
    EXPECT_TRUE(pending.has_come()) << spec.target;
    return pending.get();
  }
};

TEST_F(StoreErrorsTest, every_route_answers_503_whichever_read_fails) {
  for (const api::Route& route : router_.routes()) {
    SCOPED_TRACE(route.pattern);
    clock_.advance_micros(16L * 60 * kMicrosPerSecond);  // logins are limited in a quarter of an hour
    const bool is_open = route.any_of.empty();
    const auto tokens = is_open ? std::vector<std::string>{""} : std::vector{everything_, open_session()};
    for (const std::string& token : tokens) {
      const RequestSpec spec = request_for(route, token);
      const std::int64_t passing_max = test::is_alias(route) ? 0 : INT64_MAX;
      if (!is_open) {
        EXPECT_GT(sweep(spec, KeyIs::unknown, passing_max), 0) << "the key is looked up";
      }
      const std::int64_t reads = sweep(spec, KeyIs::known, passing_max);
      EXPECT_TRUE(reads > 0 || test::answers_without_reading(route)) << "the route needs an example that reads";
    }
  }
}

TEST_F(StoreErrorsTest, so_do_other_requests_to_them) {
  (void)fill("{conflict}{record}");
  for (const FurtherRequest& further : kFurther) {
    const RequestSpec spec{.method = further.method,
                           .target = fill(further.target),
                           .token = further.target.starts_with("/auth/") ? ""
                                    : further.is_by_other_key            ? other_
                                                                         : key_,
                           .body = fill(further.body),
                           .headers = {}};
    EXPECT_GT(sweep(spec, KeyIs::unknown), 0) << spec.target;
    (void)sweep(spec, KeyIs::known);
  }
  const RequestSpec metrics{.target = "/metrics", .token = everything_};
  EXPECT_GT(sweep(metrics, KeyIs::unknown), 0);
}

TEST_F(StoreErrorsTest, an_account_that_cannot_be_read_is_not_replaced) {
  const auto before = access_.get_account("ann@example.org");
  const RequestSpec spec{
      .method = http::Method::post, .target = "/auth/register", .body = R"({"email":"ann@example.org"})"};
  (void)sweep(spec, KeyIs::known);
  EXPECT_EQ(access_.get_account("ann@example.org")->number, before->number);
  EXPECT_EQ(get("/v1/me").status, 200);
}

TEST_F(StoreErrorsTest, a_token_whose_owner_cannot_be_read_is_not_given_to_another) {
  ASSERT_TRUE(access_.add_account("bob@example.org", Plan::pro));
  ASSERT_TRUE(access_.add_key("ann@example.org", "a", {Scope::read}, "a-token-of-anns"));
  for (std::int64_t passing = 0; passing < 12; ++passing) {
    store_.fail_reads_after(passing, 1);
    EXPECT_FALSE(access_.add_key("bob@example.org", "b", {Scope::read}, "a-token-of-anns")) << passing;
    store_.stop_failing();
  }
  EXPECT_EQ((*access_.authenticate("a-token-of-anns"))->email, "ann@example.org");
}

TEST_F(StoreErrorsTest, a_failed_read_is_no_failed_attempt) {
  const std::string password = R"({"email":"cleo@example.org","password":"correct horse"})";
  const std::string reset = R"({"token":"slreset_nonsense","password":"correct horse"})";
  const auto from_afar = [&](const std::string& route, const std::string& body, const std::string& token = "") {
    return call({.method = http::Method::post, .target = "/auth/" + route, .token = token, .body = body});
  };
  for (int i = 0; i < 30; ++i) {
    store_.fail_reads_after(i % 3, 1);
    EXPECT_EQ(from_afar("login", password).status, 503);
  }
  store_.fail_reads_after(1, 1);
  EXPECT_EQ(from_afar("reset-password", reset).status, 503);
  store_.stop_failing();
  EXPECT_EQ(from_afar("login", password).status, 200) << "nobody has guessed";
}

TEST_F(StoreErrorsTest, waiting_requests_answer_503) {
  const std::string running = fill("{running}");
  for (const std::string target : {"/v1/spaces/s/changes?wait=30", "/sync?wait=30", "/command/x?wait=30"}) {
    RequestSpec spec{.target = target, .token = key_};
    if (const std::size_t at = target.find('x'); at != std::string::npos) spec.target.replace(at, 1, running);
    expect_store_error(answer_of_wait(spec), target);
  }
  expect_store_error(answer_of_wait({.method = http::Method::post, .target = "/command/claim?wait=30", .token = key_}),
                     "claim");
  const std::string pairing = as(everything_, http::Method::post, "/v1/pairings").at("id");
  expect_store_error(answer_of_wait({.target = "/v1/pairings/" + pairing + "?wait=30", .token = everything_}), pairing);
}

TEST_F(StoreErrorsTest, sockets_close_so_that_clients_come_again) {
  struct Case {
    std::string target;
    std::string auth;
  };
  for (const Case& one : {Case{"/v1/live", R"({"type":"auth","key":")" + key_ + "\"}"},
                          Case{"/ws", R"({"type":"auth","api_key":")" + key_ + "\"}"}}) {
    const auto closed_with = [](http::WebSocketSession& session) -> int {
      for (;;) {
        const auto next = session.next();
        if (const auto* close = std::get_if<http::WebSocketSession::Close>(&next)) return close->code;
        if (std::holds_alternative<std::monostate>(next)) return 0;
      }
    };
    const auto open = [&] {
      auto session = test::take_response(router_, {.target = one.target}).upgrade;
      session->start({[] {}});
      return session;
    };
    ASSERT_TRUE(access_.set_plan("ann@example.org", Plan::pro));
    const auto unread = open();
    store_.fail_reads_after(0);
    unread->on_text(one.auth);
    EXPECT_EQ(closed_with(*unread), 1013) << one.target << ": the first message";
    store_.stop_failing();

    const auto session = open();
    session->on_text(one.auth);
    EXPECT_EQ(closed_with(*session), 0) << one.target;
    store_.fail_reads_after(0);
    live_.notify_access_change();
    EXPECT_EQ(closed_with(*session), 1013) << one.target << ": a change of keys";
    store_.stop_failing();

    const auto stranger = open();
    stranger->on_text(R"({"type":"auth","key":"nobody-has-it","api_key":"nobody-has-it"})");
    EXPECT_EQ(closed_with(*stranger), 4001) << one.target << ": what the store says";
  }
}

TEST_F(StoreErrorsTest, a_socket_that_cannot_read_a_cursor_does_not_say_reset) {
  (void)fill("{record}{record}");
  auto session = test::take_response(router_, {.target = "/v1/live", .token = key_}).upgrade;
  session->start({[] {}});
  EXPECT_TRUE(std::holds_alternative<std::monostate>(session->next()));
  store_.fail_reads_after(0);
  session->on_text(R"({"type":"watch","spaces":{"s":"e1.1"}})");
  const auto next = session->next();
  store_.stop_failing();
  ASSERT_TRUE(std::holds_alternative<http::WebSocketSession::Close>(next));
  EXPECT_EQ(std::get<http::WebSocketSession::Close>(next).code, 1013);
}

TEST_F(StoreErrorsTest, open_streams_are_cut) {
  using Source = std::unique_ptr<http::BodySource>;
  const std::string running = fill("{running}");
  for (const std::string& target : {std::string("/v1/events?spaces=s"), "/command/" + running + "/output"}) {
    const http::Response response = test::take_response(router_, {.target = target, .token = key_});
    ASSERT_TRUE(std::holds_alternative<Source>(response.body)) << target << ' ' << response.status;
    http::BodySource& source = *std::get<Source>(response.body);
    source.start({[] {}});
    while (std::holds_alternative<http::BodySource::Chunk>(source.next())) {
    }
    store_.fail_reads_after(0);
    live_.notify_access_change();
    EXPECT_TRUE(std::holds_alternative<http::BodySource::Abort>(source.next())) << target;
    store_.stop_failing();
  }
}

TEST_F(StoreErrorsTest, the_output_of_a_command_that_cannot_be_read_does_not_end) {
  const std::string running = fill("{running}");
  const http::Response response =
      test::take_response(router_, {.target = "/command/" + running + "/output", .token = key_});
  http::BodySource& source = *std::get<std::unique_ptr<http::BodySource>>(response.body);
  source.start({[] {}});
  while (std::holds_alternative<http::BodySource::Chunk>(source.next())) {
  }
  store_.fail_reads_after(0);
  EXPECT_TRUE(std::holds_alternative<http::BodySource::Abort>(source.next()));
  store_.stop_failing();
}

}  // namespace
}  // namespace syncline
