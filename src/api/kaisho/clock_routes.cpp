// Clock entries as the phone sees them. Everything here gets the hub's time as timestamp.
//
// Scope read shows, write changes. Errors: 400 for a wrong period, day or duration, 404 for an unknown or deleted
// entry, 409 for a start while a timer runs. Changes one entry at a time; a change is announced to the sockets of the
// account.
#include <algorithm>
#include <array>
#include <chrono>
#include <span>

#include "api/idempotency.hpp"
#include "api/kaisho/duration.hpp"
#include "api/kaisho/routes.hpp"
#include "api/kaisho/timer.hpp"
#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline::kaisho {
namespace {

constexpr std::size_t kListedMax = 500;
constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

const std::string& collection() {
  static const std::string kName(entries().collection);
  return kName;
}

Timestamp start_of_day(Timestamp time) {
  using namespace std::chrono;
  const auto day = floor<days>(sys_time<microseconds>(microseconds(time.micros)));
  return {duration_cast<microseconds>(day.time_since_epoch()).count()};
}

/// From the first moment, up to but without the second.
struct Range {
  Timestamp from;
  Timestamp until;
};

/// "today", "week" (from Monday), "month" or "year", in UTC.
std::optional<Range> range_of_period(std::string_view period, Timestamp now) {
  using namespace std::chrono;
  const sys_days today = floor<days>(sys_time<microseconds>(microseconds(now.micros)));
  const year_month_day date{today};
  const auto at = [](sys_days day) { return Timestamp{duration_cast<microseconds>(day.time_since_epoch()).count()}; };
  if (period == "today") return Range{at(today), at(today + days(1))};
  if (period == "week") {
    const sys_days monday = today - (weekday{today} - Monday);
    return Range{at(monday), at(monday + days(7))};
  }
  if (period == "month") {
    const year_month_day first = date.year() / date.month() / 1;
    return Range{at(first), at(first + months(1))};
  }
  if (period == "year") return Range{at(date.year() / January / 1), at((date.year() + years(1)) / January / 1)};
  return std::nullopt;
}

/// A day (YYYY-MM-DD) or a time. Nothing for other text.
std::optional<Range> range_of_text(std::string_view text) {
  if (const auto day = parse_time(std::string(text) + "T00:00:00Z"))
    return Range{*day, day->plus_micros(kMicrosPerDay)};
  if (const auto time = parse_time(text)) return Range{*time, time->plus_micros(1)};
  return std::nullopt;
}

Result<Range> wanted_range(const api::Call& call, Timestamp now) {
  const auto from = call.query("from");
  const auto to = call.query("to");
  if (!from && !to) {
    const auto range = range_of_period(call.query("period").value_or("today"), now);
    if (!range) return fail(ErrorCode::invalid_argument, "period must be today, week, month or year");
    return *range;
  }
  Range range{kTimestampMin, kTimestampMax};
  if (from) {
    const auto day = range_of_text(*from);
    if (!day) return fail(ErrorCode::invalid_argument, "from must be a day like 2026-11-22");
    range.from = day->from;
  }
  if (to) {
    const auto day = range_of_text(*to);
    if (!day) return fail(ErrorCode::invalid_argument, "to must be a day like 2026-11-22");
    range.until = day->until;
  }
  return range;
}

std::int64_t rounded_minutes(Timestamp start, Timestamp end) {
  constexpr std::int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
  const std::int64_t micros = std::max<std::int64_t>(0, end.micros - start.micros);
  return (micros + kMicrosPerMinute / 2) / kMicrosPerMinute;
}

/// The entry with what only the phone is shown, without braces.
Result<std::string> clock_members(Snapshot& snapshot, const Record& entry) {
  std::string out;
  append_row_members(out, view_of(entry));
  const auto start = time_field(entry.doc, "start");
  const auto end = time_field(entry.doc, "end");
  out += ",\"duration_minutes\":" + (start && end ? std::to_string(rounded_minutes(*start, *end)) : "null");
  TRY(const auto mark, snapshot.find_value(synced_at_value(entry.id)));
  out += ",\"synced_at\":" + (mark ? '"' + format_time({parse_integer(*mark).value_or(0)}) + '"' : "null");
  return out;
}

Result<std::string> clock_text(Snapshot& snapshot, const Record& entry) {
  TRY(const std::string members, clock_members(snapshot, entry));
  return '{' + members + '}';
}

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
  TRY(auto entry, writer.txn().find(collection(), id));
  if (!entry || entry->deleted) return fail(ErrorCode::not_found, "entry not found");
  return *std::move(entry);
}

/// What a change of an entry looks up, and the text that is answered.
Reads reads_of(const std::string& id) {
  return {.records = {RecordKey{collection(), id}}, .values = {synced_at_value(id)}};
}

/// Stores a new entry of the phone's, or another version of one: `row` is shaped like any other row.
Result<Record> put_entry(SpaceWriter& writer, std::string_view id, const JsonObject& row) {
  writer.txn().expect([&] { return reads_of(std::string(id)); });
  const std::string text = row.to_text();
  TRY(const OpResult result, writer.apply({.collection = collection(), .id = id, .doc = text}));
  if (result.error) return std::unexpected(*result.error);
  return get_live(writer, id);
}

struct Booking {
  Timestamp start;
  Timestamp end;
};

Result<Booking> read_booking(JsonView body, Timestamp now) {
  const auto duration = body.find("duration");
  const auto seconds = parse_duration(duration ? duration->as_string().value_or("") : "");
  if (!seconds) return fail(ErrorCode::invalid_argument, "duration must be like 2h, 30m, 1.5h or 1h30m");
  const std::int64_t micros = *seconds * kMicrosPerSecond;
  const auto date = body.find("date");
  if (!date || date->kind() == JsonKind::null) return Booking{now.plus_micros(-micros), now};
  const auto day = range_of_text(date->as_string().value_or(""));
  if (!day) return fail(ErrorCode::invalid_argument, "date must be a day like 2026-11-22");
  const Timestamp noon = start_of_day(day->from).plus_micros(kMicrosPerDay / 2);
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

void Face::list_clocks(const api::CallPtr& call) {
  TRY_CALL(call, const Range range, wanted_range(*call, spaces_.clock().now()));
  std::string out = "[";
  CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) -> Result<> {
    struct Listed {
      Timestamp start;
      Record entry;
    };
    std::vector<Listed> listed;  // a heap whose top is the oldest
    const std::ranges::greater newest_first;
    CHECK_OK(snapshot.scan(collection(), "", [&](const RecordView& record) {
      if (record.deleted) return true;
      const auto start = time_field(record.doc, "start");
      if (!start || *start < range.from || *start >= range.until) return true;
      listed.push_back({*start, record.to_record()});
      std::ranges::push_heap(listed, newest_first, &Listed::start);
      if (listed.size() > kListedMax) {
        std::ranges::pop_heap(listed, newest_first, &Listed::start);
        listed.pop_back();
      }
      return true;
    }));
    std::ranges::sort_heap(listed, newest_first, &Listed::start);
    for (const Listed& one : listed) {
      TRY(const std::string text, clock_text(snapshot, one.entry));
      if (out.size() > 1) out += ',';
      out += text;
    }
    return {};
  }));
  call->respond_json(200, out + ']');
}

void Face::start_clock(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  auto fields = std::make_shared<JsonObject>(chosen(body, kBookable));
  auto text = std::make_shared<std::string>();
  spaces_.write(
      space_of(*call), call->principal().key,
      [fields, text](SpaceWriter& writer) -> Result<> {
        TRY(const auto running, find_running(writer.txn()));
        if (running) return fail(ErrorCode::conflict, "a timer is already running");
        fields->set_text("start", format_time(writer.now()));
        TRY(const Record entry, put_entry(writer, make_uuid7(writer.now().millis()), *fields));
        TRY(*text, clock_text(writer.txn(), entry));
        return {};
      },
      [call, text](const Result<Cursor>& cursor) { respond_entry(call, 201, text, cursor); });
}

void Face::stop_clock(const api::CallPtr& call) {
  auto text = std::make_shared<std::string>();
  spaces_.write(
      space_of(*call), call->principal().key,
      [text](SpaceWriter& writer) -> Result<> {
        TRY(const Record entry, stop_timer(writer, std::nullopt, std::nullopt));
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
            writer.apply({.collection = collection(), .id = stored.id, .deleted = true}));
        std::string ids = R"({"ids":[)";
        append_json_string(ids, stored.id);
        writer.changed().erase(collection());  // said as a deletion, not as a change
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
  routes.get("/clocks/entries", Scope::read, "List the entries of a period", &Face::list_clocks)
      .with_cookies()
      .described("Latest start first, at most 500; days and periods are in UTC.")
      .query("period", "today, week, month or year; today if absent")
      .query("from", "first day, instead of a period")
      .query("to", "last day, instead of a period")
      .heavy()
      .answers(200, "the entries", "KaishoClocks")
      .answers(400, "not a period or a day");
  routes.post("/clocks/start", Scope::write, "Start a timer now", &Face::start_clock)
      .body("customer, description, task_id, contract, project", "KaishoBooked")
      .answers(201, "the entry", "KaishoClock")
      .answers(409, "a timer is already running");
  routes.post("/clocks/stop", Scope::write, "Stop the running timer now", &Face::stop_clock)
      .answers(200, "the entry", "KaishoClock")
      .answers(404, "no timer is running");
  routes.post("/clocks/quick-book", Scope::write, "Book past time", &Face::book)
      .described("The entry ends now, or starts at noon (UTC) of the date.")
      .body("duration (2h, 30m, 1.5h, 1h30m), date, customer, description, task_id, contract, project", "KaishoBooking")
      .answers(201, "the entry", "KaishoClock")
      .answers(400, "not a duration or a date")
      .header("Idempotency-Key", "a repeated request is answered, and nothing is booked again")
      .answers(422, "Idempotency-Key reused");
  routes.patch("/clocks/{id}", Scope::write, "Change an entry", &Face::change_clock)
      .body("any of customer, description, task_id, contract, project, notes, invoiced, start_at, end_at",
            "KaishoClockChange")
      .answers(200, "the entry", "KaishoClock")
      .answers(400, "nothing to change")
      .answers(404, "unknown or deleted");
  routes.del("/clocks/{id}", Scope::write, "Delete an entry", &Face::delete_clock)
      .answers(204, "deleted")
      .answers(404, "unknown");
}

}  // namespace syncline::kaisho
