// One WebSocket: reads messages for the session, writes what the session has to say, pings. At most one frame is on its
// way; the session is asked for the next one only then, so a slow reader holds no queue here.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "net/server_state.hpp"

namespace syncline::net {

template <typename Stream>
class WebSocketConnection final : public Connection, public std::enable_shared_from_this<WebSocketConnection<Stream>> {
 public:
  WebSocketConnection(ServerState& server, Loop& loop, Stream stream, std::unique_ptr<http::WebSocketSession> session)
      : server_(server), loop_(loop), socket_(std::move(stream)), session_(std::move(session)) {
    loop_.add(*this);
    server_.application->web_sockets_changed(1);
  }

  ~WebSocketConnection() override {
    session_.reset();
    loop_.remove(*this);
    server_.application->web_sockets_changed(-1);
    server_.connections -= 1;
  }

  void start(boost::beast::http::request<boost::beast::http::string_body> request) {
    namespace websocket = boost::beast::websocket;
    socket_.set_option(
        websocket::stream_base::timeout{websocket::stream_base::none(), websocket::stream_base::none(), false});
    socket_.read_message_max(limits::kWebSocketMessageBytesMax);
    socket_.auto_fragment(false);
    socket_.text(true);
    socket_.control_callback([this](websocket::frame_type, boost::beast::string_view) { heard(); });
    heard();
    const std::int64_t first_ms = session_->first_message_ms();
    first_message_deadline_ms_ = first_ms > 0 ? steady_ms() + first_ms : 0;
    auto kept = std::make_shared<decltype(request)>(std::move(request));
    socket_.async_accept(*kept, [self = self(), kept](const boost::system::error_code& error) {
      if (error) return;
      self->accepted_ = true;
      self->session_->start(make_wake(self->loop_, self->weak_from_this(), &WebSocketConnection::pump));
      self->read();
      self->pump();
    });
  }

  std::shared_ptr<void> hold() override { return this->weak_from_this().lock(); }

  void sweep(std::int64_t now_ms) override {
    if (closing_) {
      if (now_ms >= close_deadline_ms_) abort();
      return;
    }
    if (writing_ && now_ms >= write_deadline_ms_) return abort();  // the peer does not read
    if (first_message_deadline_ms_ != 0 && now_ms >= first_message_deadline_ms_) {
      return close(session_->first_message_missing());
    }
    const std::int64_t interval_ms = server_.options.ping_interval_ms;
    if (now_ms - heard_at_ms_ > 2 * interval_ms + interval_ms / 2) return abort();  // two pings unanswered
    if (accepted_ && !pinging_ && now_ms - pinged_at_ms_ >= interval_ms) ping(now_ms);
  }

  void drain() override { close({1001, "the server is stopping"}); }

  void abort() override {
    boost::system::error_code ignored;
    boost::beast::get_lowest_layer(socket_).close(ignored);
  }

 private:
  std::shared_ptr<WebSocketConnection> self() { return this->shared_from_this(); }

  void heard() { heard_at_ms_ = steady_ms(); }

  void ping(std::int64_t now_ms) {
    pinged_at_ms_ = now_ms;
    pinging_ = true;
    socket_.async_ping({}, [self = self()](const boost::system::error_code&) { self->pinging_ = false; });
  }

  void read() {
    socket_.async_read(buffer_, [self = self()](const boost::system::error_code& error, std::size_t) {
      if (error) return self->abort();
      self->heard();
      self->first_message_deadline_ms_ = 0;
      if (!self->closing_) {
        const auto bytes = self->buffer_.cdata();
        self->session_->on_text({static_cast<const char*>(bytes.data()), bytes.size()});
      }
      self->buffer_.clear();
      self->buffer_.shrink_to_fit();  // an idle socket keeps no buffer
      self->pump();
      self->read();
    });
  }

  void pump() {
    if (writing_ || closing_ || !accepted_) return;
    auto next = session_->next();
    if (auto* close_with = std::get_if<http::WebSocketSession::Close>(&next)) return close(*close_with);
    auto* text = std::get_if<std::shared_ptr<const std::string>>(&next);
    if (text == nullptr) return;
    writing_ = true;
    write_deadline_ms_ = steady_ms() + server_.options.write_timeout_ms;
    frame_ = std::move(*text);
    socket_.async_write(asio::buffer(*frame_), [self = self()](const boost::system::error_code& error, std::size_t) {
      self->writing_ = false;
      self->frame_.reset();
      if (error) return self->abort();
      self->pump();
    });
  }

  void close(const http::WebSocketSession::Close& with) {
    if (closing_) return;
    closing_ = true;
    close_deadline_ms_ = steady_ms() + 2000;
    if (!accepted_) return abort();
    boost::beast::websocket::close_reason reason(static_cast<boost::beast::websocket::close_code>(with.code),
                                                 boost::beast::string_view(with.reason.data(), with.reason.size()));
    socket_.async_close(reason, [self = self()](const boost::system::error_code&) { self->abort(); });
  }

  ServerState& server_;
  Loop& loop_;
  boost::beast::websocket::stream<Stream, false> socket_;
  std::unique_ptr<http::WebSocketSession> session_;
  boost::beast::flat_buffer buffer_;
  std::shared_ptr<const std::string> frame_;
  std::int64_t heard_at_ms_ = 0;
  std::int64_t pinged_at_ms_ = steady_ms();
  std::int64_t first_message_deadline_ms_ = 0;
  std::int64_t write_deadline_ms_ = 0;
  std::int64_t close_deadline_ms_ = 0;
  bool accepted_ = false;
  bool writing_ = false;
  bool pinging_ = false;
  bool closing_ = false;
};

}  // namespace syncline::net
