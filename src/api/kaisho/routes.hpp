// The Kaisho face: the cloud that Kaisho desktops and phones sync with. docs/api/kaisho.md says what it answers.
#pragma once

#include "api/kaisho/quiet_ends.hpp"
#include "api/kaisho/space.hpp"
#include "api/router.hpp"
#include "service/spaces.hpp"

namespace syncline::kaisho {

class Face {
 public:
  Face(Spaces& spaces, Access& access);
  [[nodiscard]] std::vector<api::Route> make_routes();

 private:
  friend struct Handlers;
  void add_sync_routes(std::vector<api::Route>& routes);
  void add_timer_routes(std::vector<api::Route>& routes);
  void add_account_routes(std::vector<api::Route>& routes);
  void add_clock_routes(std::vector<api::Route>& routes);

  Spaces& spaces_;
  Access& access_;
  QuietEnds quiet_ends_;
};

}  // namespace syncline::kaisho
