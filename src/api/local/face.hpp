// The API of a node, for the programs on its device. Whoever reaches it acts as the owner of the device, so it rejects
// requests for other hosts, from pages of other origins, and bodies that a page could send without asking. There is one
// table of routes per profile: a request uses the active profile, or the one that it names (header X-Syncline-Profile,
// or ?profile=). Any thread may ask; handlers run on network threads, and on those of `blocking` if they wait for a
// hub.
#pragma once

#include <map>

#include "api/face.hpp"
#include "api/router.hpp"
#include "base/mutex.hpp"
#include "node/node.hpp"

namespace syncline::local {

class Face final : public http::Application {
 public:
  /// `modules`: the faces of which a node serves some routes. `blocking`: threads for what waits for a hub.
  /// `origins`: whose pages may use the API besides its own, like "http://localhost:5173".
  Face(node::Node& node, const std::vector<api::FaceModule>& modules, Executor& blocking, std::string version,
       std::vector<std::string> origins = {})
      : node_(node),
        modules_(modules),
        blocking_(blocking),
        version_(std::move(version)),
        origins_(std::move(origins)) {}

  [[nodiscard]] std::unique_ptr<http::Exchange> begin(const http::RequestHead& head) override;
  void finished(const http::Summary& summary) override;
  void web_sockets_changed(std::int64_t delta) override;

 private:
  struct ProfileFaces;
  class Rejected;
  class Held;

  [[nodiscard]] Result<std::shared_ptr<ProfileFaces>> faces_for(const http::RequestHead& head);

  node::Node& node_;
  const std::vector<api::FaceModule>& modules_;
  Executor& blocking_;
  const std::string version_;
  const std::vector<std::string> origins_;
  Mutex mutex_;
  /// Made at the first request of a profile, while its replica is at work: making them changes nothing of the profile.
  std::map<std::string, std::shared_ptr<ProfileFaces>> faces_ GUARDED_BY(mutex_);
};

}  // namespace syncline::local
