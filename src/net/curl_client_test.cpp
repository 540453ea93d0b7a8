#include "net/curl_client.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/back_off.hpp"
#include "base/file_descriptor.hpp"

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

}  // namespace
}  // namespace syncline::net
