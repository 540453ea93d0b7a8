#include "api/kaisho/routes.hpp"

#include "api/kaisho/dialect.hpp"
#include "api/kaisho/errors.hpp"

namespace syncline::kaisho {

const api::ErrorFormat kErrors{
    [](JsonWriter& writer, const api::Problem& problem, std::string_view) { writer.string("error", problem.detail); },
    "application/json"};

std::vector<api::Route> Face::make_routes() {
  Routes routes(*this, "kaisho", kErrors);
  add_sync_routes(routes);
  add_timer_routes(routes);
  add_account_routes(routes);
  add_clock_routes(routes);
  routes.get("/ws", Scope::read, "WebSocket of events", &Face::open_socket)
      .described(
          "The first message, within 5 s, is {\"type\":\"auth\",\"api_key\":...} (or token), unless the key came in "
          "the header.")
      .key_may_follow()
      .answers(101, "connected, then an event for each change");
  return routes.take();
}

api::FaceModule make_module() {
  return {.name = "kaisho",
          .prefixes = {"/kaisho"},
          .space_rules = {{std::string(kSpace), make_space_rules()}},
          .events = {kTimerStarted, kTimerStopped},
          .dialect = &dialect(),
          .make = [](const api::FaceParts& parts) { return std::make_unique<Face>(parts.spaces, parts.access); }};
}

}  // namespace syncline::kaisho
