// A node in one process: profiles with their threads, the API of the device, and a hub without sockets. For faults that
// only threads bring, so it is part of what the thread sanitizer runs; tests/process asks a real node the rest.
#include "api/local/face.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/faces.hpp"
#include "support/environment.hpp"
#include "support/in_process.hpp"
#include "support/manual_scheduler.hpp"

namespace syncline::local {
namespace {

constexpr std::array<std::string_view, 3> kProfiles = {"default", "home", "work"};
constexpr std::string_view kSpace = "kaisho";
constexpr int kPageRows = 200;

/// A hub whose first pull does not end before the test says so. Nothing here orders its callers: waiting for one of
/// them with a lock would also order what they do elsewhere, and so hide it from the thread sanitizer.
class EndlessHub {
 public:
  http::ClientFactory clients(const std::string& key) {
    return [this, &pages = pages_.at(key)] { return std::make_unique<Client>(*this, pages); };
  }

  /// Until the profile asks for its third page: the first one is stored, and the second one too or soon.
  [[nodiscard]] bool wait_until_pulling(std::string_view key) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (pages_.at(std::string(key)).load(std::memory_order_relaxed) < 3) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  void end_pulls() { is_over_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t rows(std::string_view key) const {
    return std::int64_t{pages_.at(std::string(key)).load(std::memory_order_relaxed)} * kPageRows;
  }

 private:
  using Pages = std::atomic<int>;

  class Client final : public http::Client {
   public:
    Client(const EndlessHub& hub, Pages& pages) : hub_(hub), pages_(pages) {}
    Result<http::ClientResponse> send(const http::ClientRequest& request, std::stop_token) override {
      return http::ClientResponse{200, hub_.answer(request.target, pages_), std::nullopt};
    }
    Result<http::ClientResponse> stream(const http::ClientRequest&, const std::function<void(std::string_view)>&,
                                        std::stop_token) override {
      return fail(ErrorCode::unavailable, "no streams here");
    }

   private:
    const EndlessHub& hub_;
    Pages& pages_;
  };

  std::string answer(std::string_view target, Pages& pages) const {
    if (target == "/sync/stats") return R"({"plan":"pro","email":"ann@example.org"})";
    if (target == "/v1/me") return "{}";
    if (target == "/v1/spaces") return R"({"spaces":[{"name":"kaisho"}]})";
    const bool is_over = is_over_.load(std::memory_order_relaxed);
    const int before = pages.load(std::memory_order_relaxed);
    if (!is_over) pages.store(before + 1, std::memory_order_relaxed);  // one page at a time is asked for
    return page(before * kPageRows, is_over ? 0 : kPageRows, !is_over);
  }

  static std::string page(int after, int rows, bool more) {
    std::string text;
    JsonWriter json(text);
    json.begin_object()
        .string("cursor", "e1." + std::to_string(after + rows))
        .boolean("more", more)
        .name("changes")
        .begin_array();
    for (int seq = after + 1; seq <= after + rows; ++seq) {
      json.begin_object()
          .string("collection", "entries")
          .string("id", "e" + std::to_string(seq))
          .integer("seq", seq)
          .string("updated_at", "2026-11-28T10:00:00.000000Z")
          .raw("doc", R"({"customer":"acme","start":"2026-11-28T09:00:00Z","end":"2026-11-28T10:00:00Z"})")
          .end_object();
    }
    json.end_array().end_object();
    return text;
  }

  std::map<std::string, Pages> pages_{[] {
    std::map<std::string, Pages> pages;
    for (const std::string_view name : kProfiles) pages.try_emplace(std::string(name), 0);
    return pages;
  }()};
  std::atomic<bool> is_over_ = false;
};

class NodeTest : public testing::Test {
 protected:
  NodeTest() {
    for (const std::string_view name : kProfiles) {
      const std::string path = directory_.path() + "/profiles/" + std::string(name);
      std::filesystem::create_directories(path);
      std::ofstream(path + "/settings.yaml")
          << "cloud_sync:\n  enabled: true\n  url: http://hub.example\n  api_key: " << name << "\n";
    }
    EXPECT_TRUE(node_.start());
  }

  test::Answer get(const std::string& target, std::string_view profile) {
    const auto pending =
        test::begin_request(local_, {.target = target,
                                     .token = "",
                                     .body = "",
                                     .headers = {{"Host", "127.0.0.1"}, {"X-Syncline-Profile", std::string(profile)}}});
    EXPECT_TRUE(pending.has_come());
    return pending.has_come() ? pending.get() : test::Answer{};
  }

  test::TemporaryDirectory directory_;
  SystemClock clock_;
  test::ManualScheduler scheduler_;
  EndlessHub hub_;
  const std::vector<api::FaceModule> faces_ = app::make_node_faces();
  const RuleBook rules_ = app::make_rule_book(faces_);
  node::Node node_{directory_.path(),
                   {.clock = clock_,
                    .scheduler = scheduler_,
                    .reach_hub = [this](const node::HubAddress& hub) { return hub_.clients(hub.key); },
                    .dialects = app::list_dialects(faces_),
                    .rules = rules_,
                    .first_spaces = app::list_fixed_spaces(faces_),
                    .searched = app::find_search_subject(faces_),
                    .on_broken_store = [](const Error& error) { FAIL() << error.text; }}};
  Face local_{node_, faces_, scheduler_, "test"};
};

TEST_F(NodeTest, the_first_request_may_come_during_a_pull) {
  for (const std::string_view name : kProfiles) ASSERT_TRUE(hub_.wait_until_pulling(name)) << name;
  for (const std::string_view name : kProfiles) {
    const test::Answer answer = get("/v1/spaces", name);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.at("spaces.0.name"), kSpace);
  }
  hub_.end_pulls();

  for (const std::string_view name : kProfiles) {
    const auto profile = node_.find(std::string(name));
    ASSERT_TRUE(profile);
    const replica::CycleReport report = (*profile)->connection().sync_now();
    EXPECT_TRUE(report.errors.empty()) << report.errors.front();
    EXPECT_EQ((*profile)->spaces().head({node::kLocalAccount, std::string(kSpace)}).value, hub_.rows(name));
  }
}

}  // namespace
}  // namespace syncline::local
