// An application for a real server: each request becomes a WebSocket whose session the test makes, on any loop.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "http/message.hpp"

namespace syncline::test {

class UpgradeApplication final : public http::Application {
 public:
  using MakeSession = std::function<std::unique_ptr<http::WebSocketSession>()>;
  explicit UpgradeApplication(MakeSession make_session) : make_session_(std::move(make_session)) {}

  std::unique_ptr<http::Exchange> begin(const http::RequestHead&) override {
    return std::make_unique<Exchange>(make_session_);
  }
  void finished(const http::Summary&) override {}
  void web_sockets_changed(std::int64_t) override {}

 private:
  class Exchange final : public http::Exchange {
   public:
    explicit Exchange(const MakeSession& make_session) : make_session_(make_session) {}
    std::optional<http::Response> refusal() override { return std::nullopt; }
    std::size_t body_bytes_max() const override { return 1000; }
    http::Response too_large() override { return http::make_text(413, "text/plain", ""); }
    bool is_heavy() const override { return false; }
    std::string_view route() const override { return "test"; }
    std::string_view key_id() const override { return "-"; }
    void run(std::string, http::Responder respond) override {
      http::Response response;
      response.upgrade = make_session_();
      respond(std::move(response));
    }

   private:
    const MakeSession& make_session_;
  };

  const MakeSession make_session_;
};

}  // namespace syncline::test
