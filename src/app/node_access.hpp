// This device's node as the command line reaches it: over its API if it runs, else one is started for the length of the
// command, on the same data.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "app/data_directory.hpp"
#include "app/hub_access.hpp"
#include "app/node_server.hpp"
#include "app/output.hpp"
#include "base/result.hpp"
#include "http/client.hpp"

namespace syncline::app {

struct NodeOptions {
  std::string data = default_node_directory();
  std::string profile;  // the active one if empty
  std::string agent;    // whose memory; -a
  /// What a command does that finds no data: most make some, those that only read do not.
  DataDirectory::Missing missing = DataDirectory::Missing::create;
};

class NodeClient {
 public:
  /// Finds the node, or starts one, and says so if that made new data. `locked` if a node owns the data but does not
  /// answer, not_found if there is no data and none may be made.
  [[nodiscard]] static Result<std::unique_ptr<NodeClient>> open(const NodeOptions& options, OutputForm form);
  /// The same calls to a hub, for commands that work with either.
  [[nodiscard]] static Result<std::unique_ptr<NodeClient>> open_hub(const HubOptions& hub);
  /// False for a node that was started for this command.
  [[nodiscard]] bool runs_by_itself() const { return own_ == nullptr; }
  /// Clients of the same server, for other threads. Their requests are for the active profile.
  [[nodiscard]] const http::ClientFactory& clients() const { return clients_; }
  /// Any status is a success.
  [[nodiscard]] Result<http::ClientResponse> send(http::Method method, const std::string& target,
                                                  const std::string& body = "");
  /// The body of an answer of the 200s; others become errors with the node's own words.
  [[nodiscard]] Result<std::string> ask(http::Method method, const std::string& target, const std::string& body = "");
  /// A GET whose answer goes to `take` as it comes, until it ends, nothing comes for `silence_ms`, or `stop`.
  [[nodiscard]] Result<http::ClientResponse> stream(const std::string& target, std::int64_t silence_ms,
                                                    const std::function<void(std::string_view)>& take,
                                                    std::stop_token stop);

 private:
  NodeClient() = default;
  [[nodiscard]] http::ClientRequest make_request(http::Method method, const std::string& target,
                                                 const std::string& body, std::int64_t timeout_ms) const;
  void reach(http::ClientFactory clients);
  std::string profile_;
  std::unique_ptr<NodeServer> own_;  // if none was running
  http::ClientFactory clients_;
  std::unique_ptr<http::Client> client_;
};

}  // namespace syncline::app
