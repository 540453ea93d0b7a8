#include "api/native/routes.hpp"

#include "api/route_builder.hpp"

namespace syncline::native {
namespace {

constexpr api::Parameter kWait{"wait", "query", "seconds to hold an empty answer, at most 60"};
constexpr api::Parameter kLimit{"limit", "query", "1 to 5000, 500 if absent"};
constexpr api::Parameter kIfMatch{"If-Match", "header", "the ETag that the record must have: else 412"};

}  // namespace

std::vector<api::Route> Face::make_routes() {
  api::RouteBuilder routes(*this, "native", api::kProblemDetails);
  routes.post("/v1/spaces/{space}/push", Scope::write, "Change many records at once", &Face::push)
      .described("Everything that is not refused commits together, durably, before the answer. One verdict an op.")
      .query("quiet", "1: list only what was not applied, each with its index")
      .header("Idempotency-Key", "makes a retry safe for 24 hours")
      .body("ops: at most 5000 of {collection, id, updated_at?, base?, doc} or {..., deleted: true}")
      .body_at_most(limits::kBodyBytesLarge)
      .answers(200, "cursor, results")
      .answers(400, "not a push")
      .answers(413, "too large")
      .answers(422, "Idempotency-Key reused");
  routes.get("/v1/spaces/{space}/changes", Scope::read, "What has changed after a cursor", &Face::get_changes)
      .described("Each record once, at its latest seq, by seq")
      .query("since", "a cursor; 0 or absent: from the beginning")
      .parameter(kLimit)
      .parameter(kWait)
      .query("collections", "only these, separated by commas")
      .answers(200, "cursor, more, changes")
      .answers(400, "not a cursor")
      .answers(410, "the cursor is of no use; code says why");
  routes.get("/v1/spaces", Scope::read, "The account's spaces", &Face::list_spaces).answers(200, "spaces");
  routes.get("/v1/spaces/{space}/records/{collection}", Scope::read, "Live records by id", &Face::list_records)
      .query("after", "the last id of the page before")
      .parameter(kLimit)
      .answers(200, "records, after");
  routes.get("/v1/spaces/{space}/records/{collection}/{id}", Scope::read, "One record", &Face::get_record)
      .header("If-None-Match", "304 if it has that ETag")
      .answers(200, "the record")
      .answers(304, "not changed")
      .answers(404, "unknown or deleted");
  routes.put("/v1/spaces/{space}/records/{collection}/{id}", Scope::write, "Write one record", &Face::put_record)
      .parameter(kIfMatch)
      .header("If-None-Match", "*: only if there is none")
      .body("the document")
      .body_at_most(limits::kDocumentBytesMax)
      .answers(200, "replaced")
      .answers(201, "made")
      .answers(412, "a precondition failed");
  routes.del("/v1/spaces/{space}/records/{collection}/{id}", Scope::write, "Delete one record", &Face::delete_record)
      .parameter(kIfMatch)
      .answers(204, "deleted, also if it was before")
      .answers(404, "there never was one")
      .answers(412, "a precondition failed");
  routes
      .get("/v1/spaces/{space}/records/{collection}/{id}/history", Scope::read, "Versions of a record, newest first",
           &Face::get_history)
      .answers(200, "versions")
      .answers(404, "unknown");
  routes
      .get("/v1/spaces/{space}/conflicts", Scope::read,
           "Versions that lost without their author having seen the winner", &Face::list_conflicts)
      .query("state", "open (if absent), restored, dismissed or all")
      .query("after", "the last id of the page before")
      .query("limit", "1 to 500")
      .answers(200, "conflicts");
  routes.post("/v1/spaces/{space}/conflicts/{id}", Scope::write, "Decide a conflict", &Face::decide_conflict)
      .described("restore writes the loser as a new version")
      .body("action: restore or dismiss")
      .answers(200, "the conflict")
      .answers(404, "unknown")
      .answers(409, "decided before");
  routes.get("/v1/live", Scope::read, "Notices over WebSocket", &Face::open_live)
      .described(
          "The key in the header, or {type: auth, key} as the first message within 5 s; then {type: watch, spaces: "
          "{name: cursor}}")
      .key_may_follow()
      .answers(101, "the socket")
      .answers(401, "the key in the header is not valid")
      .answers(426, "not an upgrade");
  routes.get("/v1/events", Scope::read, "Notices as Server-Sent Events", &Face::open_events)
      .query("spaces", "names, separated by commas")
      .header("Last-Event-ID", "resumes after that event")
      .query("last_event_id", "the same, for a first connect")
      .answers(200, "the events");
  routes
      .get("/v1/me",
           {Scope::read, Scope::write, Scope::keys, Scope::commands_submit, Scope::commands_run,
            Scope::commands_approve, Scope::admin},
           "Who this key is", &Face::get_me)
      .answers(200, "account, plan, key, limits");
  return routes.take();
}

void Face::get_me(const api::CallPtr& call) {
  const Principal& who = call->principal();
  std::string body;
  JsonWriter writer(body);
  writer.begin_object()
      .string("account", who.email)
      .string("plan", to_text(who.plan))
      .name("key")
      .begin_object()
      .string("id", who.key_id)
      .string("label", who.label);
  writer.name("scopes").begin_array();
  for (const std::string_view scope : who.scopes.names()) writer.string(scope);
  writer.end_array().end_object();
  writer.name("limits")
      .begin_object()
      .integer("push_ops_max", limits::kPushOpsMax)
      .integer("body_bytes_max", limits::kBodyBytesLarge)
      .integer("document_bytes_max", limits::kDocumentBytesMax)
      .integer("document_depth_max", limits::kDocumentDepthMax)
      .integer("record_id_bytes_max", limits::kRecordIdBytesMax)
      .integer("page_records_max", limits::kPageRecordsMax)
      .integer("wait_seconds_max", limits::kWaitSecondsMax)
      .end_object()
      .end_object();
  call->respond_json(200, std::move(body));
}

api::FaceModule make_module() {
  return {.name = "native",
          .make = [](const api::FaceParts& parts) { return std::make_unique<Face>(parts.spaces, parts.access); }};
}

}  // namespace syncline::native
