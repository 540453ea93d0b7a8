#include "api/kaisho/routes.hpp"

#include "api/kaisho/handlers.hpp"

namespace syncline::kaisho {

Face::Face(Spaces& spaces, Access& access) : spaces_(spaces), access_(access) {
  spaces.set_rules(std::string(kSpace), make_space_rules());
}

std::vector<api::Route> Face::make_routes() {
  std::vector<api::Route> routes;
  add_sync_routes(routes);
  add_timer_routes(routes);
  add_account_routes(routes);
  add_clock_routes(routes);
  routes.push_back({.method = http::Method::get,
                    .pattern = "/ws",
                    .any_of = {Scope::read},
                    .description = {"WebSocket of events",
                                    "The first message, within 5 s, is {\"type\":\"auth\",\"api_key\":...} (or token), "
                                    "unless the key came in the header.",
                                    {},
                                    "",
                                    {{101, "connected, then an event for each change"}}},
                    .handle = [this](const api::CallPtr& call) { Handlers(*this).open_socket(call); },
                    .key = api::Route::Key::may_follow});
  for (api::Route& route : routes) {
    route.face = "kaisho";
    route.errors = api::ErrorStyle::detail_json;
  }
  return routes;
}

}  // namespace syncline::kaisho
