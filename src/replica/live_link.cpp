#include "replica/live_link.hpp"

#include <utility>

#include "base/back_off.hpp"
#include "base/json_object.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "base/text.hpp"
#include "http/event_stream_reader.hpp"

namespace syncline::replica {
namespace {

/// The hub says something on a quiet link each 20 s.
constexpr std::int64_t kLinkSilenceMs = 70'000;
/// A notice names a space and a cursor.
constexpr std::size_t kNoticeBytesMax = 64UL << 10U;

/// Whoever answers with anything else is not the hub.
bool begins_like_events(std::string_view bytes) {
  for (const std::string_view field : {":", "retry:", "event:", "id:", "data:"}) {
    if (bytes.starts_with(field) || field.starts_with(bytes)) return true;
  }
  return false;
}

std::string join_for_query(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ',';
    text += percent_encode(name);
  }
  return text;
}

}  // namespace

void LiveLink::note(Change change) {
  is_up_ = change == Change::up;
  for (const auto& space : spaces_.all()) {
    const MutexLock lock(space->mutex);
    Replicator& machine = space->replica.machine();
    switch (change) {
      case Change::up: machine.link_up(steady_ms()); break;
      case Change::closed: machine.link_down(); break;
      case Change::lost: machine.link_lost(); break;
    }
    spaces_.touch(*space);
  }
}

void LiveLink::find_spaces(std::int64_t connection, http::Client& client, const std::stop_token& stop) {
  const http::ClientRequest request{http::Method::get, "/v1/spaces", "", {}, 30'000, limits::kAnswerBytesSpaces};
  const auto response = client.send(request, stop);
  if (!response || response->status != 200) return;
  const auto answer = http::parse_object(response->body);
  const auto list = answer ? answer->find("spaces") : std::nullopt;
  if (!list || !list->is_array()) return;
  bool is_full = false;
  list->for_each_element([&](JsonView element) {
    const std::string name = is_full ? "" : element.text_of("name");
    if (!check_space_name(name) || !spaces_.is_current(connection)) return;
    if (spaces_.count() >= limits::kSpacesKeptMax && !spaces_.find(name)) {
      log(LogLevel::warning, "spaces_not_added",
          {{"kept", static_cast<std::int64_t>(limits::kSpacesKeptMax)}, {"first", name}});
      is_full = true;
      return;
    }
    if (const auto added = spaces_.add(name); !added) {
      log(LogLevel::warning, "space_not_added", {{"space", name}, {"error", added.error().text}});
    }
  });
}

void LiveLink::find_spaces(const std::stop_token& stop) {
  const auto connection = spaces_.connection();
  if (!connection || !connection->hub.dialect->has_live_link()) return;
  find_spaces(connection->number, *connection->hub.clients(), stop);
}

void LiveLink::take_notice(std::int64_t connection, const std::string& event, const std::string& data) {
  if (event != "change" && event != "reset") return;
  const auto notice = parse_json_object(data, limits::kBodyDepthMax);
  const auto cursor = notice ? parse_cursor(notice->text_of("cursor")) : fail(ErrorCode::unavailable, "");
  const auto space = notice ? spaces_.find(notice->text_of("space")) : nullptr;
  if (!cursor || !space || !spaces_.is_current(connection)) return;
  const MutexLock lock(space->mutex);
  space->replica.machine().note_hub_head(*cursor);
  spaces_.touch(*space);
}

void LiveLink::listen_once(const HubConnection& connection, http::Client& client, const std::stop_token& stop,
                           bool& was_up) {
  find_spaces(connection.number, client, stop);
  std::stop_source ends_link;
  // After find_spaces: a space that is added from now on ends the link.
  const auto names = spaces_.open_link(connection.number, ends_link);
  if (!names || names->empty()) return;
  const std::stop_callback forward(stop, [&ends_link] { ends_link.request_stop(); });
  // The link may also end because it is none, and then it is not opened anew at once.
  std::stop_source ends_stream;
  const std::stop_callback forward_end(ends_link.get_token(), [&ends_stream] { ends_stream.request_stop(); });
  const std::int64_t ends_ms = steady_ms() + connection.hub.interval_ms;
  bool has_begun = false;
  http::EventStreamReader reader(
      [this, &connection](const std::string& event, const std::string& data) {
        take_notice(connection.number, event, data);
      },
      kNoticeBytesMax);
  http::ClientRequest request{http::Method::get, "/v1/events?spaces=" + join_for_query(*names), "", {}, kLinkSilenceMs};
  request.headers = {{"Accept", "text/event-stream"}};
  (void)client.stream(
      request,
      [&](std::string_view bytes) {
        const bool is_first = !std::exchange(has_begun, true);
        if (is_first && !begins_like_events(bytes)) ends_stream.request_stop();
        if (ends_stream.stop_requested()) return;
        if (!was_up && spaces_.is_current(connection.number)) {
          was_up = true;
          note(Change::up);
        }
        reader.add(bytes);
        // Now and then the link is opened anew, to hear of spaces that other devices have made.
        if (steady_ms() >= ends_ms) ends_link.request_stop();
      },
      ends_stream.get_token());
}

void LiveLink::listen(const std::stop_token& stop) {
  BackOff back_off;
  HubConnection connection;
  std::int64_t client_is_of = connection.number;
  std::unique_ptr<http::Client> client;
  while (spaces_.wait_for_link_hub(connection, stop)) {
    if (client_is_of != connection.number) {
      client = connection.hub.clients();
      client_is_of = connection.number;
      back_off.reset();
    }
    bool was_up = false;
    listen_once(connection, *client, stop, was_up);
    const std::stop_token ended = spaces_.take_link_end();
    const bool is_opened_anew = ended.stop_requested();
    if (was_up) {
      note(is_opened_anew ? Change::closed : Change::lost);
      back_off.reset();
    }
    // Wait, unless it was ended to be opened anew.
    if (is_opened_anew) continue;
    client->renew_connection();
    std::stop_source sleep;
    const std::stop_callback wake_on_stop(stop, [&sleep] { sleep.request_stop(); });
    const std::stop_callback wake_on_change(ended, [&sleep] { sleep.request_stop(); });
    wait_unless_stopped(sleep.get_token(), std::chrono::milliseconds(back_off.next_ms()));
  }
}

}  // namespace syncline::replica
