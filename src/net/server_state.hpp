// What all connections of a server share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "net/body_budget.hpp"
#include "net/connection_limit.hpp"
#include "net/loop.hpp"
#include "net/server.hpp"
#include "net/workers.hpp"

namespace syncline::net {

struct ServerState {
  explicit ServerState(ServerOptions of)
      : options(std::move(of)),
        workers(options.workers),
        connections({options.connections_max, options.connections_per_address_max, options.proxies.proxies}),
        bodies(options.bodies) {}

  const ServerOptions options;
  http::Application* application = nullptr;
  Workers workers;
  ConnectionLimit connections;
  BodyBudget bodies;
  std::atomic<bool> draining = false;

  /// The client's own id if it is a sensible one, else a new one.
  [[nodiscard]] std::string make_request_id(std::string_view sent);

 private:
  std::atomic<std::uint64_t> request_count_ = 0;
};

}  // namespace syncline::net
