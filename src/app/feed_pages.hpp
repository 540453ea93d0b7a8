// The feeds of spaces as tail, export and import reach them: at this device's node, or at a hub.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/hub_access.hpp"
#include "app/node_access.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace syncline::app {

/// Where the spaces are: at a hub if its URL is given, else at the node.
struct FeedServer {
  NodeOptions node;
  HubOptions hub;
};
[[nodiscard]] Result<std::unique_ptr<NodeClient>> open_server(const FeedServer& server, OutputForm form);

struct FeedSpace {
  std::string name;
  std::string cursor;    // its end
  std::int64_t seq = 0;  // of that

  [[nodiscard]] std::string epoch() const { return cursor.substr(0, cursor.find_first_of("-.")); }
};
/// Those that are named, or all.
[[nodiscard]] Result<std::vector<FeedSpace>> list_spaces(NodeClient& server, const std::vector<std::string>& named);

struct FeedPage {
  std::string body;
  std::string cursor;
  bool more = false;

  /// Without what a node keeps for itself.
  void for_each_change(const std::function<void(JsonView)>& visit) const;
};
[[nodiscard]] Result<FeedPage> read_page(NodeClient& server, const std::string& space, const std::string& since);

}  // namespace syncline::app
