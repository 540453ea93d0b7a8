#include "api/native/routes.hpp"

#include "api/native/handlers.hpp"

namespace syncline::native {
namespace {

using api::CallPtr;
using api::Parameter;
using api::Route;
using http::Method;

constexpr Parameter kWait{"wait", "query", "seconds to hold an empty answer, at most 60"};
constexpr Parameter kLimit{"limit", "query", "1 to 5000, 500 if absent"};
constexpr Parameter kIfMatch{"If-Match", "header", "the ETag that the record must have: else 412"};

}  // namespace

std::vector<Route> make_routes(Spaces& spaces, Access& access) {
  const auto on_spaces = [&spaces](void (*handler)(Spaces&, const CallPtr&)) {
    return [&spaces, handler](const CallPtr& call) { handler(spaces, call); };
  };
  const auto on_both = [&spaces, &access](void (*handler)(Spaces&, Access&, const CallPtr&)) {
    return [&spaces, &access, handler](const CallPtr& call) { handler(spaces, access, call); };
  };
  std::vector<Route> routes = {
      {.method = Method::post,
       .pattern = "/v1/spaces/{space}/push",
       .any_of = {Scope::write},
       .description =
           {"Change many records at once",
            "Everything that is not refused commits together, durably, before the answer. One verdict an op.",
            {{"quiet", "query", "1: list only what was not applied, each with its index"},
             {"Idempotency-Key", "header", "makes a retry safe for 24 hours"}},
            "ops: at most 5000 of {collection, id, updated_at?, base?, doc} or {..., deleted: true}",
            {{200, "cursor, results"}, {400, "not a push"}, {413, "too large"}, {422, "Idempotency-Key reused"}}},
       .handle = on_spaces(push),
       .body_bytes_max = limits::kBodyBytesLarge},
      {.method = Method::get,
       .pattern = "/v1/spaces/{space}/changes",
       .any_of = {Scope::read},
       .description = {"What has changed after a cursor",
                       "Each record once, at its latest seq, by seq",
                       {{"since", "query", "a cursor; 0 or absent: from the beginning"},
                        kLimit,
                        kWait,
                        {"collections", "query", "only these, separated by commas"}},
                       "",
                       {{200, "cursor, more, changes"},
                        {400, "not a cursor"},
                        {410, "the cursor is of no use; code says why"}}},
       .handle = on_spaces(changes)},
      {.method = Method::get,
       .pattern = "/v1/spaces",
       .any_of = {Scope::read},
       .description = {"The account's spaces", "", {}, "", {{200, "spaces"}}},
       .handle = on_spaces(list_spaces)},
      {.method = Method::get,
       .pattern = "/v1/spaces/{space}/records/{collection}",
       .any_of = {Scope::read},
       .description = {"Live records by id",
                       "",
                       {{"after", "query", "the last id of the page before"}, kLimit},
                       "",
                       {{200, "records, after"}}},
       .handle = on_spaces(list_records)},
      {.method = Method::get,
       .pattern = "/v1/spaces/{space}/records/{collection}/{id}",
       .any_of = {Scope::read},
       .description = {"One record",
                       "",
                       {{"If-None-Match", "header", "304 if it has that ETag"}},
                       "",
                       {{200, "the record"}, {304, "not changed"}, {404, "unknown or deleted"}}},
       .handle = on_spaces(get_record)},
      {.method = Method::put,
       .pattern = "/v1/spaces/{space}/records/{collection}/{id}",
       .any_of = {Scope::write},
       .description = {"Write one record",
                       "",
                       {kIfMatch, {"If-None-Match", "header", "*: only if there is none"}},
                       "the document",
                       {{200, "replaced"}, {201, "made"}, {412, "a precondition failed"}}},
       .handle = on_spaces(put_record),
       .body_bytes_max = limits::kDocumentBytesMax},
      {.method = Method::del,
       .pattern = "/v1/spaces/{space}/records/{collection}/{id}",
       .any_of = {Scope::write},
       .description = {"Delete one record",
                       "",
                       {kIfMatch},
                       "",
                       {{204, "deleted, also if it was before"},
                        {404, "there never was one"},
                        {412, "a precondition failed"}}},
       .handle = on_spaces(delete_record)},
      {.method = Method::get,
       .pattern = "/v1/spaces/{space}/records/{collection}/{id}/history",
       .any_of = {Scope::read},
       .description = {"Versions of a record, newest first", "", {}, "", {{200, "versions"}, {404, "unknown"}}},
       .handle = on_both(history)},
      {.method = Method::get,
       .pattern = "/v1/spaces/{space}/conflicts",
       .any_of = {Scope::read},
       .description = {"Versions that lost without their author having seen the winner",
                       "",
                       {{"state", "query", "open (if absent), restored, dismissed or all"},
                        {"after", "query", "the last id of the page before"},
                        {"limit", "query", "1 to 500"}},
                       "",
                       {{200, "conflicts"}}},
       .handle = on_both(list_conflicts)},
      {.method = Method::post,
       .pattern = "/v1/spaces/{space}/conflicts/{id}",
       .any_of = {Scope::write},
       .description = {"Decide a conflict",
                       "restore writes the loser as a new version",
                       {},
                       "action: restore or dismiss",
                       {{200, "the conflict"}, {404, "unknown"}, {409, "decided before"}}},
       .handle = on_both(decide_conflict)},
      {.method = Method::get,
       .pattern = "/v1/live",
       .any_of = {Scope::read},
       .description =
           {"Notices over WebSocket",
            "The key in the header, or {type: auth, key} as the first message within 5 s; then {type: watch, "
            "spaces: {name: cursor}}",
            {},
            "",
            {{101, "the socket"}, {401, "the key in the header is not valid"}, {426, "not an upgrade"}}},
       .handle = on_both(live),
       .key = Route::Key::may_follow},
      {.method = Method::get,
       .pattern = "/v1/events",
       .any_of = {Scope::read},
       .description = {"Notices as Server-Sent Events",
                       "",
                       {{"spaces", "query", "names, separated by commas"},
                        {"Last-Event-ID", "header", "resumes after that event"},
                        {"last_event_id", "query", "the same, for a first connect"}},
                       "",
                       {{200, "the events"}}},
       .handle = on_both(events)},
      {.method = Method::get,
       .pattern = "/v1/me",
       .any_of = {Scope::read, Scope::write, Scope::keys, Scope::commands_submit, Scope::commands_run,
                  Scope::commands_approve, Scope::admin},
       .description = {"Who this key is", "", {}, "", {{200, "account, plan, key, limits"}}},
       .handle = on_spaces([](Spaces&, const CallPtr& call) {
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
       })},
  };
  for (Route& route : routes) route.face = "native";
  return routes;
}

}  // namespace syncline::native
