// A node as it runs: data directory, profiles, threads, and the API on a loopback address. The main thread starts and
// stops it; ARCHITECTURE.md lists its threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace syncline::app {

class NodeServer {
 public:
  /// Whom a node serves. By default: its user and root, outside of sandboxes, and its own pages.
  struct Visitors {
    std::vector<std::string> origins;  // of other pages, like "http://localhost:5173"
    bool any_user = false;
  };
  struct Options {
    std::string listen = "127.0.0.1:0";  // a loopback address and a port
    Visitors visitors;
    std::string ca_file;  // a CA that is trusted besides the system's, where a profile names none; empty for none
  };
  /// Owns the data directory and serves. `locked` if another node owns it.
  [[nodiscard]] static Result<std::unique_ptr<NodeServer>> start(const std::string& data, Options options);
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

struct NodeSettings {
  std::string data;
  std::string listen = "127.0.0.1:8765";
  std::string log_level = "info";
  std::string ca_file;                   // --ca-file
  std::vector<std::string> assignments;  // --set KEY=VALUE
};
/// Runs until SIGTERM or SIGINT.
[[nodiscard]] Result<> run_node(const NodeSettings& settings);

/// tls.ca_file of the node with this data directory, from its node.yaml or the environment; empty if it has none.
[[nodiscard]] Result<std::string> node_ca_file(const std::string& data);

/// Where a node that owns the directory says that it is served; empty if none does.
[[nodiscard]] std::string node_url_in(const std::string& data);

}  // namespace syncline::app
