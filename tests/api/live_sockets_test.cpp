// Change notices through real sockets and threads: who watches a space hears of its newest change, whoever else is slow
// or leaves meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>

#include "api/native/space_feed.hpp"
#include "net/server.hpp"
#include "store/memory/memory_store.hpp"
#include "support/upgrade_application.hpp"
#include "support/web_socket_client.hpp"

namespace syncline {
namespace {

using test::WebSocketClient;

const SpaceName kLiveNotes{AccountNumber{1}, "notes"};
constexpr KeyNumber kAnn{1};

/// So long that what a reader leaves unread soon fills the buffers of its socket.
std::string seq_of(const native::SpaceFeed::Note& note) {
  return std::to_string(note.cursor.seq.value) + ":" + std::string(60'000, 'x');
}

/// Says the number of the newest change.
class LiveSession final : public http::WebSocketSession {
 public:
  explicit LiveSession(Spaces& spaces) : spaces_(spaces) {}

  void start(http::Wake wake) override {
    feed_.emplace(spaces_, std::move(wake), &seq_of);
    EXPECT_TRUE(feed_->watch({{kLiveNotes.name, kLiveNotes, std::nullopt}}));
  }
  void on_text(std::string_view) override {}
  Next next() override {
    if (auto text = feed_->next_text()) return text;
    return std::monostate{};
  }
  std::int64_t first_message_ms() const override { return 0; }
  Close first_message_missing() const override { return {}; }

 private:
  Spaces& spaces_;
  std::optional<native::SpaceFeed> feed_;
};

class LiveSocketsTest : public testing::Test {
 protected:
  LiveSocketsTest() = default;

  void SetUp() override { ASSERT_TRUE(server_.start(application_)); }
  void TearDown() override { server_.drain(); }

  Seq write() {
    const std::string id = std::to_string(++writes_);
    const auto cursor = spaces_.write_and_wait(kLiveNotes, kAnn, [&](SpaceWriter& writer) -> Result<> {
      TRY(const OpResult applied, writer.apply({.collection = "c", .id = id, .updated_at = clock_.now(), .doc = "{}"}));
      EXPECT_EQ(applied.status, OpStatus::applied);
      return {};
    });
    EXPECT_TRUE(cursor) << cursor.error().text;
    return cursor ? cursor->seq : Seq{};
  }

  SystemClock clock_;
  MemoryStore store_{clock_, "e"};
  test::UpgradeApplication application_{[this] { return std::make_unique<LiveSession>(spaces_); }};
  net::Server server_{{.port = 0, .loops = 2, .write_timeout_ms = 600'000, .ping_interval_ms = 600'000}};
  Live live_{server_.scheduler()};
  PullProgress progress_{store_};
  const RuleBook rules_{{}};
  Spaces spaces_{store_, clock_, live_, progress_, rules_};
  int writes_ = 0;
};

/// Reads until the change with that number; the numbers only grow.
void read_until(WebSocketClient& client, std::int64_t seq) {
  std::int64_t last = 0;
  while (last < seq) {
    const auto frame = client.read();
    ASSERT_EQ(frame.opcode, WebSocketClient::kText) << "after " << last;
    const std::int64_t next = std::stoll(frame.payload);
    ASSERT_GT(next, last);
    last = next;
  }
  EXPECT_EQ(last, seq);
}

TEST_F(LiveSocketsTest, everybody_hears_of_the_newest_change_while_others_are_slow_or_leave) {
  constexpr std::int64_t kWrites = 400;
  std::deque<WebSocketClient> readers;
  std::deque<WebSocketClient> slow;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(readers.emplace_back(server_.port()).is_open());
    ASSERT_TRUE(slow.emplace_back(server_.port()).is_open());
  }
  std::vector<std::jthread> threads;
  threads.reserve(readers.size() + 1);
  for (WebSocketClient& reader : readers) threads.emplace_back([&reader] { read_until(reader, kWrites); });
  threads.emplace_back([this] {
    for (int i = 0; i < 100; ++i) {
      WebSocketClient visitor(server_.port());
      EXPECT_TRUE(visitor.is_open());
      if (i % 3 == 0) visitor.send(WebSocketClient::kClose, "");
      if (i % 3 == 1) visitor.vanish();
    }
  });

  Seq head;
  while (head.value < kWrites) {
    head = write();
    ASSERT_GT(head.value, 0);
  }
  threads.clear();

  for (WebSocketClient& client : slow) read_until(client, kWrites);
}

}  // namespace
}  // namespace syncline
