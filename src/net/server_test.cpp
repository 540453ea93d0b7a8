// The server over real sockets, with a small application of the test's own and a client that writes bytes as it likes.
#include "net/server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace syncline::net {
namespace {

using http::Response;

/// GET /n answers its path, POST echoes, /stream streams, /slow answers from another thread, /refused never wants a
/// body.
class TestExchange final : public http::Exchange {
 public:
  explicit TestExchange(const http::RequestHead& head) : target_(head.target) {}

  std::optional<Response> refusal() override {
    if (target_ != "/refused") return std::nullopt;
    return http::make_text(401, "text/plain", "no");
  }
  std::size_t body_bytes_max() const override { return 1000; }
  Response too_large() override { return http::make_text(413, "text/plain", "too large"); }
  bool is_heavy() const override { return target_ == "/heavy"; }
  std::string_view route() const override { return "test"; }
  std::string_view key_id() const override { return "-"; }

  void run(std::string body, http::Responder respond) override {
    if (target_ == "/slow") {
      std::thread([respond = std::move(respond)]() mutable {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        respond(http::make_text(200, "text/plain", "late"));
      }).detach();
    } else if (target_ == "/forgotten") {
      return;  // the responder answers for us
    } else if (target_ == "/stream") {
      Response response;
      response.content_type = "text/plain";
      response.body = std::make_unique<Source>();
      respond(std::move(response));
    } else if (target_ == "/large") {
      respond(http::make_text(200, "application/json", std::string(200'000, ' ')));
    } else {
      respond(http::make_text(200, "text/plain", target_ + body));
    }
  }

 private:
  class Source final : public http::BodySource {
   public:
    void start(std::function<void()> wake) override { wake_ = std::move(wake); }
    void stop() override {}
    Next next() override {
      if (count_ == 3) return End{};
      if (!woken_) {  // half of the chunks come late
        woken_ = true;
        std::thread([wake = wake_] { wake(); }).detach();
        return Wait{};
      }
      woken_ = false;
      return Chunk{std::make_shared<std::string>("chunk" + std::to_string(++count_) + ";")};
    }

   private:
    std::function<void()> wake_;
    int count_ = 0;
    bool woken_ = false;
  };

  const std::string target_;
};

class TestApplication final : public http::Application {
 public:
  std::unique_ptr<http::Exchange> begin(const http::RequestHead& head) override {
    return std::make_unique<TestExchange>(head);
  }
  void finished(const http::Summary&) override { ++finished_count; }
  void web_sockets_changed(std::int64_t) override {}
  std::atomic<int> finished_count = 0;
};

/// A connection that says exactly what it is told.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_TRUE(socket_ >= 0 && ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  void send(const std::string& text) {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL), text.size());
  }

  /// Everything that comes until `until` has come, the peer closes, or 5 s are over.
  std::string receive(const std::string& until) {
    std::string text;
    char buffer[65536];
    while (until.empty() || text.find(until) == std::string::npos) {
      pollfd ready{socket_, POLLIN, 0};
      if (::poll(&ready, 1, 5000) <= 0) return text + "<time-out>";
      const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
      if (count <= 0) return text;
      text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
  }
  std::string receive_all() { return receive(""); }

 private:
  int socket_;
};

class ServerTest : public testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.port = 0;
    server_ = std::make_unique<Server>(std::move(options));
    ASSERT_TRUE(server_->start(application_));
  }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

  std::string ask(const std::string& request) {
    RawClient client(port());
    client.send(request);
    return client.receive_all();
  }
  static std::string get(const std::string& target, const std::string& headers = "") {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
  }

  TestApplication application_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, keeps_the_connection_after_an_answer) {
  start();
  RawClient client(port());
  for (const char* target : {"/a", "/b"}) {
    client.send(get(target));
    const std::string answer = client.receive(std::string("\r\n\r\n") + target);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_NE(answer.find("Content-Length: 2\r\n"), std::string::npos);
    EXPECT_NE(answer.find("X-Request-Id: "), std::string::npos);
  }
}

TEST_F(ServerTest, pipelined_requests_are_answered_in_order) {
  start();
  const std::string answer = ask(get("/slow") + get("/heavy") + get("/three", "Connection: close\r\n"));
  const std::size_t first = answer.find("late");
  const std::size_t second = answer.find("/heavy");
  const std::size_t third = answer.find("/three");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, std::string::npos);
}

TEST_F(ServerTest, head_has_the_length_but_no_body) {
  start();
  const std::string answer = ask("HEAD /abc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 4\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, an_http_1_0_client_is_answered_and_closed) {
  start();
  EXPECT_TRUE(ask("GET /x HTTP/1.0\r\n\r\n").ends_with("/x"));
  EXPECT_TRUE(ask("GET /stream HTTP/1.0\r\n\r\n").ends_with("\r\n\r\nchunk1;chunk2;chunk3;"));
}

TEST_F(ServerTest, a_stream_comes_in_chunks) {
  start();
  const std::string answer = ask(get("/stream"));
  EXPECT_NE(answer.find("Transfer-Encoding: chunked"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("7\r\nchunk1;\r\n7\r\nchunk2;\r\n7\r\nchunk3;\r\n0\r\n\r\n")) << answer;
}

TEST_F(ServerTest, accepts_whole_chunked_and_expect_continue_bodies) {
  start();
  EXPECT_TRUE(ask("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc").ends_with("/abc"));
  EXPECT_TRUE(ask("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
                  .ends_with("/abc"));
  RawClient client(port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.receive("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_TRUE(client.receive("/abc").ends_with("/abc"));
}

TEST_F(ServerTest, oversized_requests_are_rejected_with_an_answer_that_arrives) {
  start();
  EXPECT_TRUE(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'))
                  .starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'x') +
                  "\r\n0\r\n\r\n")
                  .starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(ask(get("/", "X-Long: " + std::string(17'000, 'x') + "\r\n")).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(ask("POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n" + std::string(500, 'x'))
                  .starts_with("HTTP/1.1 401 "));
}

TEST_F(ServerTest, invalid_http_is_rejected) {
  start();
  for (const std::string& request :
       {std::string("nonsense\r\n\r\n"), std::string("GET / HTTP/1.1\r\nbad header\r\n\r\n"),
        std::string("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
        std::string("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"),
        std::string("POST / HTTP/1.1\r\nContent-Length: -3\r\n\r\nabc")}) {
    EXPECT_TRUE(ask(request).starts_with("HTTP/1.1 400 ")) << request;
  }
}

TEST_F(ServerTest, a_missing_answer_becomes_a_500) {
  start();
  EXPECT_TRUE(ask(get("/forgotten", "Connection: close\r\n")).starts_with("HTTP/1.1 500 "));
}

TEST_F(ServerTest, answers_are_compressed_on_request_only) {
  start();
  EXPECT_EQ(ask(get("/large", "Connection: close\r\n")).find("Content-Encoding"), std::string::npos);
  const std::string packed = ask(get("/large", "Accept-Encoding: gzip\r\nConnection: close\r\n"));
  EXPECT_NE(packed.find("Content-Encoding: gzip\r\n"), std::string::npos);
  EXPECT_NE(packed.find("Vary: Accept-Encoding\r\n"), std::string::npos);
  EXPECT_LT(packed.size(), 2000U);
}

TEST_F(ServerTest, slow_senders_get_a_408_and_are_closed) {
  start({.header_timeout_ms = 100, .idle_timeout_ms = 300, .body_timeout_ms = 100});
  EXPECT_TRUE(ask("GET / HT").starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab").starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(ask(""), "") << "an idle one is closed without a word";
}

TEST_F(ServerTest, connections_beyond_the_limit_are_closed) {
  start({.connections_max = 1});
  RawClient first(port());
  first.send(get("/a"));
  first.receive("/a");
  EXPECT_EQ(ask(get("/b")), "");
}

TEST_F(ServerTest, draining_lets_a_request_in_progress_finish) {
  start();
  RawClient busy(port());
  RawClient idle(port());
  busy.send(get("/slow"));
  std::this_thread::sleep_for(std::chrono::milliseconds(10));  // the request is on its way to its 50 ms
  server_->drain();
  EXPECT_TRUE(busy.receive_all().ends_with("late"));
  EXPECT_EQ(idle.receive_all(), "");
}

TEST_F(ServerTest, a_port_in_use_is_reported) {
  start();
  Server second({.port = port()});
  EXPECT_EQ(second.start(application_).error().code, ErrorCode::busy);
}

TEST_F(ServerTest, a_missing_certificate_is_reported) {
  Server server({.port = 0, .tls = TlsFiles{"/none.pem", "/none.key"}});
  EXPECT_EQ(server.start(application_).error().code, ErrorCode::invalid_argument);
}

TEST_F(ServerTest, a_destroyed_timer_does_not_run) {
  start();
  std::atomic<int> ran = 0;
  auto kept = server_->scheduler().after_ms(10, [&] { ran += 1; });
  auto dropped = server_->scheduler().after_ms(10, [&] { ran += 100; });
  dropped.reset();
  for (int i = 0; i < 500 && ran == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace syncline::net
