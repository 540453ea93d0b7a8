// One client connection: reads requests, hands them to the application, writes the answers; one request at a time, so
// pipelined requests are answered in order. A template over the stream (plain or TLS), instantiated in one file each.
//
// Phase       waits for                     deadline
// handshake   TLS handshake                 header_timeout_ms
// idle        first byte of a request       idle_timeout_ms
// head        rest of its head              header_timeout_ms from that byte
// body        next piece of its body        body_timeout_ms from the last piece
// running     the application               none: it has its own
// writing     room for more of the answer   write_timeout_ms from the last piece
// waiting     more of a streamed answer     none
// lingering   the peer to read our refusal  2 s, then closed
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <charconv>

#include "base/log.hpp"
#include "base/text.hpp"
#include "net/gzip.hpp"
#include "net/response_head.hpp"
#include "net/server_state.hpp"
#include "net/web_socket_connection.hpp"

namespace syncline::net {

namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using TlsStream = asio::ssl::stream<tcp::socket>;

inline constexpr std::int64_t kLingerMs = 2000;
/// An idle connection holds the smaller one.
inline constexpr std::size_t kHeadReadBytes = 4096;
inline constexpr std::size_t kBodyReadBytes = 64 * 1024;
/// Answers smaller than one packet are not worth compressing.
inline constexpr std::size_t kGzipBytesMin = 1400;
/// Answers larger than this are compressed on a worker: the loop has others to serve.
inline constexpr std::size_t kGzipInlineBytes = 256 * 1024;
/// A write of so many bytes is progress.
inline constexpr std::size_t kWriteBytes = 256 * 1024;
/// Bodies up to here are not counted against the memory for large ones.
inline constexpr std::size_t kSmallBodyBytes = 1UL << 20U;

template <typename Stream>
class HttpConnection final : public Connection,
                             public http::HeaderReader,
                             public std::enable_shared_from_this<HttpConnection<Stream>> {
 public:
  HttpConnection(ServerState& server, Loop& loop, Stream stream, std::string peer)
      : server_(server), loop_(loop), stream_(std::move(stream)), peer_(std::move(peer)) {
    loop_.add(*this);
    native_socket_ = socket().native_handle();
  }

  ~HttpConnection() override {
    release_body_budget();
    loop_.remove(*this);
    server_.connections -= 1;
  }

  void start() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      enter(Phase::handshake, server_.options.header_timeout_ms);
      stream_.async_handshake(asio::ssl::stream_base::server, [self = self()](const boost::system::error_code& error) {
        if (!error) self->begin_request();
      });
    } else {
      begin_request();
    }
  }

  std::shared_ptr<void> hold() override { return this->weak_from_this().lock(); }

  void sweep(std::int64_t now_ms) override {
    if (now_ms < deadline_ms_) return;
    if (phase_ == Phase::head || phase_ == Phase::body) {
      // Say why, if the peer still listens; then it is over either way.
      enter(Phase::lingering, kLingerMs);
      send_plain_error(408, "the request did not arrive in time", Farewell::at_once);
    } else {
      abort();
    }
  }

  void drain() override {
    draining_ = true;
    if (phase_ == Phase::idle || phase_ == Phase::handshake) abort();
    if (source_) {
      source_->stop();
      pump();
    }
  }

  void abort() override {
    boost::system::error_code ignored;
    socket().close(ignored);
  }

  bool peer_has_left() const override {
    char byte = 0;
    return ::recv(native_socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

  std::string_view find(std::string_view name) const override {
    const auto& fields = parser_->get();
    const auto found = fields.find(boost::beast::string_view(name.data(), name.size()));
    if (found == fields.end()) return {};
    return {found->value().data(), found->value().size()};
  }

 private:
  using Parser = beast::http::request_parser<beast::http::string_body>;
  enum class Phase { handshake, idle, head, body, running, writing, waiting, lingering };

  std::shared_ptr<HttpConnection> self() { return this->shared_from_this(); }

  tcp::socket& socket() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  void enter(Phase phase, std::int64_t timeout_ms) {
    phase_ = phase;
    deadline_ms_ = timeout_ms > 0 ? steady_ms() + timeout_ms : std::numeric_limits<std::int64_t>::max();
  }

  // ---- reading ----

  void begin_request() {
    if (draining_ || server_.draining) return close();
    exchange_.reset();
    release_body_budget();
    head_ = {};
    request_id_.clear();
    gzip_.reset();
    parser_.emplace();
    parser_->header_limit(limits::kHeaderBytesMax);
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());  // the route's own limit comes with the head
    enter(buffer_.size() > 0 ? Phase::head : Phase::idle,
          buffer_.size() > 0 ? server_.options.header_timeout_ms : server_.options.idle_timeout_ms);
    if (buffer_.size() > 0) {
      parse();  // pipelined
    } else {
      read_more();
    }
  }

  void read_more() {
    const std::size_t room = phase_ == Phase::body ? kBodyReadBytes : kHeadReadBytes;
    stream_.async_read_some(buffer_.prepare(room),
                            [self = self()](const boost::system::error_code& error, std::size_t bytes) {
                              if (error || self->phase_ == Phase::lingering) return self->close();
                              self->buffer_.commit(bytes);
                              if (self->phase_ == Phase::idle) {
                                self->enter(Phase::head, self->server_.options.header_timeout_ms);
                              }
                              self->parse();
                            });
  }

  /// Takes in what has been read, up to the end of one request.
  void parse() {
    while (!parser_->is_done()) {
      boost::system::error_code error;
      const std::size_t used = parser_->put(buffer_.data(), error);
      buffer_.consume(used);
      if (parser_->is_header_done() && !exchange_) {
        started_at_ = std::chrono::steady_clock::now();
        if (!on_head()) return;
      }
      if (phase_ == Phase::body && parser_->get().body().size() > body_bytes_max_) return refuse_large_body();
      if (error == beast::http::error::need_more || (!error && used == 0)) {
        if (phase_ == Phase::body) enter(Phase::body, server_.options.body_timeout_ms);
        return read_more();
      }
      if (error) return on_bad_request(error);
    }
    run();
  }

  void on_bad_request(const boost::system::error_code& error) {
    if (error == beast::http::error::header_limit) return send_plain_error(431, "the header is larger than 16 KiB");
    send_plain_error(400, "not an HTTP/1.1 request: " + error.message());
  }

  /// Routes the request. False when it was answered without its body, or reading goes on by itself.
  bool on_head() {
    const auto& request = parser_->get();
    const auto view = [](boost::beast::string_view text) { return std::string_view(text.data(), text.size()); };
    head_.method_text = view(request.method_string());
    head_.method = http::method_from_text(head_.method_text);
    head_.target = view(request.target());
    head_.headers = this;
    head_.peer = peer_;
    request_id_ = server_.make_request_id(find("X-Request-Id"));
    head_.request_id = request_id_;
    keep_alive_ = request.keep_alive() && !draining_;
    peer_is_old_ = request.version() < 11;
    exchange_ = server_.application->begin(head_);
    body_bytes_max_ = exchange_->body_bytes_max();

    const bool has_body = !parser_->is_done();
    if (auto refusal = exchange_->refusal()) {
      if (has_body) keep_alive_ = false;
      lingers_ = has_body;
      send(std::move(*refusal));
      return false;
    }
    if (!has_body) return true;
    if (!find("Content-Encoding").empty() && find("Content-Encoding") != "identity") {
      send_plain_error(415, "a body must not be compressed");
      return false;
    }
    const auto announced = parser_->content_length();
    if (announced && *announced > body_bytes_max_) {
      refuse_large_body();
      return false;
    }
    if (!take_body_budget(announced ? static_cast<std::size_t>(*announced) : body_bytes_max_)) {
      send_plain_error(503, "too many large requests at once");
      return false;
    }
    enter(Phase::body, server_.options.body_timeout_ms);
    if (peer_is_old_ || !equal_ignoring_case(find("Expect"), "100-continue")) return true;
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = self()](const boost::system::error_code& error, std::size_t) {
                        if (error) return self->close();
                        self->parse();
                      });
    return false;
  }

  void refuse_large_body() {
    keep_alive_ = false;
    lingers_ = true;
    send(exchange_->too_large());
  }

  bool take_body_budget(std::size_t bytes) {
    if (bytes <= kSmallBodyBytes) return true;
    if ((server_.large_body_bytes += bytes) > limits::kLargeBodiesInFlightBytesMax) {
      server_.large_body_bytes -= bytes;
      return false;
    }
    body_budget_ = bytes;
    return true;
  }

  void release_body_budget() {
    server_.large_body_bytes -= body_budget_;
    body_budget_ = 0;
  }

  // ---- running ----

  void run() {
    enter(Phase::running, 0);
    bytes_in_ = parser_->get().body().size();
    http::Responder respond([self = self()](http::Response response) mutable {
      asio::dispatch(self->loop_.context(),
                     [self, response = std::move(response)]() mutable { self->send(std::move(response)); });
    });
    std::string body = std::move(parser_->get().body());
    // A large body takes long to parse, whatever its route.
    if (exchange_->is_heavy() || body.size() > kSmallBodyBytes / 4) {
      server_.workers.post([self = self(), body = std::move(body), respond = std::move(respond)]() mutable {
        self->exchange_->run(std::move(body), std::move(respond));
      });
    } else {
      exchange_->run(std::move(body), std::move(respond));
    }
  }

  // ---- writing ----

  /// For faults of the transport itself, before or beside the application. Closes afterwards.
  enum class Farewell { lingering, at_once };
  void send_plain_error(int status, std::string_view detail, Farewell farewell = Farewell::lingering) {
    keep_alive_ = false;
    lingers_ = farewell == Farewell::lingering;
    if (request_id_.empty()) request_id_ = server_.make_request_id({});
    std::string body = R"({"type":"about:blank","title":")" + std::string(http::reason_of(status)) + R"(","status":)" +
                       std::to_string(status) + R"(,"detail":")" + std::string(detail) + R"(","error":")" +
                       std::string(http::reason_of(status)) + R"(","request_id":")" + request_id_ + "\"}";
    auto response = http::make_text(status, "application/problem+json", std::move(body));
    if (status == 503) response.headers.push_back({"Retry-After", "5"});
    if (farewell == Farewell::at_once) {  // a read is still pending: write and close, whatever becomes of it
      head_text_ = make_head(response, {.body_bytes = std::get<std::string>(response.body).size(),
                                        .keep_alive = false,
                                        .request_id = request_id_}) +
                   std::get<std::string>(response.body);
      asio::async_write(stream_, asio::buffer(head_text_),
                        [self = self()](const boost::system::error_code&, std::size_t) { self->abort(); });
      return;
    }
    send(std::move(response));
  }

  void send(http::Response response) {
    if (response.upgrade && upgrade(response)) return;
    response_ = std::move(response);
    source_.reset();
    if (auto* source = std::get_if<std::unique_ptr<http::BodySource>>(&response_.body)) source_ = std::move(*source);
    const bool is_head = head_.method == http::Method::head;
    const bool bodiless = response_.status == 204 || response_.status == 304;
    const bool compress = wants_gzip();
    if (compress && !source_ && !response_.gzipped && whole_body().size() > kGzipInlineBytes)
      return compress_on_worker();
    HeadOptions options{.keep_alive = keep_alive_ && !draining_,
                        .gzipped = compress && !bodiless,
                        .varies_by_encoding = may_compress(),
                        .request_id = request_id_};
    if (bodiless) {
      options.framing = Framing::none;
    } else if (source_) {
      options.framing = peer_is_old_ ? Framing::until_close : Framing::chunked;
      const bool endless = response_.content_type == "text/event-stream";
      if (peer_is_old_ || endless) options.keep_alive = keep_alive_ = false;
      if (compress) gzip_.emplace();
    } else {
      if (compress && !response_.gzipped) response_.body = Gzip().add(whole_body(), Gzip::Flush::finish);
      options.body_bytes = whole_body().size();
    }
    bytes_out_ = 0;
    head_text_ = make_head(response_, options);
    enter(Phase::writing, server_.options.write_timeout_ms);
    const bool send_body = !is_head && !bodiless;
    if (!send_body) source_.reset();
    const std::string_view body = send_body && !source_ ? whole_body() : std::string_view{};
    bytes_out_ = body.size();
    const std::array<asio::const_buffer, 2> parts = {asio::buffer(head_text_), asio::buffer(body)};
    pumping_ = true;
    asio::async_write(stream_, parts, progress(), [self = self()](const boost::system::error_code& error, std::size_t) {
      self->pumping_ = false;
      if (error) return self->close();
      if (!self->source_) return self->finish();
      self->source_->start(make_wake(self->loop_, self->weak_from_this(), &HttpConnection::pump));
      self->pump();
    });
  }

  /// A write may take as long as it likes while the peer takes something now and then.
  auto progress() {
    return [this](const boost::system::error_code& error, std::size_t) -> std::size_t {
      if (error) return 0;
      enter(Phase::writing, server_.options.write_timeout_ms);
      return kWriteBytes;
    };
  }

  void compress_on_worker() {
    server_.workers.post([self = self()] {
      self->response_.body = Gzip().add(self->whole_body(), Gzip::Flush::finish);
      self->response_.gzipped = true;
      asio::post(self->loop_.context(), [self] { self->send(std::move(self->response_)); });
    });
  }

  [[nodiscard]] std::string_view whole_body() const {
    if (const auto* text = std::get_if<std::string>(&response_.body)) return *text;
    if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response_.body)) return **shared;
    return {};
  }

  [[nodiscard]] bool may_compress() const {
    const std::string_view type = response_.content_type;
    return type != "text/event-stream" && (type.starts_with("application/json") || type.starts_with("text/") ||
                                           type.starts_with("application/problem+json"));
  }

  [[nodiscard]] bool wants_gzip() const {
    if (response_.gzipped) return true;
    if (!may_compress() || !parser_ || !parser_->is_header_done()) return false;
    if (!source_ && whole_body().size() < kGzipBytesMin) return false;
    return accepts_gzip(find("Accept-Encoding"));
  }

  /// Notices a peer that goes away while a stream waits for something to say.
  void watch_peer() {
    if (std::exchange(watching_, true)) return;
    stream_.async_read_some(asio::buffer(peek_), [self = self()](const boost::system::error_code&, std::size_t) {
      // Bytes are as unexpected here as the end.
      self->peer_is_gone_ = true;
      if (self->phase_ == Phase::waiting) self->close();
    });
  }

  /// Writes what the source has; at most one write is on its way.
  void pump() {
    if (!source_ || pumping_) return;
    if (peer_is_gone_) return close();
    auto next = source_->next();
    if (std::holds_alternative<http::BodySource::Wait>(next)) {
      enter(Phase::waiting, 0);
      return watch_peer();
    }
    if (std::holds_alternative<http::BodySource::Abort>(next)) return abort();
    const bool is_end = std::holds_alternative<http::BodySource::End>(next);
    std::string bytes;
    if (auto* chunk = std::get_if<http::BodySource::Chunk>(&next)) {
      bytes = gzip_ ? gzip_->add(*chunk->bytes, Gzip::Flush::no) : *chunk->bytes;
    } else if (gzip_) {
      bytes = gzip_->add({}, Gzip::Flush::finish);
    }
    bytes_out_ += bytes.size();
    head_text_ = frame(bytes, is_end);
    if (head_text_.empty() && !is_end) return pump();
    pumping_ = true;
    enter(Phase::writing, server_.options.write_timeout_ms);
    asio::async_write(stream_, asio::buffer(head_text_), progress(),
                      [self = self(), is_end](const boost::system::error_code& error, std::size_t) {
                        self->pumping_ = false;
                        if (error) return self->close();
                        if (!is_end) return self->pump();
                        self->source_.reset();
                        self->gzip_.reset();
                        if (self->watching_) self->keep_alive_ = false;  // that read may have taken a byte
                        self->finish();
                      });
  }

  [[nodiscard]] std::string frame(const std::string& bytes, bool is_end) const {
    if (peer_is_old_) return bytes;
    std::string framed;
    if (!bytes.empty()) {
      char size[20];
      const auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
      framed.reserve(bytes.size() + 32);
      framed.append(size, end).append("\r\n").append(bytes).append("\r\n");
    }
    if (is_end) framed += "0\r\n\r\n";
    return framed;
  }

  void finish() {
    if (exchange_) {
      const std::string_view target = head_.target;
      const auto elapsed = std::chrono::steady_clock::now() - started_at_;
      server_.application->finished(
          {.method = head_.method,
           .route = exchange_->route(),
           .path = target.substr(0, target.find('?')),
           .key_id = exchange_->key_id(),
           .request_id = request_id_,
           .peer = peer_,
           .status = response_.status,
           .bytes_in = bytes_in_,
           .bytes_out = bytes_out_,
           .duration_us = std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count()});
    }
    bytes_in_ = 0;
    response_ = {};
    if (keep_alive_ && !draining_) return begin_request();
    if (lingers_) return linger();
    close();
  }

  // ---- ending ----

  /// Closing with unread bytes would reset the connection and take our answer with it: read on for a moment.
  void linger() {
    boost::system::error_code ignored;
    socket().shutdown(tcp::socket::shutdown_send, ignored);
    enter(Phase::lingering, kLingerMs);
    discard();
  }

  void discard() {
    socket().async_read_some(asio::buffer(peek_), [self = self()](const boost::system::error_code& error, std::size_t) {
      if (!error) self->discard();
    });
  }

  void close() {
    source_.reset();
    boost::system::error_code ignored;
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      enter(Phase::lingering, kLingerMs);
      stream_.async_shutdown([self = self()](const boost::system::error_code&) { self->abort(); });
    } else {
      socket().shutdown(tcp::socket::shutdown_both, ignored);
      socket().close(ignored);
    }
  }

  bool upgrade(http::Response& response) {
    if (!beast::websocket::is_upgrade(parser_->get())) {
      response = http::make_text(426, "application/problem+json",
                                 R"({"type":"about:blank","title":"Upgrade Required","status":426,)"
                                 R"("detail":"this route speaks WebSocket","error":"Upgrade Required"})");
      response.headers.push_back({"Upgrade", "websocket"});
      return false;
    }
    server_.application->finished({.method = head_.method,
                                   .route = exchange_->route(),
                                   .path = head_.target.substr(0, head_.target.find('?')),
                                   .key_id = exchange_->key_id(),
                                   .request_id = request_id_,
                                   .peer = peer_,
                                   .status = 101});
    server_.connections += 1;  // passes on to the new owner
    auto connection = make_on_loop<WebSocketConnection<Stream>>(loop_, server_, loop_, std::move(stream_),
                                                                std::move(response.upgrade));
    connection->start(parser_->release());
    return true;
  }

  ServerState& server_;
  Loop& loop_;
  Stream stream_;
  int native_socket_ = -1;
  const std::string peer_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Phase phase_ = Phase::idle;
  std::int64_t deadline_ms_ = 0;
  bool draining_ = false;

  // the request in progress
  http::RequestHead head_;
  std::string request_id_;
  std::unique_ptr<http::Exchange> exchange_;
  std::chrono::steady_clock::time_point started_at_;
  std::size_t body_bytes_max_ = 0;
  std::size_t body_budget_ = 0;
  std::size_t bytes_in_ = 0;
  bool keep_alive_ = true;
  bool peer_is_old_ = false;  // HTTP/1.0

  // its answer
  http::Response response_;
  std::string head_text_;
  std::unique_ptr<http::BodySource> source_;
  std::optional<Gzip> gzip_;
  std::size_t bytes_out_ = 0;
  bool lingers_ = false;
  bool pumping_ = false;
  bool watching_ = false;
  bool peer_is_gone_ = false;
  std::array<char, 512> peek_{};
};

}  // namespace syncline::net
