// A node as it runs: data directory, profiles, threads, and the API on a loopback address.
#pragma once

#include "api/local/face.hpp"
#include "app/data_directory.hpp"
#include "net/server.hpp"
#include "net/workers.hpp"

namespace syncline::app {

class NodeServer {
 public:
  /// Owns the data directory and serves. `listen`: a loopback address and a port. `locked` if another node owns it.
  [[nodiscard]] static Result<std::unique_ptr<NodeServer>> start(const std::string& data, const std::string& listen);
  ~NodeServer();

  [[nodiscard]] std::string url() const { return server_.url(); }
  void stop();

 private:
  NodeServer(DataDirectory directory, net::ServerOptions options);

  DataDirectory directory_;
  SystemClock clock_;
  const RuleBook rules_;
  net::Server server_;
  net::Workers blocking_;
  node::Node node_;
  local::Face face_;
  bool is_stopped_ = false;
};

/// Runs until SIGTERM or SIGINT.
[[nodiscard]] Result<> run_node(const std::string& data, const std::string& listen, const std::string& log_level);

/// Where a node that owns the directory says that it is served; empty if none does.
[[nodiscard]] std::string node_url_in(const std::string& data);

}  // namespace syncline::app
