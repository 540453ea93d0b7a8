#include "replica/worker.hpp"

#include "base/bytes.hpp"

namespace syncline::replica {
namespace {

std::uint32_t spread() { return static_cast<std::uint32_t>(random_number()); }

/// Takes the steps of a space until there is none, or the connection is not the one of now.
void take_steps_of(KeptSpace& space, const SpaceSet& spaces, const HubConnection& connection, http::Client& client,
                   const std::stop_token& stop) {
  for (;;) {
    std::optional<SpaceReplica::Request> request;
    {
      const MutexLock lock(space.mutex);
      if (!spaces.is_current(connection.number)) return;
      // Added while the connection was being made.
      if (space.replica.machine().is_off() && !space.connect(connection.hub, false)) return;
      space.replica.note_local_head({space.local_head.load()});
      request = space.replica.next(steady_ms(), spread());
      space.wake_ms = space.replica.machine().wake_at_ms().value_or(INT64_MAX);
    }
    if (!request) return;
    const auto response = client.send(request->http, stop);
    if (stop.stop_requested()) return;
    const MutexLock lock(space.mutex);
    const std::int64_t failures = space.replica.machine().failures();
    space.replica.finish(request->ticket, response, steady_ms(), spread());
    if (space.replica.machine().failures() > failures) client.renew_connection();
    space.wake_ms = space.replica.machine().wake_at_ms().value_or(INT64_MAX);
  }
}

}  // namespace

void take_steps(SpaceSet& spaces, const std::stop_token& stop) {
  HubConnection connection;
  std::int64_t client_is_of = connection.number;
  std::unique_ptr<http::Client> client;
  while (const auto space = spaces.take_due(connection, stop)) {
    if (client_is_of != connection.number) {
      client = connection.hub.clients();
      client_is_of = connection.number;
    }
    take_steps_of(*space, spaces, connection, *client, stop);
    spaces.release(*space);
  }
}

}  // namespace syncline::replica
