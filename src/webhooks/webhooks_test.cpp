// Signatures, which addresses are reached, and what the sender makes of receivers that answer, fail and are gone.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "base/mutex.hpp"
#include "service/spaces.hpp"
#include "store/memory/memory_store.hpp"
#include "support/manual_scheduler.hpp"
#include "webhooks/address_guard.hpp"
#include "webhooks/sender.hpp"
#include "webhooks/signature.hpp"

namespace syncline::webhooks {
namespace {

TEST(Signature, matches_the_published_example) {
  EXPECT_EQ(sign({"whsec_plJ3nmyCDGBKInavdOK15jsl"}, "msg_loFOjxBNrRLzqYUf", 1731705121,
                 R"({"event_type":"ping","data":{"success":true}})"),
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
}

TEST(Signature, has_one_part_per_secret) {
  const std::string both = sign({make_secret(), make_secret()}, "msg_1", 1, "{}");
  EXPECT_EQ(std::ranges::count(both, ' '), 1);
}

TEST(Signature, secrets_must_have_the_published_form) {
  EXPECT_TRUE(check_secret(make_secret()));
  EXPECT_FALSE(check_secret("whsec_c2hvcnQ="));
  EXPECT_FALSE(check_secret("plJ3nmyCDGBKInavdOK15jsl"));
}

std::string v4(unsigned char a, unsigned char b, unsigned char c, unsigned char d) {
  return {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c), static_cast<char>(d)};
}

std::string v6(std::initializer_list<unsigned> words) {
  std::string bytes;
  for (const unsigned word : words) {
    bytes += static_cast<char>(word >> 8U);
    bytes += static_cast<char>(word & 0xFFU);
  }
  return bytes;
}

TEST(AddressGuard, allows_only_public_addresses) {
  EXPECT_TRUE(is_public_address(v4(8, 8, 8, 8)));
  EXPECT_TRUE(is_public_address(v6({0x2606, 0x4700, 0, 0, 0, 0, 0, 1})));
  for (const std::string& address :
       {v4(127, 0, 0, 1), v4(10, 1, 2, 3), v4(172, 31, 0, 1), v4(192, 168, 1, 1), v4(169, 254, 169, 254),
        v4(100, 64, 0, 1), v4(0, 0, 0, 0), v4(224, 0, 0, 1), v4(255, 255, 255, 255)}) {
    EXPECT_FALSE(is_public_address(address));
  }
  EXPECT_FALSE(is_public_address(v6({0, 0, 0, 0, 0, 0, 0, 1})));
  EXPECT_FALSE(is_public_address(v6({0xFE80, 0, 0, 0, 0, 0, 0, 1})));
  EXPECT_FALSE(is_public_address(v6({0xFD00, 0, 0, 0, 0, 0, 0, 1})));
  EXPECT_FALSE(is_public_address(v6({0, 0, 0, 0, 0, 0xFFFF, 0x7F00, 1}))) << "127.0.0.1 in the clothes of IPv6";
  EXPECT_FALSE(is_public_address(v6({0x64, 0xFF9B, 0, 0, 0, 0, 0x0A00, 1}))) << "10.0.0.1 behind NAT64";
  EXPECT_FALSE(is_public_address(v6({0x2002, 0x7F00, 1, 0, 0, 0, 0, 1}))) << "6to4";
  EXPECT_FALSE(is_public_address(""));
}

TEST(AddressGuard, allows_the_networks_that_the_operator_lists) {
  const auto guard = AddressGuard::make({"127.0.0.1", "10.1.0.0/16", "::1"});
  ASSERT_TRUE(guard);
  EXPECT_TRUE(guard->allows(v4(127, 0, 0, 1)));
  EXPECT_FALSE(guard->allows(v4(127, 0, 0, 2)));
  EXPECT_TRUE(guard->allows(v4(10, 1, 255, 1)));
  EXPECT_FALSE(guard->allows(v4(10, 2, 0, 1)));
  EXPECT_TRUE(guard->allows(v6({0, 0, 0, 0, 0, 0, 0, 1})));
  for (const char* bad : {"localhost", "10.0.0.0/33", "10.0.0/8", "::1/129", ""}) {
    EXPECT_FALSE(AddressGuard::make({bad})) << bad;
  }
}

TEST(WebhookUrl, must_be_http_with_a_host_and_no_user_name) {
  EXPECT_TRUE(check_url("https://app.example/hook?x=1"));
  EXPECT_TRUE(check_url("http://127.0.0.1:9/x"));
  for (const char* bad : {"", "ftp://h/", "file:///etc/passwd", "https://", "https:///x", "https://u:p@h/",
                          "https://h/#f", "https://h /", "gopher://h", "https://:80/"}) {
    EXPECT_FALSE(check_url(bad)) << bad;
  }
}

/// Receivers that answer what the test says, in order; 200 when it says no more.
class SenderTest : public testing::Test {
 protected:
  struct Post {
    std::string url;
    http::ClientRequest request;
    [[nodiscard]] std::string header(std::string_view name) const {
      for (const http::Header& header : request.headers) {
        if (header.name == name) return header.value;
      }
      return "";
    }
  };

  class Receiver final : public http::Client {
   public:
    Receiver(SenderTest& test, std::string url) : test_(test), url_(std::move(url)) {}
    Result<http::ClientResponse> send(const http::ClientRequest& request, std::stop_token) override {
      const MutexLock lock(test_.mutex_);
      test_.posts_.push_back({url_, request});
      if (test_.answers_.empty()) return http::ClientResponse{200, "", std::nullopt};
      http::ClientResponse answer = test_.answers_.front();
      test_.answers_.pop_front();
      if (answer.status == 0) return fail(ErrorCode::timed_out, "no answer in time");
      return answer;
    }
    Result<http::ClientResponse> stream(const http::ClientRequest&, const std::function<void(std::string_view)>&,
                                        std::stop_token) override {
      return fail(ErrorCode::internal, "nobody streams here");
    }

   private:
    SenderTest& test_;
    const std::string url_;
  };

  SenderTest() {
    subscriptions_.on_wake([this] { sender_.wake(); });
    EXPECT_TRUE(store_.directory().write([](DirectoryTxn& txn) -> Result<> {
      for (const std::int64_t number : {1, 2}) {
        CHECK_OK(txn.put_account({.number = {number},
                                  .email = std::to_string(number) + "@example.org",
                                  .created_at = txn.now(),
                                  .password = {},
                                  .api_key = {},
                                  .doc = "{}"}));
      }
      return {};
    }));
  }

  void write(const std::string& id) {
    const auto written = spaces_.write_and_wait(space_, KeyNumber{1}, [&](SpaceWriter& writer) -> Result<> {
      TRY([[maybe_unused]] const auto result,
          writer.apply({.collection = "c", .id = id, .updated_at = std::nullopt, .base = std::nullopt, .doc = "{}"}));
      return {};
    });
    ASSERT_TRUE(written);
  }

  void work() {
    while (sender_.step()) {
    }
  }
  void pass(std::int64_t seconds) {
    clock_.advance_micros(seconds * kMicrosPerSecond);
    work();
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  MemoryStore store_{clock_, "e1"};
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  PullProgress progress_{store_};
  const RuleBook rules_{{}};
  Subscriptions subscriptions_{store_, {kConflictDetected, kRecordChanged}};
  Spaces spaces_{store_, clock_, live_, progress_, rules_, &subscriptions_};
  DeliveryQueue queue_{store_};
  Sender sender_{store_,
                 queue_,
                 subscriptions_,
                 clock_,
                 {.connect = [this](const std::string& url) { return std::make_unique<Receiver>(*this, url); },
                  .retry_s = {5, 300}}};
  const SpaceName space_{AccountNumber{1}, "s"};
  Mutex mutex_;
  std::vector<Post> posts_;
  std::deque<http::ClientResponse> answers_;
};

TEST_F(SenderTest, posts_each_event_signed_and_once) {
  const auto webhook = subscriptions_.add({1}, "https://app.example/hook", {kRecordChanged}, "");
  ASSERT_TRUE(webhook);
  write("a");
  work();
  ASSERT_EQ(posts_.size(), 1U);
  const Post& post = posts_.front();
  EXPECT_EQ(post.url, "https://app.example/hook");
  EXPECT_EQ(post.header("webhook-id"), "msg_e1_1_1800000000000000");
  EXPECT_EQ(post.header("webhook-signature"),
            sign({webhook->secret}, post.header("webhook-id"), 1'800'000'000, post.request.body));
  const JsonView body(post.request.body);
  EXPECT_EQ(body.text_of("type"), "record.changed");
  EXPECT_EQ(body.find("data")->text_of("record_id"), "a");
  EXPECT_EQ(body.find("data")->text_of("space"), "s");
  work();
  EXPECT_EQ(posts_.size(), 1U);
  EXPECT_TRUE(store_.take_events(10)->empty());
  EXPECT_EQ(queue_.list(webhook->id, 10)->front().state, Delivery::State::delivered);
}

TEST_F(SenderTest, sends_only_subscribed_events_of_the_own_account) {
  ASSERT_TRUE(subscriptions_.add({1}, "https://a.example/", {kConflictDetected}, ""));
  ASSERT_TRUE(subscriptions_.add({2}, "https://b.example/", {kRecordChanged}, ""));
  write("a");
  work();
  EXPECT_TRUE(posts_.empty());
}

TEST_F(SenderTest, retries_with_the_same_id_then_disables_the_webhook_with_a_reason) {
  const auto webhook = subscriptions_.add({1}, "https://app.example/", {kRecordChanged}, "");
  answers_ = {{500, "", std::nullopt}, {0, "", std::nullopt}, {302, "", std::nullopt}};
  write("a");
  work();
  EXPECT_EQ(posts_.size(), 1U);
  pass(1);
  EXPECT_EQ(posts_.size(), 1U) << "not before its time";
  pass(5);
  EXPECT_EQ(posts_.size(), 2U);
  EXPECT_EQ(posts_[1].header("webhook-id"), posts_[0].header("webhook-id"));
  EXPECT_NE(posts_[1].header("webhook-timestamp"), posts_[0].header("webhook-timestamp"));
  pass(340);
  EXPECT_EQ(posts_.size(), 3U);
  const auto standing = subscriptions_.find(std::nullopt, webhook->id);
  EXPECT_FALSE(standing->enabled);
  EXPECT_NE(standing->disabled_because.find("answered 302"), std::string::npos) << "a redirect is no success";
  EXPECT_EQ(queue_.list(webhook->id, 10)->front().state, Delivery::State::failed);
  pass(100'000);
  EXPECT_EQ(posts_.size(), 3U);
  // The owner mends it and sends what had failed.
  ASSERT_TRUE(subscriptions_.change(AccountNumber{1}, webhook->id, {.url = {}, .events = {}, .enabled = true}));
  EXPECT_EQ(queue_.replay_failed(webhook->id), 1);
  work();
  EXPECT_EQ(posts_.size(), 4U);
}

TEST_F(SenderTest, a_recovered_receiver_gets_all_missed_events) {
  const auto webhook = subscriptions_.add({1}, "https://app.example/", {kRecordChanged}, "");
  answers_ = {{503, "", std::nullopt}, {503, "", std::nullopt}};
  for (const char* id : {"a", "b", "c"}) write(id);
  work();
  EXPECT_EQ(posts_.size(), 1U) << "the others need not find out for themselves";
  pass(7);  // again in vain
  pass(7);
  std::set<std::string> ids;
  for (const Post& post : posts_) ids.insert(post.header("webhook-id"));
  EXPECT_EQ(ids.size(), 3U);
  const auto deliveries = queue_.list(webhook->id, 10);
  ASSERT_TRUE(deliveries);
  for (const Delivery& delivery : *deliveries) {
    EXPECT_EQ(delivery.state, Delivery::State::delivered) << delivery.message;
  }
}

TEST_F(SenderTest, retry_after_is_honoured_and_410_is_final) {
  const auto webhook = subscriptions_.add({1}, "https://app.example/", {kRecordChanged}, "");
  answers_ = {{429, "", 60}, {410, "", std::nullopt}};
  write("a");
  work();
  write("b");
  pass(30);
  EXPECT_EQ(posts_.size(), 1U);
  pass(40);
  EXPECT_EQ(posts_.size(), 2U);
  EXPECT_FALSE(subscriptions_.find(std::nullopt, webhook->id)->enabled);
}

TEST_F(SenderTest, one_bad_message_does_not_disable_the_webhook) {
  const auto webhook = subscriptions_.add({1}, "https://app.example/", {kRecordChanged}, "");
  write("good");
  work();
  for (int i = 0; i < 6; ++i) {
    answers_ = {{500, "", std::nullopt}};  // the oldest that is due: the bad one
    if (i == 0) write("bad");
    work();
    pass(6);
    write("good");
    pass(6);
  }
  EXPECT_TRUE(subscriptions_.find(std::nullopt, webhook->id)->enabled);
}

TEST_F(SenderTest, enabling_sends_queued_events) {
  const auto webhook = subscriptions_.add({1}, "https://app.example/", {kRecordChanged}, "");
  answers_ = {{500, "", std::nullopt}, {500, "", std::nullopt}, {410, "", std::nullopt}};
  write("a");
  work();
  pass(6);
  write("b");
  pass(6);
  ASSERT_FALSE(subscriptions_.find(std::nullopt, webhook->id)->enabled);
  ASSERT_TRUE(subscriptions_.change(AccountNumber{1}, webhook->id, {.url = {}, .events = {}, .enabled = true}));
  ASSERT_TRUE(queue_.retry_now(webhook->id));
  pass(6);
  const auto first = queue_.list(webhook->id, 10);
  EXPECT_EQ(first->back().state, Delivery::State::delivered) << first->back().last_error;
}

TEST_F(SenderTest, a_rotated_secret_is_used_with_the_old_one_for_a_day) {
  const auto webhook = subscriptions_.add({1}, "https://app.example/", {kRecordChanged}, "");
  const auto rotated = subscriptions_.rotate(AccountNumber{1}, webhook->id);
  EXPECT_NE(rotated->secret, webhook->secret);
  write("a");
  work();
  EXPECT_EQ(
      posts_[0].header("webhook-signature"),
      sign({rotated->secret, webhook->secret}, posts_[0].header("webhook-id"), 1'800'000'000, posts_[0].request.body));
  clock_.advance_micros(25LL * 3600 * kMicrosPerSecond);
  write("b");
  work();
  EXPECT_EQ(std::ranges::count(posts_[1].header("webhook-signature"), ' '), 0);
}

TEST_F(SenderTest, a_replay_keeps_its_id_and_events_queued_twice_are_sent_once) {
  const auto webhook = subscriptions_.add({1}, "https://app.example/", {kRecordChanged}, "");
  write("a");
  work();
  const auto delivery = queue_.list(webhook->id, 1)->front();
  ASSERT_TRUE(queue_.replay(webhook->id, delivery.number));
  EXPECT_FALSE(queue_.replay("wh_other", delivery.number));
  work();
  ASSERT_EQ(posts_.size(), 2U);
  EXPECT_EQ(posts_[1].header("webhook-id"), posts_[0].header("webhook-id"));
  // As after a crash between queueing and forgetting.
  ASSERT_TRUE(queue_.add(
      {{.id = delivery.message, .account = {1}, .type = "record.changed", .body = "{}", .webhooks = {webhook->id}}}));
  work();
  EXPECT_EQ(posts_.size(), 2U);
}

TEST_F(SenderTest, posts_each_event_once_during_concurrent_writes) {
  constexpr std::size_t kWriters = 2;
  constexpr std::size_t kEach = 40;
  ASSERT_TRUE(subscriptions_.add({1}, "https://a.example/", {kRecordChanged}, ""));
  ASSERT_TRUE(subscriptions_.add({1}, "https://b.example/", {kRecordChanged}, ""));
  sender_.start();
  {
    std::vector<std::jthread> writers;
    writers.reserve(kWriters);
    for (std::size_t writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([this, writer] {
        for (std::size_t i = 0; i < kEach; ++i) write(std::to_string(writer) + '-' + std::to_string(i));
      });
    }
  }
  const auto count = [this] {
    const MutexLock lock(mutex_);
    return posts_.size();
  };
  for (int i = 0; i < 3000 && count() < 2 * kWriters * kEach; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  sender_.stop();
  std::set<std::pair<std::string, std::string>> distinct;
  for (const Post& post : posts_) distinct.emplace(post.url, post.header("webhook-id"));
  EXPECT_EQ(posts_.size(), 2 * kWriters * kEach);
  EXPECT_EQ(distinct.size(), posts_.size());
}

TEST_F(SenderTest, what_is_queued_goes_with_the_webhook_and_nothing_more_is_queued) {
  const auto webhook = subscriptions_.add({1}, "https://app.example/", {kRecordChanged}, "");
  answers_ = {{500, "", std::nullopt}};
  write("a");
  work();
  write("b");  // its event has been stored when the webhook goes
  ASSERT_TRUE(subscriptions_.remove(AccountNumber{1}, webhook->id));
  pass(10);
  EXPECT_EQ(posts_.size(), 1U);
  EXPECT_TRUE(queue_.list(webhook->id, 10)->empty());
  EXPECT_TRUE(store_.take_events(10)->empty());
}

TEST_F(SenderTest, many_messages_are_queued_once_each_whatever_the_number_of_webhooks) {
  const auto first = subscriptions_.add({1}, "https://a.example/", {kRecordChanged}, "");
  const auto second = subscriptions_.add({1}, "https://b.example/", {kRecordChanged}, "");
  constexpr std::size_t kMessages = 700;
  std::vector<DeliveryQueue::Message> messages;
  messages.reserve(kMessages);
  for (std::size_t i = 0; i < kMessages; ++i) {
    messages.push_back({.id = "msg_" + std::to_string(i),
                        .account = {1},
                        .type = "t",
                        .body = "{}",
                        .webhooks = {first->id, second->id}});
  }
  const std::int64_t before = store_.status().commits;
  ASSERT_TRUE(queue_.add(messages));
  EXPECT_GE(store_.status().commits - before, 5) << "none of them keeps others waiting for long";
  EXPECT_EQ(queue_.list(first->id, 10'000)->size(), kMessages);
  EXPECT_EQ(queue_.list(second->id, 10'000)->size(), kMessages);
}

TEST_F(SenderTest, many_failed_deliveries_are_replayed_together) {
  const auto webhook = subscriptions_.add({1}, "https://app.example/", {kRecordChanged}, "");
  constexpr std::int64_t kFailed = 2500;
  ASSERT_TRUE(store_.directory().write([&](DirectoryTxn& txn) -> Result<> {
    for (std::int64_t i = 0; i < kFailed; ++i) {
      CHECK_OK(txn.add_delivery({.account = {1},
                                 .webhook = webhook->id,
                                 .message = "msg_" + std::to_string(i),
                                 .type = "t",
                                 .body = "{}",
                                 .created_at = txn.now(),
                                 .state = Delivery::State::failed,
                                 .next_at = txn.now(),
                                 .last_at = txn.now(),
                                 .last_error = "x"}));
    }
    return {};
  }));
  EXPECT_EQ(queue_.replay_failed(webhook->id), kFailed);
  EXPECT_EQ(queue_.replay_failed(webhook->id), 0);
}

TEST_F(SenderTest, an_account_that_is_gone_gets_no_webhook) {
  ASSERT_TRUE(store_.directory().write([](DirectoryTxn& txn) { return txn.erase_account({2}); }));
  const auto made = subscriptions_.add({2}, "https://app.example/", {kRecordChanged}, "");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::not_found);
}

TEST_F(SenderTest, webhooks_survive_a_restart) {
  const auto webhook = subscriptions_.add({1}, "https://app.example/", {kRecordChanged}, "");
  Subscriptions reopened(store_, {kConflictDetected, kRecordChanged});
  ASSERT_TRUE(reopened.load());
  EXPECT_EQ(reopened.find(AccountNumber{1}, webhook->id)->secret, webhook->secret);
  EXPECT_TRUE(reopened.wanted({1}).has(kRecordChanged));
  EXPECT_FALSE(reopened.find(AccountNumber{2}, webhook->id));
  ASSERT_TRUE(reopened.forget({1}));
  EXPECT_TRUE(reopened.wanted({1}).empty());
}

}  // namespace
}  // namespace syncline::webhooks
