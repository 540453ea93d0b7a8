#include "api/kaisho/routes.hpp"

#include "api/kaisho/handlers.hpp"

namespace syncline::kaisho {

api::Route& Face::add(std::vector<api::Route>& routes, http::Method method, std::string_view pattern, Scope scope,
                      api::Description description, void (Handlers::*handle)(const api::CallPtr&)) {
  return routes.emplace_back(
      api::Route{.method = method,
                 .pattern = pattern,
                 .any_of = {scope},
                 .description = std::move(description),
                 .handle = [this, handle](const api::CallPtr& call) { (Handlers(*this).*handle)(call); }});
}

std::vector<api::Route> Face::make_routes() {
  std::vector<api::Route> routes;
  add_sync_routes(routes);
  add_timer_routes(routes);
  add_account_routes(routes);
  add_clock_routes(routes);
  add(routes, http::Method::get, "/ws", Scope::read,
      {"WebSocket of events",
       "The first message, within 5 s, is {\"type\":\"auth\",\"api_key\":...} (or token), unless the key came in the "
       "header.",
       {},
       "",
       {{101, "connected, then an event for each change"}}},
      &Handlers::open_socket)
      .key = api::Route::Key::may_follow;
  for (api::Route& route : routes) {
    route.face = "kaisho";
    route.errors = api::ErrorStyle::detail_json;
  }
  return routes;
}

}  // namespace syncline::kaisho
