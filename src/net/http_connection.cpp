#include "net/http_connection.hpp"

#include <sys/socket.h>
#include <cassert>

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "net/peer_user.hpp"
#include "net/problem.hpp"
#include "net/response_head.hpp"
#include "net/web_socket_connection.hpp"

namespace syncline::net {
namespace {

constexpr std::int64_t kLingerMs = 2000;
/// An idle connection holds the smaller one.
constexpr std::size_t kHeadReadBytes = 4096;
constexpr std::size_t kBodyReadBytes = 64UL * 1024;
/// Longer bodies take long to parse, whatever their route: on a worker.
constexpr std::size_t kInlineBodyBytes = 256UL * 1024;

}  // namespace

HttpConnection::HttpConnection(ServerState& server, Loop& loop, std::unique_ptr<ByteStream> stream,
                               ConnectionLimit::Place place, std::string peer)
    : server_(server),
      loop_(loop),
      place_(std::move(place)),
      stream_(std::move(stream)),
      native_socket_(stream_->native_handle()),
      peer_(std::move(peer)) {
  loop_.add(*this);
}

HttpConnection::~HttpConnection() { loop_.remove(*this); }

void HttpConnection::start() {
  enter(Phase::handshake, server_.options.header_timeout_ms);
  stream_->handshake([self = self()](const boost::system::error_code& error, std::size_t) {
    if (!error) self->begin_request();
  });
}

void HttpConnection::sweep(std::int64_t now_ms) {
  if (now_ms < deadline_ms_) return;
  if (phase_ == Phase::head || phase_ == Phase::body) {
    // Say why, if the peer still listens; then it is over either way.
    enter(Phase::lingering, kLingerMs);
    send_problem_and_abort(408, "the request did not arrive in time");
  } else {
    abort();
  }
}

void HttpConnection::drain() {
  draining_ = true;
  if (phase_ == Phase::idle || phase_ == Phase::handshake) abort();
  if (encoder_ && encoder_->is_stream()) {
    encoder_->stop_stream();
    pump();
  }
}

void HttpConnection::abort() {
  if (stream_) stream_->abort();
}

bool HttpConnection::peer_has_left() const {
  char byte = 0;
  return ::recv(native_socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void HttpConnection::enter(Phase phase, std::int64_t timeout_ms) {
  phase_ = phase;
  deadline_ms_ = timeout_ms > 0 ? steady_ms() + timeout_ms : std::numeric_limits<std::int64_t>::max();
}

// ---- reading ----

void HttpConnection::begin_request() {
  if (draining_ || server_.draining) return close();
  exchange_.reset();
  body_charge_.release();
  head_ = {};
  waits_for_answer_ = false;
  request_id_.clear();
  reader_.begin();
  if (reader_.has_bytes()) {
    enter(Phase::head, server_.options.header_timeout_ms);
    parse();  // pipelined
  } else {
    enter(Phase::idle, server_.options.idle_timeout_ms);
    read_more();
  }
}

void HttpConnection::read_more() {
  const std::size_t room = phase_ == Phase::body ? body_room() : kHeadReadBytes;
  if (phase_ == Phase::body && !charge_body(room)) return;
  stream_->read_some(reader_.prepare(room), [self = self()](const boost::system::error_code& error, std::size_t bytes) {
    if (error || self->phase_ == Phase::lingering) return self->close();
    self->reader_.commit(bytes);
    if (self->phase_ == Phase::idle) self->enter(Phase::head, self->server_.options.header_timeout_ms);
    self->parse();
  });
}

void HttpConnection::parse() {
  while (!reader_.is_done()) {
    const auto parsed = reader_.parse();
    if (parsed == RequestReader::Parsed::malformed) {
      return send_problem(reader_.fault().status, reader_.fault().detail);
    }
    if (reader_.has_head() && !exchange_ && !on_head()) return;
    if (phase_ == Phase::body && reader_.body_bytes() > body_bytes_max_) return refuse_large_body();
    if (parsed == RequestReader::Parsed::need_more) {
      if (phase_ == Phase::body) enter_body();
      return read_more();
    }
  }
  run();
}

bool HttpConnection::on_head() {
  started_at_ = std::chrono::steady_clock::now();
  head_.method_text = reader_.method();
  head_.method = http::method_from_text(head_.method_text);
  head_.target = reader_.target();
  head_.headers = this;
  head_.peer = peer_;
  const ProxyTrust& proxies = server_.options.proxies;
  client_ = proxies.proxies.contains(peer_) ? client_of(peer_, reader_.join(proxies.header()), proxies) : peer_;
  head_.client = client_;
  request_id_ = server_.make_request_id(find("X-Request-Id"));
  head_.request_id = request_id_;
  keep_alive_ = reader_.keep_alive() && !draining_;
  if (!admit_peer()) return false;
  exchange_ = server_.application->begin(head_);
  body_bytes_max_ = exchange_->body_bytes_max();

  const bool has_body = !reader_.is_done();
  if (auto refusal = exchange_->refusal()) {
    if (has_body) keep_alive_ = false;
    lingers_ = has_body;
    send(std::move(*refusal));
    return false;
  }
  return !has_body || admit_body();
}

bool HttpConnection::admit_peer() {
  if (peer_is_admitted_ || !server_.options.own_user_only) return true;
  const std::string_view reason = refuse_foreign_peer(native_socket_);
  if (!reason.empty()) {
    send_problem(403, reason);
    return false;
  }
  peer_is_admitted_ = true;
  return true;
}

bool HttpConnection::admit_body() {
  if (!find("Content-Encoding").empty() && find("Content-Encoding") != "identity") {
    send_problem(415, "compressed request bodies are not supported");
    return false;
  }
  const auto announced = reader_.content_length();
  if (announced && *announced > body_bytes_max_) {
    refuse_large_body();
    return false;
  }
  body_begun_ms_ = steady_ms();
  enter_body();
  if (reader_.is_http_1_0() || !equal_ignoring_case(find("Expect"), "100-continue")) return true;
  send_continue();
  return false;
}

void HttpConnection::send_continue() {
  stream_->write({"HTTP/1.1 100 Continue\r\n\r\n"}, {},
                 [self = self()](const boost::system::error_code& error, std::size_t) {
                   if (error) return self->close();
                   self->parse();
                 });
}

void HttpConnection::refuse_large_body() {
  keep_alive_ = false;
  lingers_ = true;
  send(exchange_->too_large());
}

std::size_t HttpConnection::body_room() const {
  // A small body needs no large buffer, and one in chunks may be small: it gets as much again as has come.
  const std::uint64_t wanted = reader_.body_bytes_left().value_or(reader_.body_bytes());
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(wanted, kHeadReadBytes, kBodyReadBytes));
}

bool HttpConnection::charge_body(std::size_t room) {
  if (!body_charge_.has_begun()) {
    const std::string_view account = exchange_->account();
    body_charge_.begin(server_.bodies, account.empty() ? network_of_customer(client_) : std::string(account));
  }
  const auto verdict = body_charge_.grow_to(reader_.body_bytes() + room);
  if (verdict == BodyBudget::Verdict::taken) return true;
  reader_.drop_body();
  body_charge_.release();
  send_problem(503, verdict == BodyBudget::Verdict::share_is_used_up
                        ? "the bodies of this account's requests take too much memory; send fewer at once"
                        : "the bodies of all requests take too much memory; try again in a moment");
  return false;
}

void HttpConnection::enter_body() {
  enter(Phase::body, server_.options.body_timeout_ms);
  deadline_ms_ = std::min(deadline_ms_, body_deadline_ms());
}

std::int64_t HttpConnection::body_deadline_ms() const {
  const ServerOptions& options = server_.options;
  const auto bytes = static_cast<std::int64_t>(reader_.body_bytes());
  const std::int64_t paid_ms = bytes * 1000 / options.body_bytes_per_second_min;
  return body_begun_ms_ + std::min(options.body_total_ms, options.body_timeout_ms + paid_ms);
}

void HttpConnection::run() {
  enter(Phase::running, 0);
  bytes_in_ = reader_.body_bytes();
  http::Responder respond([self = self()](http::Response response) mutable {
    assert(self);  // answered once
    Loop& loop = self->loop_;
    loop.dispatch(
        [self = std::move(self), response = std::move(response)]() mutable { self->send(std::move(response)); });
  });
  std::string body = reader_.take_body();
  if (exchange_->is_heavy() || body.size() > kInlineBodyBytes) {
    server_.workers.post([self = self(), body = std::move(body), respond = std::move(respond)]() mutable {
      self->exchange_->run(std::move(body), std::move(respond));
    });
  } else {
    exchange_->run(std::move(body), std::move(respond));
    waits_for_answer_ = phase_ == Phase::running;
  }
}

// ---- writing ----

void HttpConnection::send(http::Response response) {
  if (response.upgrade && upgrade(response)) return;
  if (server_.options.tls) response.headers.push_back({"Strict-Transport-Security", "max-age=31536000"});
  encoder_.emplace(std::move(response),
                   ResponseEncoder::Request{.is_head = head_.method == http::Method::head,
                                            .is_http_1_0 = reader_.has_head() && reader_.is_http_1_0(),
                                            .headers = reader_.has_head() ? this : nullptr});
  if (!encoder_->is_slow_to_compress()) return write_response();
  server_.workers.post([self = self()]() mutable {
    self->encoder_->compress();
    Loop& loop = self->loop_;
    loop.post([self = std::move(self)] { self->write_response(); });
  });
}

http::Response HttpConnection::make_closing_problem(int status, std::string_view detail) {
  keep_alive_ = false;
  if (request_id_.empty()) request_id_ = server_.make_request_id({});
  auto response = make_problem(status, detail, request_id_);
  if (status == 503) response.headers.push_back({"Retry-After", "5"});
  return response;
}

void HttpConnection::send_problem(int status, std::string_view detail) {
  lingers_ = true;
  send(make_closing_problem(status, detail));
}

void HttpConnection::send_problem_and_abort(int status, std::string_view detail) {
  const auto response = make_closing_problem(status, detail);
  const std::string& body = std::get<std::string>(response.body);
  unsent_ =
      make_head(response, {.body_bytes = body.size(), .keep_alive = false, .request_id = request_id_}).append(body);
  stream_->write({unsent_}, {}, [self = self()](const boost::system::error_code&, std::size_t) { self->abort(); });
}

void HttpConnection::write_response() {
  if (encoder_->ends_connection()) keep_alive_ = false;
  unsent_ = encoder_->make_head(keep_alive_ && !draining_, request_id_);
  std::array<std::string_view, 2> pieces = {unsent_, encoder_->body()};
  // Nobody is inside of this exchange any more, and none follows at once: it may end here.
  if (std::exchange(waits_for_answer_, false) && !encoder_->is_stream() && !reader_.has_bytes()) {
    std::size_t written = stream_->write_now(pieces);
    for (std::string_view& piece : pieces) {
      const std::size_t taken = std::min(written, piece.size());
      piece.remove_prefix(taken);
      written -= taken;
    }
    if (pieces[0].empty() && pieces[1].empty()) return finish();
  }
  enter(Phase::writing, server_.options.write_timeout_ms);
  pumping_ = true;
  // Before the head: who has read it is told of all that happens from then on.
  if (encoder_->is_stream()) encoder_->start_stream(make_wake(loop_, weak_from_this(), &HttpConnection::pump));
  stream_->write(pieces, progress(), [self = self()](const boost::system::error_code& error, std::size_t) {
    self->pumping_ = false;
    if (error) return self->close();
    if (!self->encoder_->is_stream()) return self->finish();
    self->pump();
  });
}

void HttpConnection::pump() {
  if (!encoder_ || !encoder_->is_stream() || pumping_) return;
  if (peer_is_gone_) return close();
  auto next = encoder_->next_piece();
  if (std::holds_alternative<ResponseEncoder::Wait>(next)) {
    enter(Phase::waiting, 0);
    return watch_peer();
  }
  if (std::holds_alternative<ResponseEncoder::Abort>(next)) return abort();
  auto& piece = std::get<ResponseEncoder::Piece>(next);
  unsent_ = std::move(piece.bytes);
  pumping_ = true;
  enter(Phase::writing, server_.options.write_timeout_ms);
  stream_->write({unsent_}, progress(),
                 [self = self(), is_last = piece.is_last](const boost::system::error_code& error, std::size_t) {
                   self->pumping_ = false;
                   if (error) return self->close();
                   if (!is_last) return self->pump();
                   if (self->watching_) self->keep_alive_ = false;  // that read may have taken a byte
                   self->finish();
                 });
}

ByteStream::Progress HttpConnection::progress() {
  return [this] { enter(Phase::writing, server_.options.write_timeout_ms); };
}

void HttpConnection::watch_peer() {
  if (std::exchange(watching_, true)) return;
  stream_->read_some(peek_, [self = self()](const boost::system::error_code&, std::size_t) {
    // Bytes are as unexpected here as the end.
    self->peer_is_gone_ = true;
    if (self->phase_ == Phase::waiting) self->close();
  });
}

void HttpConnection::finish() {
  const auto elapsed = std::chrono::steady_clock::now() - started_at_;
  if (exchange_) {
    report(encoder_->status(), encoder_->bytes_out(),
           std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count());
  }
  bytes_in_ = 0;
  encoder_.reset();
  if (keep_alive_ && !draining_) return begin_request();
  if (lingers_) return linger();
  close();
}

void HttpConnection::report(int status, std::size_t bytes_out, std::int64_t duration_us) {
  server_.application->finished({.method = head_.method,
                                 .route = exchange_->route(),
                                 .path = head_.target.substr(0, head_.target.find('?')),
                                 .key_id = exchange_->key_id(),
                                 .request_id = request_id_,
                                 .peer = client_,
                                 .status = status,
                                 .bytes_in = bytes_in_,
                                 .bytes_out = bytes_out,
                                 .duration_us = duration_us});
}

bool HttpConnection::upgrade(http::Response& response) {
  if (!reader_.is_upgrade()) {
    response = make_problem(426, "this route requires a WebSocket upgrade", request_id_);
    response.headers.push_back({"Upgrade", "websocket"});
    return false;
  }
  report(101, 0, 0);
  start_web_socket(server_, loop_, std::move(stream_), *std::exchange(place_, std::nullopt),
                   std::move(response.upgrade), reader_.release());
  return true;
}

// ---- ending ----

/// Closing with unread bytes would reset the connection and take our answer with it: read on for a moment.
void HttpConnection::linger() {
  enter(Phase::lingering, kLingerMs);
  stream_->discard(self());
}

void HttpConnection::close() {
  assert(!pumping_);  // a write still refers to the answer
  encoder_.reset();
  enter(Phase::lingering, kLingerMs);
  stream_->shutdown([self = self()](const boost::system::error_code&, std::size_t) { self->stream_->close(); });
}

}  // namespace syncline::net
