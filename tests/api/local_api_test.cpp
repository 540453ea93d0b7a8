// The API of a device without a hub, from a node with real stores in this process: each answer must be what the node's
// own /openapi.json says. Threads answer, so each answer is waited for.
#include <gtest/gtest.h>

#include <future>

#include "api/local/face.hpp"
#include "app/faces.hpp"
#include "net/workers.hpp"
#include "support/environment.hpp"
#include "support/published_api.hpp"

namespace syncline::local {
namespace {

/// On threads of its own; no timer ever fires.
class WorkerScheduler final : public Scheduler, public Executor {
 public:
  void post(std::move_only_function<void()> run) override { workers_.post(std::move(run)); }
  std::unique_ptr<Timer> after_ms(std::int64_t, std::move_only_function<void()>) override {
    return std::make_unique<Timer>();
  }
  void stop() { workers_.stop(); }

 private:
  net::Workers workers_{1};
};

class LocalApiTest : public testing::Test {
 public:
  ~LocalApiTest() override { scheduler_.stop(); }

 protected:
  LocalApiTest() { EXPECT_TRUE(node_.start()); }

  test::Answer ask(http::Method method, const std::string& target, const std::string& body = "") {
    const test::RequestSpec spec{
        .method = method, .target = target, .token = "", .body = body, .headers = {{"Host", "127.0.0.1"}}};
    const auto answered = std::make_shared<std::promise<test::Answer>>();
    auto answer = answered->get_future();
    requests_.push_back(
        test::begin_request(local_, spec, [answered](const test::Answer& of) { answered->set_value(of); }));
    if (answer.wait_for(std::chrono::seconds(60)) != std::future_status::ready) {
      ADD_FAILURE() << "no answer to " << target;
      return {};
    }
    return answer.get();
  }

  /// The answer must have that status, and be one that /openapi.json describes.
  test::Answer expect(int status, http::Method method, const std::string& target, const std::string& body = "") {
    const test::Answer answer = ask(method, target, body);
    const std::string what = std::string(http::to_text(method)) + ' ' + target;
    EXPECT_EQ(answer.status, status) << what << ": " << answer.body;
    const auto api = test::PublishedApi::read(ask(http::Method::get, "/openapi.json").body);
    const test::RequestSpec spec{.method = method, .target = target, .token = "", .body = body};
    for (const std::string& fault : api->faults(spec, answer)) ADD_FAILURE() << what << ": " << fault;
    return answer;
  }

  test::TemporaryDirectory directory_;
  SystemClock clock_;
  WorkerScheduler scheduler_;
  const std::vector<api::FaceModule> faces_ = app::make_node_faces();
  const RuleBook rules_ = app::make_rule_book(faces_);
  std::vector<test::PendingAnswer> requests_;  // longer than the threads that answer them
  node::Node node_{directory_.path(),
                   {.clock = clock_,
                    .scheduler = scheduler_,
                    .reach_hub = [](const node::HubAddress&) -> Result<http::ClientFactory> {
                      return fail(ErrorCode::unavailable, "there is no hub");
                    },
                    .dialects = app::list_dialects(faces_),
                    .rules = rules_,
                    .first_spaces = app::list_fixed_spaces(faces_),
                    .searched = app::find_search_subject(faces_),
                    .on_broken_store = [](const Error& error) { FAIL() << error.text; }}};
  Face local_{node_, faces_, scheduler_, "test"};
};

constexpr auto kGet = http::Method::get;
constexpr auto kPost = http::Method::post;
constexpr auto kPatch = http::Method::patch;
constexpr auto kDelete = http::Method::del;

TEST_F(LocalApiTest, its_schemas_are_complete_and_of_known_keywords) {
  const auto api = test::PublishedApi::read(ask(kGet, "/openapi.json").body);
  for (const std::string& fault : api->faults_of_schemas()) ADD_FAILURE() << fault;
}

TEST_F(LocalApiTest, profiles_answer_as_described) {
  expect(200, kPost, "/profiles", R"({"name":"work"})");
  expect(409, kPost, "/profiles", R"({"name":"work"})");
  expect(400, kPost, "/profiles", R"({"name":"a b"})");
  expect(200, kGet, "/profiles");
  expect(200, kPost, "/profiles/work/use");
  expect(409, kDelete, "/profiles/work");
  expect(200, kPost, "/profiles/default/use");
  expect(200, kDelete, "/profiles/work");
  expect(404, kDelete, "/profiles/work");
}

TEST_F(LocalApiTest, the_connection_answers_as_described) {
  expect(200, kGet, "/api/cloud-sync/status");
  expect(422, kPost, "/api/cloud-sync/connect", "{}");
  expect(503, kPost, "/api/cloud-sync/connect", R"({"url":"http://127.0.0.1:1","api_key":"k"})");
  expect(200, kPost, "/api/cloud-sync/disconnect", R"({"wipe":false})");
  expect(200, kGet, "/api/cloud-sync/ai-usage");
  expect(200, kPost, "/api/cloud-sync/sync-now");
  expect(200, kGet, "/api/cloud-sync/active");
  expect(400, kPost, "/api/cloud-sync/stop-cloud-timer");
  expect(200, kGet, "/api/cloud-sync/pending");
  expect(200, kPost, "/api/cloud-sync/triage", R"({"entries":[]})");
  expect(422, kPost, "/api/cloud-sync/triage", R"({"entries":[{}]})");
}

TEST_F(LocalApiTest, rows_and_customers_answer_as_described) {
  for (const std::string path : {"/api/inbox", "/api/tasks", "/api/notes", "/api/projects"}) {
    const std::string row = path + '/' + expect(201, kPost, path, R"({"name":"n","title":"t"})").at("id");
    expect(200, kGet, path);
    expect(200, kGet, row);
    expect(200, kPatch, row, R"({"customer":"Acme"})");
    expect(204, kDelete, row);
    expect(404, kGet, row);
  }
  expect(201, kPost, "/api/customers", R"({"name":"Acme"})");
  expect(409, kPost, "/api/customers", R"({"name":"Acme"})");
  expect(200, kGet, "/api/customers");
  expect(200, kPatch, "/api/customers/Acme", R"({"color":"red"})");
  expect(204, kDelete, "/api/customers/Acme");
  expect(201, kPost, "/api/clocks/start", R"({"customer":"Acme"})");
  expect(200, kPost, "/api/clocks/stop");
}

TEST_F(LocalApiTest, the_memory_of_an_agent_answers_as_described) {
  const std::string agent = "?agent_id=claire";
  const std::string id = expect(201, kPost, "/memory/notes" + agent, R"({"content":"Check the logs first"})").at("id");
  expect(200, kGet, "/memory/notes" + agent);
  expect(200, kGet, "/memory/notes/" + id + agent);
  expect(200, kPatch, "/memory/notes/" + id + agent, R"({"content":"Check the logs"})");
  expect(200, kGet, "/memory/search" + agent + "&q=logs");
  expect(400, kGet, "/memory/search" + agent);
  expect(200, kGet, "/sync/status" + agent);
  expect(400, kGet, "/sync/status");
  expect(200, kGet, "/sync/deadletters" + agent);
  expect(200, kPost, "/sync/deadletters/retry", R"({"agent_id":"claire"})");
  for (const std::string path : {"/sync/push", "/sync/pull", "/sync/full"}) {
    expect(503, kPost, path, R"({"agent_id":"claire"})");
  }
  expect(204, kDelete, "/memory/notes/" + id + agent);
  expect(404, kGet, "/memory/nothing" + agent);
}

}  // namespace
}  // namespace syncline::local
