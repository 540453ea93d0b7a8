// The table of Kaisho's API. The files that end in _routes.cpp have its parts.
#include "api/kaisho/routes.hpp"

#include "api/kaisho/dialect.hpp"
#include "api/kaisho/errors.hpp"
#include "api/kaisho/schemas.hpp"

namespace syncline::kaisho {

const api::ErrorFormat kErrors{
    [](JsonWriter& writer, const api::Problem& problem, std::string_view) { writer.string("error", problem.detail); },
    "application/json", "KaishoProblem", R"("error":{"type":"string"})"};

std::vector<api::Route> Face::make_routes() {
  Routes routes(*this, "kaisho", kErrors);
  routes.all().with_schemas(kSchemas).in_space(kSpace);
  add_sync_routes(routes);
  add_timer_routes(routes);
  add_account_routes(routes);
  add_clock_routes(routes);
  routes.get("/ws", Scope::read, "Receive events over a WebSocket", &Face::open_socket)
      .described(
          "The first message, within 5 s, is {\"type\":\"auth\",\"api_key\":...} (or token), unless the key came in "
          "the header.")
      .key_may_follow()
      .answers(101, "the socket: connected, then an event for each change");
  return routes.take();
}

api::FaceModule make_module() {
  return {.name = "kaisho",
          .prefixes = {"/kaisho"},
          .space_rules = {{std::string(kSpace), make_space_rules()}},
          .events = {kTimerStarted, kTimerStopped},
          .dialect = &dialect(),
          .on_device = api::DeviceFace{{{"/clocks", "/api"}, {"/ws", ""}},
                                       [](Spaces& spaces, Access& access) -> std::unique_ptr<api::Face> {
                                         return std::make_unique<Face>(spaces, access);
                                       }},
          .make = [](const api::FaceParts& parts) { return std::make_unique<Face>(parts.spaces, parts.access); }};
}

}  // namespace syncline::kaisho
