// /memory: the memories of an agent on this device, one by one.
//
// Open to the owner of the device. Errors: 400 without an agent, 404 for an unknown table or memory. Changes one memory
// of the local copy, which the outbox then sends to the hub.
#include "api/kernle/request.hpp"
#include "api/kernle/space.hpp"
#include "api/local/profile_face.hpp"
#include "base/bytes.hpp"
#include "base/text.hpp"
#include "wire/kernle_tables.hpp"

namespace syncline::local {
namespace {

struct Place {
  SpaceName space;
  std::string table;
};

/// The agent of the body, if it names one, or of the query; and the table of the path.
Result<Place> place_of(node::Profile& profile, api::Call& call, std::optional<JsonView> body = std::nullopt) {
  const bool is_in_body = body && (body->find_set("agent_id") || body->find_set("stack_id"));
  TRY(const std::string agent, is_in_body ? kernle::agent_in(*body) : kernle::agent_in_query(call));
  const kernle::Table* table = kernle::find_table(call.param("table"));
  if (table == nullptr) return fail(ErrorCode::not_found, "unknown table '" + call.param("table") + "'");
  TRY(SpaceName space, call.reach(kernle::space_name_of(agent)));
  Place place{std::move(space), std::string(table->name)};
  CHECK_OK(profile.replica().add_space(place.space.name));
  return place;
}

std::string record_text(const RecordView& record) {
  JsonObject object{JsonView(record.doc)};
  object.set_text("id", record.id);
  object.set_text("local_updated_at", format_time(record.updated_at));
  return object.to_text();
}

std::unexpected<Error> no_such(const Place& place, const std::string& id) {
  return fail(ErrorCode::not_found, "'" + id + "' not found in " + place.table);
}

Result<std::string> put_memory(SpaceWriter& writer, const Place& place, const std::string& id, const std::string& doc) {
  TRY(const OpResult result, writer.apply({.collection = place.table, .id = id, .deleted = false, .doc = doc}));
  if (result.error) return std::unexpected(*result.error);
  TRY(const auto record, writer.txn().find(place.table, id));
  return record_text(view_of(*record));
}

}  // namespace

void ProfileFace::list_memories(const api::CallPtr& call) {
  TRY_CALL(call, const Place place, place_of(profile_, *call));
  TRY_CALL(call, const std::int64_t limit, call->query_integer("limit", 1, 10'000, 100));
  const std::string after = call->query("after").value_or("");
  std::string out = R"({"records":[)";
  std::int64_t count = 0;
  std::string last;
  bool more = false;
  CHECK_CALL(call, profile_.spaces().read(place.space, [&](Snapshot& snapshot) {
    return snapshot.scan(place.table, after, [&](const RecordView& record) {
      if (record.deleted) return true;
      more = count == limit;
      if (more) return false;
      if (count++ > 0) out += ',';
      out += record_text(record);
      last = record.id;
      return true;
    });
  }));
  out += "],\"after\":";
  if (more) {
    append_json_string(out, last);
  } else {
    out += "null";
  }
  call->respond_json(200, out + '}');
}

void ProfileFace::show_memory(const api::CallPtr& call) {
  TRY_CALL(call, const Place place, place_of(profile_, *call));
  std::string out;
  CHECK_CALL(call, profile_.spaces().read(place.space, [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto record, snapshot.find(place.table, call->param("id")));
    if (!record || record->deleted) return no_such(place, call->param("id"));
    out = record_text(view_of(*record));
    return {};
  }));
  call->respond_json(200, std::move(out));
}

void ProfileFace::create_memory(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  TRY_CALL(call, const Place place, place_of(profile_, *call, body));
  answer_write(call, place.space, 201, [call, body, place](SpaceWriter& writer) {
    JsonObject object{body};
    std::string id = object.text_of("id");
    if (id.empty()) id = make_uuid7(writer.now().millis());
    if (!object.find("created_at")) object.set_text("created_at", format_time(writer.now()));
    return put_memory(writer, place, id, object.to_text());
  });
}

void ProfileFace::change_memory(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  TRY_CALL(call, const Place place, place_of(profile_, *call, body));
  auto fields = std::make_shared<JsonObject>(body);
  answer_write(call, place.space, 200,
               [place, id = call->param("id"), fields](SpaceWriter& writer) -> Result<std::string> {
                 TRY(const auto stored, writer.txn().find(place.table, id));
                 if (!stored || stored->deleted) return no_such(place, id);
                 JsonObject object{JsonView(stored->doc)};
                 for (const auto& member : fields->members()) object.set(member.name, member.value);
                 return put_memory(writer, place, id, object.to_text());
               });
}

void ProfileFace::forget_memory(const api::CallPtr& call) {
  TRY_CALL(call, const Place place, place_of(profile_, *call));
  answer_write(call, place.space, 204, [place, id = call->param("id")](SpaceWriter& writer) -> Result<std::string> {
    TRY(const auto stored, writer.txn().find(place.table, id));
    if (!stored || stored->deleted) return no_such(place, id);
    TRY(const OpResult result, writer.apply({.collection = place.table, .id = id, .deleted = true}));
    if (result.error) return std::unexpected(*result.error);
    return std::string();
  });
}

void ProfileFace::search_memories(const api::CallPtr& call) {
  TRY_CALL(call, const std::string agent, kernle::agent_in_query(*call));
  TRY_CALL(call, const std::int64_t limit,
           call->query_integer("limit", 1, limits::kSearchResultsMax, limits::kSearchResultsDefault));
  TRY_CALL(call, const SpaceName space, call->reach(kernle::space_name_of(agent)));
  SearchIndex::Query query;
  query.account = space.account;
  query.text = call->query("q").value_or("");
  query.spaces = {space.name};
  query.count_max = static_cast<std::size_t>(limit);
  if (query.text.empty()) return call->fail(Error{ErrorCode::invalid_argument, "q must be a search text"});
  answer_later(call, [this, query]() -> Result<std::string> {
    TRY(const auto hits, profile_.search().find(query, query.count_max, [](const Search::Hit&) { return true; }));
    std::string out = R"({"results":[)";
    for (const Search::Hit& hit : hits) {
      if (&hit != hits.data()) out += ',';
      JsonWriter writer(out);
      writer.begin_object().string("table", hit.record.collection).name("score").number(hit.score);
      writer.raw("record", record_text(view_of(hit.record))).end_object();
    }
    return out + "]}";
  });
}

void ProfileFace::add_memory_routes(Routes& routes) {
  constexpr std::string_view kAgent = "the agent";
  routes.get("/memory/search", owner_, "Search the memories of an agent", &ProfileFace::search_memories)
      .query("agent_id", kAgent)
      .query("stack_id", kAgent)
      .query("q", "the search text")
      .query_integer("limit", "1 to 100")
      .answers(200, "the memories, best first", "MemoryHits")
      .answers(400, "no agent, or no search text");
  routes.get("/memory/{table}", owner_, "List memories", &ProfileFace::list_memories)
      .query("agent_id", kAgent)
      .query("stack_id", kAgent)
      .query("after", "the last id of the previous page")
      .query_integer("limit", "1 to 10000, 100 if absent")
      .answers(200, "a page of memories", "Memories")
      .answers(404, "unknown table");
  routes.post("/memory/{table}", owner_, "Create a memory", &ProfileFace::create_memory)
      .query("agent_id", kAgent)
      .query("stack_id", kAgent)
      .body("the fields; without an id, the node creates one", "Fields")
      .answers(201, "the memory", "Memory")
      .answers(404, "unknown table");
  routes.get("/memory/{table}/{id}", owner_, "Show a memory", &ProfileFace::show_memory)
      .query("agent_id", kAgent)
      .query("stack_id", kAgent)
      .answers(200, "the memory", "Memory")
      .answers(404, "unknown or deleted");
  routes.patch("/memory/{table}/{id}", owner_, "Change fields of a memory", &ProfileFace::change_memory)
      .query("agent_id", kAgent)
      .query("stack_id", kAgent)
      .body("the fields to set", "Fields")
      .answers(200, "the memory", "Memory")
      .answers(404, "unknown or deleted");
  routes.del("/memory/{table}/{id}", owner_, "Delete a memory", &ProfileFace::forget_memory)
      .query("agent_id", kAgent)
      .query("stack_id", kAgent)
      .answers(204, "deleted")
      .answers(404, "unknown or deleted");
}

}  // namespace syncline::local
