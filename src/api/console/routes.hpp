// The web console: its page and the files that the page loads. What it shows comes from /v1, like for any other client.
// A module without spaces; it serves the same files to everybody, so it needs no key.
#pragma once

#include "api/console/assets.hpp"
#include "api/face.hpp"

namespace syncline::console {

/// Where the console begins.
inline constexpr std::string_view kPath = "/console";

class Face final : public api::Face {
 public:
  explicit Face(Assets assets) : assets_(std::move(assets)) {}

  [[nodiscard]] std::vector<api::Route> make_routes() override;

 private:
  void show_page(const api::CallPtr& call);
  void get_asset(const api::CallPtr& call);

  const Assets assets_;
};

[[nodiscard]] api::FaceModule make_module(Assets assets);

}  // namespace syncline::console
