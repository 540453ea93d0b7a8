// The API of a node, for the programs on its device. Its owner is everybody who gets here, so only this device gets
// here: other hosts and pages of other sites are turned away. One table of routes a profile; requests mean the active
// profile, or the one they name (header X-Syncline-Profile, or ?profile=).
#pragma once

#include <map>

#include "api/router.hpp"
#include "base/mutex.hpp"
#include "node/node.hpp"

namespace syncline::local {

class Face final : public http::Application {
 public:
  /// `blocking`: threads for what waits for a hub.
  Face(node::Node& node, Executor& blocking, std::string version)
      : node_(node), blocking_(blocking), version_(std::move(version)) {}

  [[nodiscard]] std::unique_ptr<http::Exchange> begin(const http::RequestHead& head) override;
  void finished(const http::Summary& summary) override;
  void web_sockets_changed(std::int64_t delta) override;

 private:
  struct ProfileFaces;
  class TurnedAway;
  class Held;

  [[nodiscard]] Result<std::shared_ptr<ProfileFaces>> faces_for(const http::RequestHead& head);

  node::Node& node_;
  Executor& blocking_;
  const std::string version_;
  Mutex mutex_;
  /// Made at the first request of a profile, while its replica is at work: making them changes nothing of the profile.
  std::map<std::string, std::shared_ptr<ProfileFaces>> faces_ GUARDED_BY(mutex_);
};

}  // namespace syncline::local
