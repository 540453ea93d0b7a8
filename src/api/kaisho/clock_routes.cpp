// Clock entries as the phone sees and changes them. Everything here gets the hub's time as timestamp.
//
// Scope read shows, write changes. Errors: 400 for a wrong day, zone or duration, 404 for an unknown or deleted entry,
// 409 for a start while a timer runs. Changes one entry at a time; a change is announced to the sockets of the
// account.
#include <algorithm>
#include <array>
#include <span>

#include "api/idempotency.hpp"
#include "api/kaisho/clock_text.hpp"
#include "api/kaisho/duration.hpp"
#include "api/kaisho/routes.hpp"
#include "api/kaisho/timer.hpp"
#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline::kaisho {
namespace {

/// The members of `body` that have one of these names.
JsonObject chosen(JsonView body, std::span<const std::string_view> names) {
  JsonObject fields;
  for (const std::string_view name : names) {
    if (const auto value = body.find(name)) fields.set(name, std::string(value->raw()));
  }
  return fields;
}

constexpr std::array<std::string_view, 5> kBookable = {"customer", "description", "task_id", "contract", "project"};
constexpr std::array<std::string_view, 7> kChangeable = {"customer", "description", "task_id", "contract",
                                                         "project",  "notes",       "invoiced"};

Result<JsonView> body_or_empty(api::Call& call) {
  if (call.body().empty()) call.body() = "{}";
  return call.json_object();
}

/// What a write came to: an entry as text.
using EntryText = std::shared_ptr<std::string>;

void respond_entry(const api::CallPtr& call, int status, const EntryText& text, const Result<Cursor>& cursor) {
  if (!cursor) return call->fail(cursor.error());
  call->respond_json(status, std::move(*text));
}

Result<Record> get_live(SpaceWriter& writer, std::string_view id) {
  TRY(auto entry, writer.txn().find(entry_collection(), id));
  if (!entry || entry->deleted) return fail(ErrorCode::not_found, "entry not found");
  return *std::move(entry);
}

/// What a change of an entry looks up, and the text that is answered.
Reads reads_of(const std::string& id) {
  return {.records = {RecordKey{entry_collection(), id}}, .values = {synced_at_value(id)}};
}

/// Stores a new entry of the phone's, or another version of one: `row` is shaped like any other row.
Result<Record> put_entry(SpaceWriter& writer, std::string_view id, const JsonObject& row) {
  writer.txn().expect([&] { return reads_of(std::string(id)); });
  const std::string text = row.to_text();
  TRY(const OpResult result, writer.apply({.collection = entry_collection(), .id = id, .doc = text}));
  if (result.error) return std::unexpected(*result.error);
  return get_live(writer, id);
}

/// A time that the body names, or nothing.
Result<std::optional<Timestamp>> time_in(JsonView body, std::string_view name) {
  const auto value = body.find_set(name);
  if (!value) return std::nullopt;
  const auto time = parse_client_time(*value);
  if (!time) return fail(ErrorCode::invalid_argument, std::string(name) + " must be a time like 2026-11-22T09:05:00Z");
  if (!is_client_time(*time)) {
    return fail(ErrorCode::invalid_argument, std::string(name) + " must be " + std::string(kClientYears));
  }
  return *time;
}

/// What a start or a stop says of the entry beside its fields.
struct NamedEntry {
  std::optional<std::string> id;
  std::optional<Timestamp> start;
  std::optional<Timestamp> end;

  [[nodiscard]] Reads reads() const { return id ? reads_of(*id) : Reads{}; }
};

Result<NamedEntry> read_named_entry(JsonView body) {
  NamedEntry named;
  if (const auto id = body.find_set("id")) {
    named.id = id->as_string();
    if (!named.id) return fail(ErrorCode::invalid_argument, "id must be a string");
    CHECK_OK(check_record_id(*named.id));
  }
  TRY(named.start, time_in(body, "start"));
  TRY(named.end, time_in(body, "end"));
  return named;
}

/// The entry of that id, to answer a repeated start; nothing if there is none yet.
Result<std::optional<Record>> find_started(SpaceWriter& writer, const NamedEntry& named) {
  if (!named.id) return std::nullopt;
  TRY(auto stored, writer.find(entry_collection(), *named.id));
  if (!stored || stored->rule == Rule::wiped) return std::nullopt;
  if (!is_running(*stored)) return fail(ErrorCode::conflict, "an entry with this id exists already");
  return stored;
}

constexpr std::int64_t kNoonSeconds = std::int64_t{12} * 3600;

/// The zone whose days the body means; UTC if it names none.
Result<TimeZone> zone_in(JsonView body) {
  const auto name = body.find_set("zone");
  return name ? TimeZone::find(name->as_string().value_or(std::string(name->raw()))) : TimeZone::utc();
}

struct Booking {
  Timestamp start;
  Timestamp end;
};

Result<Booking> read_booking(JsonView body, Timestamp now) {
  TRY(const auto start, time_in(body, "start"));
  TRY(const auto end, time_in(body, "end"));
  if (start && end) {
    if (body.find_set("duration")) {
      return fail(ErrorCode::invalid_argument, "give two of start, end and duration");
    }
    return Booking{*start, *end};
  }
  const auto duration = body.find("duration");
  const auto seconds = parse_duration(duration ? duration->as_string().value_or("") : "");
  if (!seconds) return fail(ErrorCode::invalid_argument, "duration must be like 2h, 30m, 1.5h or 1h30m");
  const std::int64_t micros = *seconds * kMicrosPerSecond;
  if (start) return Booking{*start, start->plus_micros(micros)};
  if (end) return Booking{end->plus_micros(-micros), *end};
  const auto date = body.find("date");
  if (!date || date->kind() == JsonKind::null) return Booking{now.plus_micros(-micros), now};
  TRY(const TimeZone zone, zone_in(body));
  const std::string text = date->as_string().value_or("");
  auto day = parse_day(text);
  if (const auto moment = parse_time(text); !day && moment) day = zone.day_at(*moment);
  if (!day) return fail(ErrorCode::invalid_argument, "date must be a day like 2026-11-22");
  const Timestamp noon = zone.moment_of(*day, kNoonSeconds);
  return Booking{noon, noon.plus_micros(micros)};
}

}  // namespace

void Face::get_clock(const api::CallPtr& call) {
  std::string out = R"({"active":false})";
  CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto running, find_running(snapshot));
    if (!running) return {};
    TRY(const std::string members, clock_members(snapshot, *running));
    out = R"({"active":true,)" + members + '}';
    return {};
  }));
  call->respond_json(200, std::move(out));
}

void Face::start_clock(const api::CallPtr& call) {
  struct Started {
    int status = 201;
    std::string text;
  };
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  TRY_CALL(call, const NamedEntry named, read_named_entry(body));
  auto fields = std::make_shared<JsonObject>(chosen(body, kBookable));
  auto started = std::make_shared<Started>();
  spaces_.write(
      space_of(*call), call->principal().key, [named] { return named.reads(); },
      [named, fields, started](SpaceWriter& writer) -> Result<> {
        TRY(const auto same, find_started(writer, named));
        started->status = same ? 200 : 201;
        if (same) {
          TRY(started->text, clock_text(writer.txn(), *same));
          return {};
        }
        TRY(const auto running, find_running(writer.txn()));
        if (running && !named.end) return fail(ErrorCode::conflict, "a timer is already running");
        fields->set_text("start", format_time(named.start.value_or(writer.now())));
        if (named.end) fields->set_text("end", format_time(*named.end));
        CHECK_OK(check_order_of_times(*fields));
        TRY(const Record entry, put_entry(writer, named.id.value_or(make_uuid7(writer.now().millis())), *fields));
        TRY(started->text, clock_text(writer.txn(), entry));
        return {};
      },
      [call, started](const Result<Cursor>& cursor) {
        if (!cursor) return call->fail(cursor.error());
        call->respond_json(started->status, std::move(started->text));
      });
}

void Face::stop_clock(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  TRY_CALL(call, const NamedEntry named, read_named_entry(body));
  auto text = std::make_shared<std::string>();
  spaces_.write(
      space_of(*call), call->principal().key, [named] { return named.reads(); },
      [named, text](SpaceWriter& writer) -> Result<> {
        TRY(const auto running, find_running(writer.txn()));
        const bool is_meant = running && (!named.id || *named.id == running->id);
        if (is_meant && (named.start || named.end)) {
          JsonObject row{JsonView(running->doc)};
          if (named.start) row.set_text("start", format_time(*named.start));
          JsonObject stopped = row;
          stopped.set_text("end", format_time(named.end.value_or(writer.now())));
          CHECK_OK(check_order_of_times(stopped));
          if (named.start) {
            TRY([[maybe_unused]] const Record moved, put_entry(writer, running->id, row));
          }
        }
        TRY(const Record entry, stop_timer(writer, named.id, named.end));
        writer.txn().expect([&] { return reads_of(entry.id); });
        TRY(*text, clock_text(writer.txn(), entry));
        return {};
      },
      [call, text](const Result<Cursor>& cursor) { respond_entry(call, 200, text, cursor); });
}

void Face::book(const api::CallPtr& call) {
  struct Booked {
    api::Idempotency idempotency;
    std::string answer;
    std::optional<Receipt> replayed;
  };
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  auto fields = std::make_shared<JsonObject>(chosen(body, kBookable));
  auto booked = std::make_shared<Booked>();
  TRY_CALL(call, booked->idempotency, api::Idempotency::of(*call));
  spaces_.write(
      space_of(*call), call->principal().key,
      [booked] {
        Reads reads;
        booked->idempotency.declare(reads);
        return reads;
      },
      [call, body, fields, booked](SpaceWriter& writer) -> Result<> {
        TRY(booked->replayed, booked->idempotency.find(writer.txn()));
        if (booked->replayed) return {};
        TRY(const Booking booking, read_booking(body, writer.now()));
        fields->set_text("start", format_time(booking.start));
        fields->set_text("end", format_time(booking.end));
        CHECK_OK(check_order_of_times(*fields));
        TRY(const Record entry, put_entry(writer, make_uuid7(writer.now().millis()), *fields));
        TRY(booked->answer, clock_text(writer.txn(), entry));
        booked->idempotency.keep(writer.txn(), 201, booked->answer);
        return {};
      },
      [call, booked](const Result<Cursor>& cursor) {
        if (!cursor) return call->fail(cursor.error());
        if (booked->replayed) return call->respond(api::replay(*std::move(booked->replayed)));
        call->respond_json(201, std::move(booked->answer));
      });
}

void Face::change_clock(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  auto fields = std::make_shared<JsonObject>(chosen(body, kChangeable));
  if (const auto start = body.find("start_at")) fields->set("start", std::string(start->raw()));
  if (const auto end = body.find("end_at")) fields->set("end", std::string(end->raw()));
  if (fields->members().empty()) {
    return call->fail(Error{ErrorCode::invalid_argument, "nothing to change"});
  }
  auto text = std::make_shared<std::string>();
  spaces_.write(
      space_of(*call), call->principal().key, [call] { return reads_of(call->param("id")); },
      [call, fields, text](SpaceWriter& writer) -> Result<> {
        TRY(const Record stored, get_live(writer, call->param("id")));
        JsonObject row{JsonView(stored.doc)};
        for (const JsonObject::Member& member : fields->members()) row.set(member.name, member.value);
        if (fields->find("start") || fields->find("end")) CHECK_OK(check_order_of_times(row));
        TRY(const Record entry, put_entry(writer, stored.id, row));
        TRY(*text, clock_text(writer.txn(), entry));
        return {};
      },
      [call, text](const Result<Cursor>& cursor) { respond_entry(call, 200, text, cursor); });
}

void Face::delete_clock(const api::CallPtr& call) {
  spaces_.write(
      space_of(*call), call->principal().key, [call] { return reads_of(call->param("id")); },
      [call](SpaceWriter& writer) -> Result<> {
        TRY(const Record stored, get_live(writer, call->param("id")));
        TRY([[maybe_unused]] const OpResult deleted,
            writer.apply({.collection = entry_collection(), .id = stored.id, .deleted = true}));
        std::string ids = R"({"ids":[)";
        append_json_string(ids, stored.id);
        writer.changed().erase(entry_collection());  // said as a deletion, not as a change
        writer.announce(event_text("entries:deleted", ids + "]}"));
        return {};
      },
      [call](const Result<Cursor>& cursor) {
        if (!cursor) return call->fail(cursor.error());
        call->respond_empty();
      });
}

void Face::add_clock_routes(Routes& routes) {
  routes.get("/clocks/active", Scope::read, "Show the running timer in the phone's form", &Face::get_clock)
      .with_cookies()
      .answers(200, "active, and the entry if a timer runs", "KaishoActive");
  add_clock_list_routes(routes);
  routes.post("/clocks/start", Scope::write, "Start a timer", &Face::start_clock)
      .described("With an end, the entry is finished at once.")
      .body("id, start (now if absent), end, customer, description, task_id, contract, project", "KaishoClockStart")
      .answers(201, "the entry", "KaishoClock")
      .answers(200, "the entry of that id, which runs already", "KaishoClock")
      .answers(400, "a wrong id or time, or an end before the start")
      .answers(409, "a timer is already running, or the entry of that id has ended");
  routes.post("/clocks/stop", Scope::write, "Stop the running timer", &Face::stop_clock)
      .body("id (only if this timer runs), start (instead of the entry's), end (now if absent)", "KaishoClockStop")
      .answers(200, "the entry", "KaishoClock")
      .answers(400, "a wrong id or time, or an end before the start")
      .answers(404, "no timer is running, or another one");
  routes.post("/clocks/quick-book", Scope::write, "Book past time", &Face::book)
      .described("The entry has the start or the end given, or both; else it ends now, or starts at noon of the date.")
      .body(
          "duration (2h, 30m, 1.5h, 1h30m), start, end, date, zone of the date (UTC if absent), customer, description, "
          "task_id, contract, project; a duration, or start and end, is needed",
          "KaishoBooking")
      .answers(201, "the entry", "KaishoClock")
      .answers(400, "not a duration, a time, a date or a zone")
      .header("Idempotency-Key", "a repeated request is answered, and nothing is booked again")
      .answers(422, "Idempotency-Key reused");
  routes.patch("/clocks/{id}", Scope::write, "Change an entry", &Face::change_clock)
      .body("any of customer, description, task_id, contract, project, notes, invoiced, start_at, end_at",
            "KaishoClockChange")
      .answers(200, "the entry", "KaishoClock")
      .answers(400, "nothing to change, or an end before the start")
      .answers(404, "unknown or deleted");
  routes.del("/clocks/{id}", Scope::write, "Delete an entry", &Face::delete_clock)
      .answers(204, "deleted")
      .answers(404, "unknown");
}

}  // namespace syncline::kaisho
