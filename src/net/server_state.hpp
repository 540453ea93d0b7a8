// What all connections of a server share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "net/loop.hpp"
#include "net/server.hpp"
#include "net/workers.hpp"

namespace syncline::net {

struct ServerState {
  explicit ServerState(ServerOptions of) : options(std::move(of)), workers(options.workers) {}

  const ServerOptions options;
  http::Application* application = nullptr;
  Workers workers;
  std::atomic<std::size_t> connections = 0;
  std::atomic<std::size_t> large_body_bytes = 0;
  std::atomic<bool> draining = false;

  /// The client's own id if it is a sensible one, else a new one.
  [[nodiscard]] std::string make_request_id(std::string_view sent);

 private:
  std::atomic<std::uint64_t> request_count_ = 0;
};

}  // namespace syncline::net
