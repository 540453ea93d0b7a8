// The Kaisho face: the cloud that Kaisho desktops and phones sync with. docs/api/kaisho.md says what it answers.
#pragma once

#include "api/kaisho/quiet_ends.hpp"
#include "api/kaisho/space.hpp"
#include "api/router.hpp"
#include "service/spaces.hpp"

namespace syncline::kaisho {

struct Handlers;

/// The rule book of `spaces` has make_space_rules() for kSpace.
class Face {
 public:
  Face(Spaces& spaces, Access& access) : spaces_(spaces), access_(access) {}
  [[nodiscard]] std::vector<api::Route> make_routes();

 private:
  friend struct Handlers;
  /// Adds one route and returns it, for what is particular about it.
  api::Route& add(std::vector<api::Route>& routes, http::Method method, std::string_view pattern, Scope scope,
                  api::Description description, void (Handlers::*handle)(const api::CallPtr&));
  void add_sync_routes(std::vector<api::Route>& routes);
  void add_timer_routes(std::vector<api::Route>& routes);
  void add_account_routes(std::vector<api::Route>& routes);
  void add_clock_routes(std::vector<api::Route>& routes);

  Spaces& spaces_;
  Access& access_;
  QuietEnds quiet_ends_;
};

}  // namespace syncline::kaisho
