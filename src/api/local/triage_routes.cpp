// /api/cloud-sync/pending and /triage: entries that came from another device without a customer.
//
// Open to the owner of the device. Errors: 422 for an entry that names neither start nor sync_id. Changes the entries
// of the local copy that get a customer, which the outbox then sends to the hub.
#include <algorithm>
#include <ctime>

#include "api/kaisho/space.hpp"
#include "api/local/profile_face.hpp"
#include "base/text.hpp"
#include "wire/kaisho_rows.hpp"

namespace syncline::local {
namespace {

constexpr std::int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;

/// "2026-06-02T09:00:00" on the wall of this device, as Kaisho's programs say times.
std::string local_time_text(Timestamp time) {
  const auto seconds = static_cast<std::time_t>(time.micros / kMicrosPerSecond);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return {text, length};
}

std::string year_of(Timestamp time) { return local_time_text(time).substr(0, 4); }

std::string local_time_or_null(std::string_view doc, std::string_view field) {
  const auto time = kaisho::time_field(doc, field);
  return time ? '"' + local_time_text(*time) + '"' : "null";
}

std::string pending_text(const RecordView& record) {
  const JsonView doc(record.doc);
  const auto value = [&](std::string_view name) {
    const auto found = doc.find(name);
    return found ? found->raw() : std::string_view("null");
  };
  const auto start = kaisho::time_field(record.doc, "start");
  const auto end = kaisho::time_field(record.doc, "end");
  std::string out;
  JsonWriter writer(out);
  writer.begin_object()
      .string("sync_id", record.id)
      .string("customer", doc.text_of("customer"))
      .raw("description", value("description"))
      .raw("start", local_time_or_null(record.doc, "start"))
      .raw("end", local_time_or_null(record.doc, "end"));
  writer.name("duration_minutes");
  if (start && end) {
    writer.integer((end->micros - start->micros + kMicrosPerMinute / 2) / kMicrosPerMinute);
  } else {
    writer.null();
  }
  writer.raw("task_id", value("task_id"))
      .raw("invoiced", value("invoiced"))
      .raw("notes", value("notes"))
      .raw("contract", value("contract"))
      .string("updated_at", format_time(record.updated_at))
      .boolean("from_cloud", true)
      .end_object();
  return out;
}

/// Entries that wait for a customer, by id.
Result<std::vector<Record>> waiting_entries(Snapshot& snapshot) {
  std::vector<Record> candidates;
  CHECK_OK(snapshot.scan(kaisho::entries().collection, "", [&](const RecordView& record) {
    const bool has_customer = record.deleted || !JsonView(record.doc).text_of("customer").empty();
    if (!has_customer) candidates.push_back(record.to_record());
    return true;
  }));
  std::vector<Record> waiting;
  for (Record& record : candidates) {
    TRY(const auto mark, snapshot.find_value(kaisho::from_cloud_value(record.id)));
    if (mark) waiting.push_back(std::move(record));
  }
  return waiting;
}

struct Assignment {
  std::string sync_id;
  std::string start;
  std::vector<std::pair<std::string, std::string>> fields;  // name and JSON
};

Result<std::vector<Assignment>> read_assignments(JsonView body) {
  const auto entries = body.find("entries");
  if (!entries || !entries->is_array()) return fail(ErrorCode::invalid_argument, "entries must be a list");
  std::vector<Assignment> all;
  Result<> fault;
  entries->for_each_element([&](JsonView item) {
    Assignment one;
    one.sync_id = item.text_of("sync_id");
    one.start = item.text_of("start");
    if (one.start.empty() && one.sync_id.empty()) {
      fault = fail(ErrorCode::invalid_argument, "an entry needs its start or its sync_id");
    }
    for (const std::string_view name : {"customer", "task_id", "contract"}) {
      // null leaves what is there, an empty text clears it.
      if (const auto value = item.find_set(name)) one.fields.emplace_back(name, value->raw());
    }
    all.push_back(std::move(one));
  });
  if (!fault) return std::unexpected(fault.error());
  return all;
}

bool is_meant(const Assignment& assignment, const Record& entry) {
  if (!assignment.sync_id.empty()) return assignment.sync_id == entry.id;
  const auto start = kaisho::time_field(entry.doc, "start");
  if (!start) return false;
  if (const auto exact = parse_iso_time(assignment.start)) return *exact == *start;
  return local_time_text(*start) == assignment.start;
}

Result<std::int64_t> assign(SpaceWriter& writer, const std::vector<Assignment>& assignments) {
  TRY(std::vector<Record> waiting, waiting_entries(writer.txn()));
  std::int64_t updated = 0;
  for (const Assignment& assignment : assignments) {
    if (assignment.fields.empty()) continue;
    const auto entry = std::ranges::find_if(waiting, [&](const Record& one) { return is_meant(assignment, one); });
    if (entry == waiting.end()) continue;
    JsonObject row{JsonView(entry->doc)};
    for (const auto& [name, value] : assignment.fields) row.set(name, value);
    const std::string doc = row.to_text();
    TRY(const OpResult result,
        writer.apply({.collection = entry->collection, .id = entry->id, .deleted = false, .doc = doc}));
    if (result.error) return std::unexpected(*result.error);
    writer.txn().put_value(kaisho::from_cloud_value(entry->id), "");
    ++updated;
    waiting.erase(entry);  // of several with one start each is assigned once
  }
  return updated;
}

}  // namespace

void ProfileFace::list_waiting(const api::CallPtr& call) {
  std::string out = "[";
  Spaces& spaces = profile_.spaces();
  CHECK_CALL(call, spaces.read(call->space(), [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto waiting, waiting_entries(snapshot));
    const std::string year = year_of(spaces.clock().now());
    for (const Record& entry : waiting) {
      const auto start = kaisho::time_field(entry.doc, "start");
      if (!start || year_of(*start) != year) continue;
      if (out.size() > 1) out += ',';
      out += pending_text(view_of(entry));
    }
    return {};
  }));
  call->respond_json(200, out + ']');
}

void ProfileFace::assign_customers(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  auto assignments = read_assignments(body);
  if (!assignments) {
    api::Problem problem = api::problem_of(assignments.error());
    problem.status = 422;
    return call->fail(problem);
  }
  auto updated = std::make_shared<std::int64_t>(0);
  profile_.spaces().write(
      call->space(), call->principal().key,
      [updated, assignments = *std::move(assignments)](SpaceWriter& writer) -> Result<> {
        TRY(*updated, assign(writer, assignments));
        return {};
      },
      [call, updated](const Result<Cursor>& cursor) {
        if (!cursor) return call->fail(cursor.error());
        call->respond_json(200, "{\"updated\":" + std::to_string(*updated) + '}');
      });
}

void ProfileFace::add_triage_routes(Routes& routes) {
  routes
      .get("/api/cloud-sync/pending", owner_, "List entries of this year that arrived without a customer",
           &ProfileFace::list_waiting)
      .answers(200, "the entries", "CloudPending");
  routes.post("/api/cloud-sync/triage", owner_, "Assign customers to such entries", &ProfileFace::assign_customers)
      .body("entries: each with its start or sync_id, and the fields to set", "CloudTriage")
      .answers(200, "updated: how many entries", "CloudTriaged")
      .answers(422, "an entry has neither start nor sync_id");
}

}  // namespace syncline::local
