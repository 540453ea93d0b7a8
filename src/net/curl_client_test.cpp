#include "net/curl_client.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/back_off.hpp"
#include "base/file_descriptor.hpp"
#include "net/answer_head.hpp"

namespace syncline::net {
namespace {

using namespace std::chrono_literals;

TEST(Endpoint, must_be_an_http_url_without_query_or_fragment) {
  EXPECT_EQ(make_endpoint("http://127.0.0.1:8080/", "k")->url, "http://127.0.0.1:8080");
  EXPECT_EQ(make_endpoint("https://hub.example.org/kiro", "k")->url, "https://hub.example.org/kiro");
  for (const char* bad : {"", "hub", "ftp://hub", "file:///etc/passwd", "http://", "http://u:p@hub", "http://hub?x=1",
                          "http://hub#x", "http://h ub"}) {
    EXPECT_FALSE(make_endpoint(bad, "k")) << bad;
  }
  for (const char* bad : {"", "a b", "a\r\nX: y", "a\x7F"}) EXPECT_FALSE(make_endpoint("http://hub", bad)) << bad;
}

/// A server that takes connections and never answers.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_.get(), 5), 0);
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  FileDescriptor socket_;
  std::string url_;
};

TEST(CurlClient, can_be_cancelled) {
  const SilentServer server;
  const auto client = make_client_factory(*make_endpoint(server.url(), "k"))();
  std::stop_source stop;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  const auto began = std::chrono::steady_clock::now();
  const auto answer = client->send({http::Method::get, "/", "", {}, 60'000}, stop.get_token());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
}

TEST(CurlClient, times_out_and_can_be_reused) {
  const SilentServer server;
  const auto client = make_client_factory(*make_endpoint(server.url(), "k"))();
  for (int i = 0; i < 2; ++i) {
    const auto answer = client->send({http::Method::post, "/", "{}", {}, 100});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::timed_out);
  }
}

TEST(BackOff, doubles_from_two_seconds_to_a_minute_with_20_percent_jitter) {
  BackOff back_off;
  for (const std::int64_t around : {2000, 4000, 8000, 16'000, 32'000, 60'000, 60'000}) {
    const std::int64_t chosen = back_off.next_ms();
    EXPECT_GE(chosen, around * 8 / 10);
    EXPECT_LE(chosen, around * 12 / 10);
  }
  back_off.reset();
  EXPECT_LE(back_off.next_ms(), 2400);
}

// How the client takes the headers of an answer.

enum class Decodes : std::uint8_t { no, yes };

bool is_read(std::initializer_list<std::string_view> lines, Decodes decodes = Decodes::yes) {
  AnswerHead head(decodes == Decodes::yes);
  for (const std::string_view line : lines) {
    if (!head.take(line)) return false;
  }
  return true;
}

TEST(AnswerHeadTest, a_body_is_decoded_only_as_it_was_asked_for) {
  EXPECT_TRUE(is_read({"HTTP/1.1 200 OK\r\n", "Content-Encoding: gzip\r\n", "Transfer-Encoding: chunked\r\n"}));
  EXPECT_TRUE(is_read({"content-encoding:GZIP\r\n"}));
  EXPECT_TRUE(is_read({"Content-Encoding: identity\r\n", "Transfer-Encoding: identity\r\n"}));
  for (const std::string_view line :
       {"Content-Encoding: br\r\n", "Content-Encoding: zstd\r\n", "Content-Encoding: gzip, gzip\r\n",
        "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: gzip, chunked\r\n", "transfer-encoding: deflate\r\n"}) {
    EXPECT_FALSE(is_read({"HTTP/1.1 200 OK\r\n", line})) << line;
  }
  EXPECT_FALSE(is_read({"Content-Encoding: gzip\r\n", "Content-Encoding: gzip\r\n"})) << "in two layers";
}

TEST(AnswerHeadTest, what_is_not_decoded_may_be_encoded) {
  EXPECT_TRUE(is_read({"Content-Encoding: br\r\n"}, Decodes::no));
  EXPECT_FALSE(is_read({"Transfer-Encoding: gzip\r\n"}, Decodes::no));
}

TEST(AnswerHeadTest, all_headers_together_have_a_limit) {
  AnswerHead head(false);
  const std::string line = "X-Filler: " + std::string(1000, 'x') + "\r\n";
  int taken = 0;
  while (taken < 1000 && head.take(line)) ++taken;
  EXPECT_EQ(taken, 64);
  ASSERT_TRUE(head.fault());
  EXPECT_EQ(head.fault()->code, ErrorCode::answer_too_large);
  EXPECT_EQ(head.fault()->text, "the answer's headers are larger than 65536 bytes");
}

}  // namespace
}  // namespace syncline::net
