// A node as it runs: data directory, profiles, threads, and the API on a loopback address.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"

namespace syncline::app {

class NodeServer {
 public:
  /// Owns the data directory and serves. `listen`: a loopback address and a port. `locked` if another node owns it.
  [[nodiscard]] static Result<std::unique_ptr<NodeServer>> start(const std::string& data, const std::string& listen);
  ~NodeServer();
  NodeServer(const NodeServer&) = delete;
  NodeServer& operator=(const NodeServer&) = delete;

  [[nodiscard]] std::string url() const;
  void stop();

 private:
  struct Parts;  // those who use a node need none of the headers of its parts
  explicit NodeServer(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
  bool is_stopped_ = false;
};

/// Runs until SIGTERM or SIGINT.
[[nodiscard]] Result<> run_node(const std::string& data, const std::string& listen, const std::string& log_level);

/// Where a node that owns the directory says that it is served; empty if none does.
[[nodiscard]] std::string node_url_in(const std::string& data);

}  // namespace syncline::app
