// The table of the native API, and GET /v1/me. The other files have its handlers.
#include "api/native/routes.hpp"

#include "api/native/schemas.hpp"
#include "api/route_builder.hpp"

namespace syncline::native {
namespace {

constexpr api::Parameter kWait{"wait", "query", "seconds to wait for a change if there is none, at most 50", "integer"};
constexpr api::Parameter kLimit{"limit", "query", "1 to 5000, 500 if absent", "integer"};
constexpr api::Parameter kDocs{"docs", "query",
                               "text: each doc is a string with the document's text, exactly as it is stored"};
constexpr api::Parameter kIfMatch{"If-Match", "header", "the ETag that the record must have, else 412"};

/// Rises with each addition that an older hub would refuse, so that clients know what this one takes;
/// docs/api/native.md says what came when.
constexpr std::int64_t kApi = 3;

}  // namespace

std::vector<api::Route> Face::make_routes() {
  api::RouteBuilder routes(*this, "native", api::kProblemDetails);
  routes.all().with_schemas(kSchemas).with_cookies();
  routes.post("/v1/spaces/{space}/push", Scope::write, "Change many records at once", &Face::push)
      .in_space_of_path()
      .described(
          "Each op gets a verdict. The hub commits all ops that it does not reject together, durably, before it "
          "answers.")
      .query("quiet", "1: list only what was not applied, each with its index")
      .parameter(kDocs)
      .header("Idempotency-Key", "makes a retry safe for 24 hours")
      .body("ops: at most 5000 of {collection, id, updated_at?, base?, doc} or {..., deleted: true}", "Push")
      .body_at_most(limits::kBodyBytesLarge)
      .answers(200, "the verdicts, and the cursor after the push", "PushAnswer")
      .answers(400, "not a push")
      .answers(410, "epoch names another history of the space")
      .answers(413, "too large")
      .answers(422, "Idempotency-Key reused");
  routes.get("/v1/spaces/{space}/changes", Scope::read, "List what changed after a cursor", &Face::get_changes)
      .in_space_of_path()
      .described("Each record once, at its latest seq, in the order of seqs.")
      .query("since", "a cursor; 0 or absent: from the beginning")
      .parameter(kLimit)
      .parameter(kWait)
      .query("collections", "only these, separated by commas")
      .parameter(kDocs)
      .query("known",
             "a cursor that the device got in another way: refused like since if the store has lost its changes")
      .answers(200, "a page of changes, and the cursor after it", "ChangesPage")
      .answers(400, "not a cursor")
      .answers(410, "the cursor is no longer valid; code says why");
  routes.get("/v1/spaces", Scope::read, "List the account's spaces, and those shared with it", &Face::list_spaces)
      .in_named_spaces()
      .answers(200, "the spaces", "Spaces");
  routes.get("/v1/spaces/{space}/collections", Scope::read, "List the collections of a space", &Face::list_collections)
      .in_space_of_path()
      .described("By name, with the number of their live records. Takes as long for a million records as for ten.")
      .answers(200, "the collections", "Collections");
  routes.get("/v1/spaces/{space}/records/{collection}", Scope::read, "List live records by id", &Face::list_records)
      .in_space_of_path()
      .query("after", "the last id of the previous page")
      .parameter(kLimit)
      .parameter(kDocs)
      .answers(200, "a page of records", "RecordsPage");
  routes.get("/v1/spaces/{space}/records/{collection}/{id}", Scope::read, "Read one record", &Face::get_record)
      .in_space_of_path()
      .parameter(kDocs)
      .header("If-None-Match", "304 if the record has this ETag")
      .answers(200, "the record", "Record")
      .answers(304, "not changed")
      .answers(404, "unknown or deleted");
  routes.put("/v1/spaces/{space}/records/{collection}/{id}", Scope::write, "Write one record", &Face::put_record)
      .in_space_of_path()
      .parameter(kDocs)
      .parameter(kIfMatch)
      .header("If-None-Match", "*: only if the record does not exist")
      .body("the document", "Document")
      .body_at_most(limits::kDocumentBytesMax)
      .answers(200, "replaced", "Record")
      .answers(201, "created", "Record")
      .answers(412, "a precondition failed");
  routes.del("/v1/spaces/{space}/records/{collection}/{id}", Scope::write, "Delete one record", &Face::delete_record)
      .in_space_of_path()
      .parameter(kIfMatch)
      .answers(204, "deleted, now or earlier")
      .answers(404, "the record never existed")
      .answers(412, "a precondition failed");
  routes
      .get("/v1/spaces/{space}/records/{collection}/{id}/history", Scope::read, "List versions of a record",
           &Face::get_history)
      .in_space_of_path()
      .described("Newest first.")
      .parameter(kDocs)
      .answers(200, "the versions", "History")
      .answers(404, "unknown");
  routes.get("/v1/spaces/{space}/conflicts", Scope::read, "List edits that lost a merge", &Face::list_conflicts)
      .in_space_of_path()
      .described("A conflict is an edit that lost to a version that its author had not seen.")
      .query("state", "open (if absent), restored, dismissed or all")
      .query_integer("after", "the last id of the previous page")
      .query_integer("limit", "1 to 500")
      .parameter(kDocs)
      .answers(200, "the conflicts", "Conflicts");
  routes.post("/v1/spaces/{space}/conflicts/{id}", Scope::write, "Decide a conflict", &Face::decide_conflict)
      .in_space_of_path()
      .described("restore writes the losing edit as a new version.")
      .header("Idempotency-Key", "makes a retry safe for 24 hours")
      .parameter(kDocs)
      .body("action: restore or dismiss", "ConflictDecision")
      .answers(200, "the conflict", "Conflict")
      .answers(404, "unknown")
      .answers(409, "already decided")
      .answers(422, "Idempotency-Key reused");
  routes.get("/v1/live", Scope::read, "Receive change notices over a WebSocket", &Face::open_live)
      .in_named_spaces()
      .described(
          "The key in the header, or {type: auth, key} as the first message within 5 s; then {type: watch, spaces: "
          "{name: cursor}}")
      .key_may_follow()
      .answers(101, "the socket")
      .answers(401, "the key in the header is not valid")
      .answers(426, "not an upgrade");
  routes.get("/v1/events", Scope::read, "Receive change notices as Server-Sent Events", &Face::open_events)
      .in_named_spaces()
      .query("spaces", "names, separated by commas")
      .header("Last-Event-ID", "resumes after that event")
      .query("last_event_id", "the same, for a first connection")
      .answers_as(200, "text/event-stream", "the events");
  routes
      .get("/v1/me",
           {Scope::read, Scope::write, Scope::keys, Scope::commands_submit, Scope::commands_run,
            Scope::commands_approve, Scope::admin},
           "Show account, plan, key and limits", &Face::get_me)
      .outside_spaces()
      .answers(200, "what the hub knows about this key", "Me");
  routes.get("/v1/time", {}, "Show the hub's time", &Face::get_time)
      .outside_spaces()
      .described("For clients that check their own clock: the time that decides between two edits.")
      .answers(200, "the time, in UTC with microseconds", "Time");
  return routes.take();
}

void Face::get_time(const api::CallPtr& call) {
  auto response = http::make_text(200, "application/json", "{\"now\":\"" + format_time(spaces_.clock().now()) + "\"}");
  response.headers.push_back({"Cache-Control", "no-store"});
  call->respond(std::move(response));
}

void Face::get_me(const api::CallPtr& call) {
  const Principal& who = call->principal();
  std::string body;
  JsonWriter writer(body);
  writer.begin_object()
      .integer("api", kApi)
      .string("account", who.email)
      .string("plan", to_text(who.plan))
      .boolean("ai", access_.offers_ai(who))
      .name("key")
      .begin_object()
      .string("id", who.key_id)
      .string("label", who.label);
  writer.name("scopes").begin_array();
  for (const std::string_view scope : who.scopes.names()) writer.string(scope);
  writer.end_array().name("spaces");
  append_names(writer, who.spaces);
  writer.end_object();
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
          .on_device = api::DeviceFace{{{"/v1", ""}},
                                       [](Spaces& spaces, Access& access) -> std::unique_ptr<api::Face> {
                                         return std::make_unique<Face>(spaces, access);
                                       }},
          .make = [](const api::FaceParts& parts) {
            return std::make_unique<Face>(parts.spaces, parts.access, &parts.shares);
          }};
}

}  // namespace syncline::native
