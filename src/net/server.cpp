#include "net/server.hpp"

#include <malloc.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <chrono>
#include <future>
#include <mutex>
#include <thread>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "net/byte_stream.hpp"
#include "net/http_connection.hpp"
#include "net/tcp_socket.hpp"
#include "net/tls_context.hpp"

namespace syncline::net {
namespace {

using tcp = asio::ip::tcp;

constexpr std::size_t kRequestIdBytesMax = 64;
/// Closed sockets need a moment to tell their handlers.
constexpr std::int64_t kAbortMs = 1000;
/// Trimming the heap is worth its time from here on.
constexpr std::size_t kReturnedBytesMin = 4UL << 20U;
/// What a connection takes, roughly.
constexpr std::size_t kConnectionBytes = 8UL << 10U;
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

std::string peer_of(const TcpSocket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? "-" : endpoint.address().to_string();
}

}  // namespace

std::string ServerState::make_request_id(std::string_view sent) {
  const bool plain = !sent.empty() && sent.size() <= kRequestIdBytesMax && std::ranges::all_of(sent, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == ':';
  });
  if (plain) return std::string(sent);
  static const std::uint64_t kStart = random_number();
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, kStart + request_count_++, 16).ptr;
  return {digits, end};
}

struct Server::Parts {
  explicit Parts(ServerOptions options) : state(std::move(options)), scheduler(loops) {
    for (std::size_t i = 0; i < state.options.loops; ++i) loops.push_back(std::make_unique<Loop>());
  }

  void accept_next();
  void on_accept(const boost::system::error_code& error, TcpSocket socket, Loop& loop);
  [[nodiscard]] Result<> listen();

  ServerState state;
  std::vector<std::unique_ptr<Loop>> loops;
  LoopScheduler scheduler;
  std::optional<tcp::acceptor> acceptor;
  std::optional<asio::steady_timer> accept_pause;
  std::size_t turn = 0;
  std::size_t peak_bytes = 0;  // of bodies and connections, since memory was returned; for return_memory()
  Mutex tls_mutex;
  std::shared_ptr<asio::ssl::context> tls GUARDED_BY(tls_mutex);
  bool started = false;
};

Server::Server(ServerOptions options) : parts_(std::make_unique<Parts>(std::move(options))) {}

Server::~Server() {
  if (parts_->started) drain();
}

Scheduler& Server::scheduler() { return parts_->scheduler; }

Executor& Server::workers() { return parts_->state.workers; }

Result<> Server::Parts::listen() {
  boost::system::error_code error;
  const auto address =
      asio::ip::make_address(state.options.host == "localhost" ? "127.0.0.1" : state.options.host, error);
  if (error) {
    return fail(ErrorCode::invalid_argument, "'" + state.options.host + "' is not a valid listen address");
  }
  const tcp::endpoint endpoint(address, state.options.port);
  acceptor.emplace(loops.front()->context());
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(4096, error);
  if (error) {
    return fail(ErrorCode::busy, "cannot listen on " + state.options.host + ":" + std::to_string(state.options.port) +
                                     ": " + error.message());
  }
  return {};
}

Result<> Server::start(http::Application& application) {
  parts_->state.application = &application;
  if (parts_->state.options.tls) CHECK_OK(reload_certificates());
  CHECK_OK(parts_->listen());
  parts_->accept_pause.emplace(parts_->loops.front()->context());
  parts_->loops.front()->post([parts = parts_.get()] { parts->accept_next(); });
  for (const auto& loop : parts_->loops) loop->start();
  parts_->started = true;
  return {};
}

void Server::Parts::accept_next() {
  Loop& loop = *loops[turn++ % loops.size()];
  acceptor->async_accept(loop.context(), [this, &loop](const boost::system::error_code& error, TcpSocket::Base socket) {
    on_accept(error, TcpSocket(std::move(socket)), loop);
  });
}

void Server::Parts::on_accept(const boost::system::error_code& error, TcpSocket socket, Loop& loop) {
  if (error == asio::error::operation_aborted || state.draining) return;
  if (error) {
    // Out of descriptors, most likely: wait for some to be closed.
    log(LogLevel::warning, "accept_failed", {{"error", error.message()}});
    accept_pause->expires_after(kAcceptPause);
    accept_pause->async_wait([this](const boost::system::error_code& stopped) {
      if (!stopped) accept_next();
    });
    return;
  }
  std::string peer = peer_of(socket);
  if (auto place = state.connections.take(peer)) {
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::shared_ptr<asio::ssl::context> context;
    if (state.options.tls) {
      const MutexLock lock(tls_mutex);
      context = tls;
    }
    loop.post([this, &loop, context, socket = std::move(socket), place = std::move(*place),
               peer = std::move(peer)]() mutable {
      auto stream = context ? make_tls_stream(std::move(socket), *context) : make_plain_stream(std::move(socket));
      make_on_loop<HttpConnection>(loop, state, loop, std::move(stream), std::move(place), std::move(peer))->start();
    });
  }
  accept_next();
}

std::uint16_t Server::port() const { return parts_->acceptor->local_endpoint().port(); }

std::string Server::url() const {
  const std::string& host = parts_->state.options.host;
  const bool is_v6 = host.find(':') != std::string::npos;
  return std::string(parts_->state.options.tls ? "https://" : "http://") + (is_v6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port());
}

Result<> Server::reload_certificates() {
  if (!parts_->state.options.tls) return {};
  TRY(auto context, make_tls_context(*parts_->state.options.tls));
  const MutexLock lock(parts_->tls_mutex);
  parts_->tls = std::move(context);
  return {};
}

void Server::return_memory() {
  ServerState& state = parts_->state;
  const std::size_t peak = state.bodies.take_peak() + kConnectionBytes * state.connections.take_peak();
  const std::size_t now = state.bodies.bytes() + kConnectionBytes * state.connections.count();
  parts_->peak_bytes = std::max(parts_->peak_bytes, peak);
  if (parts_->peak_bytes < now + kReturnedBytesMin) return;
  parts_->peak_bytes = now;
  ::malloc_trim(0);
}

void Server::drain() {
  if (!parts_->started) return;
  parts_->started = false;
  parts_->state.draining = true;
  const auto on_each = [&](auto act) {
    for (const auto& loop : parts_->loops) {
      std::promise<void> done;
      const auto is_done = done.get_future();
      // The handler owns the promise: should it throw, the wait ends all the same.
      loop->post([&act, &loop, done = std::move(done)]() mutable {
        act(*loop);
        done.set_value();
      });
      is_done.wait();
    }
  };
  std::size_t first = 0;
  on_each([&](Loop& loop) {
    if (first++ == 0) parts_->acceptor->close();
    loop.drain_connections();
  });
  const std::int64_t deadline_ms = steady_ms() + parts_->state.options.drain_ms;
  const auto open = [&] {
    std::size_t count = 0;
    for (const auto& loop : parts_->loops) count += loop->connection_count();
    return count;
  };
  while (open() > 0 && steady_ms() < deadline_ms) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  parts_->state.workers.stop();
  on_each([](Loop& loop) { loop.abort_connections(); });
  const std::int64_t abort_deadline_ms = steady_ms() + kAbortMs;
  while (open() > 0 && steady_ms() < abort_deadline_ms) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  for (const auto& loop : parts_->loops) loop->stop();
}

}  // namespace syncline::net
