// The HTTP server: sockets, limits and time-outs, TLS, WebSocket. Knows nothing of sync. A few event loops, each with a
// thread; a connection stays on the loop that it was given. The application is called on that loop's thread, or on a
// worker thread if the request is heavy; it may answer from any thread. The owner's thread starts and stops the server.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/scheduler.hpp"
#include "http/message.hpp"
#include "net/body_budget.hpp"
#include "net/client_address.hpp"

namespace syncline::net {

struct TlsFiles {
  std::string certificate;  // PEM, the chain from the server's certificate up
  std::string key;          // PEM
};

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one
  std::size_t loops = 2;
  std::size_t workers = 2;
  std::optional<TlsFiles> tls;
  /// On loopback: serves programs of this process's user and of root only (net/peer_user.hpp).
  bool own_user_only = false;
  std::size_t connections_max = limits::kConnectionsMax;
  std::size_t connections_per_address_max = 0;  // 0: no limit
  ProxyTrust proxies;
  BodyBudget::Limits bodies = {
      .all = limits::kBodiesBytesMax, .share = limits::kBodiesShareBytesMax, .granted = limits::kBodiesGrantedBytes};
  std::int64_t header_timeout_ms = limits::kHeaderTimeoutMs;
  std::int64_t idle_timeout_ms = limits::kIdleTimeoutMs;
  std::int64_t body_timeout_ms = limits::kBodyTimeoutMs;
  std::int64_t body_total_ms = limits::kBodyTotalMs;
  std::int64_t body_bytes_per_second_min = limits::kBodyBytesPerSecondMin;
  std::int64_t write_timeout_ms = limits::kWriteTimeoutMs;
  std::int64_t drain_ms = limits::kDrainMs;
  std::int64_t ping_interval_ms = limits::kPingIntervalMs;
};

class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();

  /// Timers for the application; usable before start() and until the server is destroyed.
  [[nodiscard]] Scheduler& scheduler();

  /// The threads that heavy requests run on.
  [[nodiscard]] Executor& workers();

  /// Listens and begins to serve. `busy` if the port is taken, invalid_argument for a bad address or certificate.
  [[nodiscard]] Result<> start(http::Application& application);
  /// The port that was taken.
  [[nodiscard]] std::uint16_t port() const;
  /// "http://127.0.0.1:8080"
  [[nodiscard]] std::string url() const;
  /// Reads the certificate files again; new connections use them. The old ones stay in use if this fails.
  [[nodiscard]] Result<> reload_certificates();
  /// Gives memory back to the system once there are many fewer bodies or connections than there were. Takes
  /// milliseconds then. Every second, from one thread at a time.
  void return_memory();
  /// Accepts no more, lets requests in progress finish for up to drain_ms, then ends everything. Blocks.
  void drain();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace syncline::net
