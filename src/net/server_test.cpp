// The server over real sockets, with a small application of the test's own and a client that writes bytes as it likes.
#include "net/server.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "support/raw_client.hpp"

namespace syncline::net {
namespace {

using http::Response;
using test::RawClient;

/// GET /n answers its path, POST echoes, /stream streams, /slow answers from another thread, /refused never wants a
/// body.
class TestExchange final : public http::Exchange {
 public:
  TestExchange(const http::RequestHead& head, std::atomic<bool>& stream_has_started)
      : target_(head.target), stream_has_started_(stream_has_started) {}

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
    } else if (target_ == "/slow-stream") {
      Response response;
      response.body = std::make_unique<SlowStart>(stream_has_started_);
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
    void start(http::Wake wake) override { wake_ = std::move(wake.soon); }
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

  /// Takes its time to begin, and has nothing to say.
  class SlowStart final : public http::BodySource {
   public:
    explicit SlowStart(std::atomic<bool>& has_started) : has_started_(has_started) {}
    void start(http::Wake) override {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      has_started_ = true;
    }
    void stop() override {}
    Next next() override { return Wait{}; }

   private:
    std::atomic<bool>& has_started_;
  };

  const std::string target_;
  std::atomic<bool>& stream_has_started_;
};

class TestApplication final : public http::Application {
 public:
  std::unique_ptr<http::Exchange> begin(const http::RequestHead& head) override {
    return std::make_unique<TestExchange>(head, stream_has_started);
  }
  void finished(const http::Summary&) override { ++finished_count; }
  void web_sockets_changed(std::int64_t) override {}
  std::atomic<int> finished_count = 0;
  std::atomic<bool> stream_has_started = false;
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

TEST_F(ServerTest, whoever_has_read_the_head_of_a_stream_is_told_of_all_that_happens_from_then_on) {
  start();
  RawClient client(port());
  client.send(get("/slow-stream"));

  EXPECT_TRUE(client.receive("\r\n\r\n").starts_with("HTTP/1.1 200 "));

  EXPECT_TRUE(application_.stream_has_started);
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

/// How many answers came.
std::size_t count_answers(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find("HTTP/1.1 "); at != std::string::npos; at = text.find("HTTP/1.1 ", at + 1)) ++count;
  return count;
}

TEST_F(ServerTest, a_request_that_can_be_read_in_two_ways_is_refused_and_its_body_is_not_a_request) {
  start();
  const std::string second = get("/smuggled");
  const auto post = [&](const std::string& headers) { return "POST / HTTP/1.1\r\n" + headers + "\r\n" + second; };
  const std::string length = "Content-Length: " + std::to_string(second.size()) + "\r\n";
  for (const std::string& request : {
           post("Host: x\r\nTransfer-Encoding: xchunked\r\n"),
           post("Host: x\r\nTransfer-Encoding: identity\r\n"),
           post("Host: x\r\nTransfer-Encoding: gzip\r\n"),
           post("Host: x\r\nTransfer-Encoding: \"chunked\"\r\n"),
           post("Host: x\r\nTransfer-Encoding: gzip, chunked\r\n"),
           post("Host: x\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
           post("Host: x\r\nTransfer-Encoding:\r\n"),
           post("Host: x\r\nTransfer-Encoding: xchunked\r\n" + length),
           std::string("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") + second,
           post(length),
           post("Host: x\r\nHost: y\r\n" + length),
           post("Host: x\r\nHost: x\r\n" + length),
           post("Host: x, y\r\n" + length),
           post("Host: x\r\nX-Folded: a\r\n b\r\n" + length),
           post("Host: x\r\nX-Folded: a\r\n\tContent-Length: 0\r\n" + length),
           post("Host: x\r\n" + length).replace(5, 1, "/\xC3\xA9"),
           post("Host: x\r\n" + length).replace(5, 1, "http:///path"),
           post("Host: x\r\n" + length).replace(5, 1, "http://ann@x/path"),
       }) {
    const std::string answer = ask(request);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << request << answer;
    EXPECT_EQ(count_answers(answer), 1U) << request << answer;
    EXPECT_EQ(answer.find("<time-out>"), std::string::npos) << request;
  }
}

TEST_F(ServerTest, a_head_in_small_pieces_has_the_same_limit) {
  start();
  RawClient client(port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\n");
  // Each line is complete, so the parser takes it and forgets its length.
  for (int line = 0; line < 40; ++line) client.send("X-Line: " + std::string(500, 'x') + "\r\n");
  EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 431 "));
}

TEST_F(ServerTest, an_absolute_target_is_served) {
  start();
  EXPECT_TRUE(ask("GET http://other:8080/a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ends_with("/a?b=c"));
  EXPECT_TRUE(ask("GET HTTPS://[::1]?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ends_with("/?b=c"));
}

TEST_F(ServerTest, an_endless_chunk_header_is_refused) {
  start();
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_TRUE(ask(head + "1;" + std::string(20'000, 'x')).starts_with("HTTP/1.1 400 "));
  std::string many = head;
  for (int chunk = 0; chunk < 100; ++chunk) many += "1;" + std::string(500, 'x') + "\r\na\r\n";
  EXPECT_TRUE(ask(many).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask(head + "0\r\n" + std::string("X-Trailer: ") + std::string(20'000, 'x')).starts_with("HTTP/1.1 400 "));
  std::string small = head;
  for (int chunk = 0; chunk < 1000; ++chunk) small += "1\r\na\r\n";
  EXPECT_TRUE(ask(small + "0\r\n\r\n" + get("/end", "Connection: close\r\n")).ends_with("/end"))
      << "a body byte by byte is no attack";
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

TEST_F(ServerTest, connections_of_one_address_beyond_its_limit_are_closed_until_one_ends) {
  start({.connections_per_address_max = 2});
  RawClient first(port());
  first.send(get("/a"));
  EXPECT_TRUE(first.receive("/a").ends_with("/a"));
  {
    RawClient second(port());
    second.send(get("/b"));
    EXPECT_TRUE(second.receive("/b").ends_with("/b"));
    EXPECT_EQ(ask(get("/c")), "");
  }
  std::string answer;
  // The server hears of the end of a connection in its own time.
  for (int attempt = 0; attempt < 1000 && answer.empty(); ++attempt) answer = ask(get("/d", "Connection: close\r\n"));
  EXPECT_TRUE(answer.ends_with("/d"));
}

TEST_F(ServerTest, a_trusted_proxy_has_no_limit_of_its_own) {
  start({.connections_per_address_max = 1, .proxies = {*IpNetworks::parse({"127.0.0.1"}, "")}});
  RawClient first(port());
  first.send(get("/a"));
  EXPECT_TRUE(first.receive("/a").ends_with("/a"));
  EXPECT_TRUE(ask(get("/b", "Connection: close\r\n")).ends_with("/b"));
}

TEST_F(ServerTest, a_body_beyond_the_share_of_its_payer_gets_a_503_and_frees_what_it_had) {
  // The body comes after the head, so that there is memory to take: 4 KiB for what is read next. One loop takes it in
  // the order of the requests.
  start({.loops = 1, .bodies = {.all = 100'000, .share = 10'000, .granted = 0}});
  const auto begin = [&](RawClient& client) {
    client.send(
        "POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n");
    client.receive("100 Continue\r\n\r\n");
  };
  {
    RawClient first(port());
    RawClient second(port());
    begin(first);
    begin(second);
    RawClient third(port());
    third.send(
        "POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n");
    const std::string refused = third.receive_all();  // it may have been told to go on first
    EXPECT_NE(refused.find("HTTP/1.1 503 "), std::string::npos) << refused;
    EXPECT_NE(refused.find("Retry-After: 5"), std::string::npos) << refused;
  }
  std::string answer;
  for (int attempt = 0; attempt < 1000 && !answer.starts_with("HTTP/1.1 200 "); ++attempt) {
    RawClient client(port());
    begin(client);
    client.try_send(std::string(500, 'x'));
    answer = client.receive_all();
  }
  EXPECT_TRUE(answer.ends_with("xxx"));
}

TEST_F(ServerTest, a_body_below_the_minimum_rate_gets_a_408_although_it_makes_progress) {
  start({.body_timeout_ms = 300, .body_bytes_per_second_min = 1'000'000});
  RawClient client(port());
  client.send("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx");
  std::string answer;
  for (int i = 0; i < 300 && answer.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // a sender that never pauses for long
    if (!client.try_send("x")) break;
    answer = client.take();
  }
  if (answer.empty()) answer = client.receive_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
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
