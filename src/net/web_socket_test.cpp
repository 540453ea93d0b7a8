// WebSockets over real sockets, with sessions that say what the test tells them.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "net/server.hpp"
#include "support/upgrade_application.hpp"
#include "support/web_socket_client.hpp"

namespace syncline::net {
namespace {

using test::WebSocketClient;

struct Flow {
  std::atomic<int> made = 0;
  std::atomic<bool> ends = false;
};

/// Frames of many sizes that say their number, and in the end a close.
class Flood final : public http::WebSocketSession {
 public:
  explicit Flood(Flow& flow) : flow_(flow) {}

  static std::string frame(int number) {
    return std::to_string(number) + ":" + std::string(static_cast<std::size_t>(number * 37 % 3000), 'x');
  }

  void start(http::Wake) override {}
  void on_text(std::string_view) override {}
  Next next() override {
    if (flow_.ends) return Close{1000, "done"};
    return std::make_shared<const std::string>(frame(flow_.made++));
  }
  std::int64_t first_message_ms() const override { return 0; }
  Close first_message_missing() const override { return {}; }

 private:
  Flow& flow_;
};

class WebSocketTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.start(application_)); }

  /// Until the socket takes no more frames.
  void wait_until_stuck() const {
    for (int before = -1; before != flow_.made || before == 0;) {
      before = flow_.made;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  Flow flow_;
  test::UpgradeApplication application_{[this] { return std::make_unique<Flood>(flow_); }};
  Server server_{{.port = 0, .write_timeout_ms = 600'000, .ping_interval_ms = 600'000}};
};

TEST_F(WebSocketTest, a_slow_reader_gets_whole_frames_in_order_and_its_pings_answered_in_between) {
  WebSocketClient client(server_.port());
  ASSERT_TRUE(client.is_open());
  wait_until_stuck();
  constexpr int kPings = 20;
  for (int i = 0; i < kPings; ++i) client.send(WebSocketClient::kPing, std::to_string(i));

  int frames = 0;
  int pongs = 0;
  WebSocketClient::Frame last;
  while ((last = client.read()).opcode != 0 && last.opcode != WebSocketClient::kClose) {
    if (last.opcode == WebSocketClient::kPong) {
      EXPECT_EQ(last.payload, std::to_string(pongs++));
      flow_.ends = pongs == kPings;
    } else {
      ASSERT_EQ(last.opcode, WebSocketClient::kText);
      ASSERT_EQ(last.payload, Flood::frame(frames)) << "frame " << frames;
      frames += 1;
      ASSERT_LT(frames, 1'000'000) << pongs << " pongs";
    }
  }

  EXPECT_EQ(last.opcode, WebSocketClient::kClose);
  EXPECT_EQ(frames, flow_.made);
  EXPECT_EQ(pongs, kPings);
}

TEST_F(WebSocketTest, a_reader_that_vanishes_in_the_middle_of_a_frame_ends_its_connection_only) {
  for (int i = 0; i < 5; ++i) {
    flow_.made = 0;
    WebSocketClient client(server_.port());
    ASSERT_TRUE(client.is_open());
    wait_until_stuck();
    client.send(WebSocketClient::kPing, "x");
    client.vanish();
  }

  WebSocketClient other(server_.port());
  EXPECT_EQ(other.read().opcode, WebSocketClient::kText);
  flow_.ends = true;
  WebSocketClient::Frame last;
  while ((last = other.read()).opcode == WebSocketClient::kText) {
  }
  EXPECT_EQ(last.opcode, WebSocketClient::kClose);
}

/// Takes its time to begin.
class SlowStart final : public http::WebSocketSession {
 public:
  explicit SlowStart(std::atomic<bool>& has_started) : has_started_(has_started) {}

  void start(http::Wake) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    has_started_ = true;
  }
  void on_text(std::string_view) override {}
  Next next() override { return std::monostate{}; }
  std::int64_t first_message_ms() const override { return 0; }
  Close first_message_missing() const override { return {}; }

 private:
  std::atomic<bool>& has_started_;
};

TEST(WebSocketStartTest, whoever_has_read_the_101_hears_of_all_that_happens_from_then_on) {
  std::atomic<bool> has_started = false;
  test::UpgradeApplication application{[&] { return std::make_unique<SlowStart>(has_started); }};
  Server server{{.port = 0}};
  ASSERT_TRUE(server.start(application));

  const WebSocketClient client(server.port());

  ASSERT_TRUE(client.is_open());
  EXPECT_TRUE(has_started);
}

}  // namespace
}  // namespace syncline::net
