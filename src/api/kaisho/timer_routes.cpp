// The running timer as desktops see it: show, start, stop.
//
// Scope read shows, write changes. Errors: 400 without id or start, 404 if the timer to stop does not run. A start
// changes the entry, and stops the entry that loses to it.
#include "api/kaisho/routes.hpp"
#include "api/kaisho/timer.hpp"

namespace syncline::kaisho {
namespace {

std::string started_text(const StartedTimer& started) {
  std::string out = is_running(started.entry) ? R"({"active":true,"winner":")" : R"({"active":false,"winner":")";
  out += started.won ? "incoming\"," : "existing\",";
  append_row_members(out, view_of(started.entry));
  return out + '}';
}

}  // namespace

void Face::get_active(const api::CallPtr& call) {
  std::string out = R"({"active":false})";
  CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto running, find_running(snapshot));
    if (!running) return {};
    out = R"({"active":true,)";
    append_row_members(out, view_of(*running));
    out += '}';
    return {};
  }));
  call->respond_json(200, std::move(out));
}

void Face::start_active(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, call->json_object());
  JsonObject row{body};
  const auto id = row.find("id");
  if (!id || !id->is_string()) return call->fail(Error{ErrorCode::invalid_argument, "id must be a string"});
  const auto start = row.find("start");
  if (!start || start->kind() == JsonKind::null) {
    return call->fail(Error{ErrorCode::invalid_argument, "start is missing"});
  }
  auto wanted = std::make_shared<const std::string>(row.text_of("id"));
  row.erase("end");
  auto fields = std::make_shared<const std::string>(row.to_text());
  auto started = std::make_shared<StartedTimer>();
  TRY_CALL(call, const Seq seen, spaces_.pulled_through(call->principal().key, pulled_of(space_of(*call), entries())));
  spaces_.write(
      space_of(*call), call->principal().key,
      [wanted] { return Reads{.records = {RecordKey{std::string(entries().collection), *wanted}}}; },
      [wanted, fields, started, seen](SpaceWriter& writer) -> Result<> {
        writer.note_seen_through(seen);
        TRY(*started, start_timer(writer, *wanted, JsonView(*fields)));
        return {};
      },
      [call, started](const Result<Cursor>& cursor) {
        if (!cursor) return call->fail(cursor.error());
        call->respond_json(started->won ? 201 : 200, started_text(*started));
      });
}

void Face::stop_active(const api::CallPtr& call) {
  if (call->body().empty()) call->body() = "{}";
  TRY_CALL(call, const JsonView body, call->json_object());
  const auto member = [&](std::string_view name) -> std::optional<JsonView> {
    const auto value = body.find(name);
    return value && value->kind() != JsonKind::null ? value : std::nullopt;
  };
  std::optional<std::string> id;
  if (const auto value = member("id")) {
    id = value->as_string();
    if (!id) return call->fail(Error{ErrorCode::invalid_argument, "id must be a string"});
  }
  std::optional<Timestamp> end;
  if (const auto value = member("end")) {
    const auto time = parse_client_time(*value);
    if (!time) {
      return call->fail(Error{ErrorCode::invalid_argument, "end must be a time like 2026-11-22T09:05:00Z"});
    }
    end = *time;
  }
  auto stopped = std::make_shared<Record>();
  spaces_.write(
      space_of(*call), call->principal().key,
      [id, end, stopped](SpaceWriter& writer) -> Result<> {
        TRY(*stopped, stop_timer(writer, id, end));
        return {};
      },
      [call, stopped](const Result<Cursor>& cursor) {
        if (!cursor) return call->fail(cursor.error());
        std::string out;
        append_row(out, view_of(*stopped));
        call->respond_json(200, std::move(out));
      });
}

void Face::add_timer_routes(Routes& routes) {
  routes.get("/sync/active", Scope::read, "Show the running timer", &Face::get_active)
      .answers(200, "active, and the entry if a timer runs", "KaishoActive");
  routes.post("/sync/active/start", Scope::write, "Start a timer", &Face::start_active)
      .described("The later start wins; the other timer is stopped at the winner's start.")
      .body("id, start, customer, description, task_id, contract, project", "KaishoStart")
      .answers(201, "the new timer wins: winner is incoming", "KaishoStarted")
      .answers(200, "the running timer wins: winner is existing, with its entry", "KaishoStarted")
      .answers(400, "id or start is missing");
  routes.post("/sync/active/stop", Scope::write, "Stop the running timer", &Face::stop_active)
      .body("id (only if this timer runs), end (now if absent)", "KaishoStop")
      .answers(200, "the finished entry", "KaishoEntry")
      .answers(404, "no timer runs, or another one");
}

}  // namespace syncline::kaisho
