// /memory: the memories of an agent on this device, one by one.
#include "api/kernle/request.hpp"
#include "api/kernle/space.hpp"
#include "api/local/handlers.hpp"
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
Result<Place> place_of(const Handlers& self, const api::Call& call, std::optional<JsonView> body = std::nullopt) {
  const bool is_in_body = body && (body->find_set("agent_id") || body->find_set("stack_id"));
  TRY(const std::string agent, is_in_body ? kernle::agent_in(*body) : kernle::agent_in_query(call));
  const kernle::Table* table = kernle::find_table(call.param("table"));
  if (table == nullptr) return fail(ErrorCode::not_found, "there is no table '" + call.param("table") + "'");
  Place place{call.space(kernle::space_name_of(agent)), std::string(table->name)};
  CHECK_OK(self.profile.replica().add_space(place.space.name));
  return place;
}

std::string record_text(const RecordView& record) {
  JsonObject object{JsonView(record.doc)};
  object.set_text("id", record.id);
  object.set_text("local_updated_at", format_time(record.updated_at));
  return object.to_text();
}

std::unexpected<Error> no_such(const Place& place, const std::string& id) {
  return fail(ErrorCode::not_found, "there is no '" + id + "' in " + place.table);
}

void list_memories(const Handlers& self, const api::CallPtr& call) {
  TRY_CALL(call, const Place place, place_of(self, *call));
  TRY_CALL(call, const std::int64_t limit, call->query_integer("limit", 1, 10'000, 100));
  const std::string after = call->query("after").value_or("");
  std::string out = R"({"records":[)";
  std::int64_t count = 0;
  std::string last;
  bool more = false;
  CHECK_CALL(call, self.profile.spaces().read(place.space, [&](Snapshot& snapshot) {
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

void show_memory(const Handlers& self, const api::CallPtr& call) {
  TRY_CALL(call, const Place place, place_of(self, *call));
  std::string out;
  CHECK_CALL(call, self.profile.spaces().read(place.space, [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto record, snapshot.find(place.table, call->param("id")));
    if (!record || record->deleted) return no_such(place, call->param("id"));
    out = record_text(view_of(*record));
    return {};
  }));
  call->respond_json(200, std::move(out));
}

Result<std::string> put_memory(SpaceWriter& writer, const Place& place, const std::string& id, const std::string& doc) {
  TRY(const OpResult result, writer.apply({.collection = place.table, .id = id, .deleted = false, .doc = doc}));
  if (result.error) return std::unexpected(*result.error);
  TRY(const auto record, writer.txn().find(place.table, id));
  return record_text(view_of(*record));
}

void create_memory(const Handlers& self, const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  TRY_CALL(call, const Place place, place_of(self, *call, body));
  JsonObject object{body};
  std::string id = object.text_of("id");
  if (id.empty()) id = make_uuid7(self.profile.spaces().clock().now().millis());
  if (!object.find("created_at")) object.set_text("created_at", format_time(self.profile.spaces().clock().now()));
  self.answer_write(call, place.space, 201, [place, id, doc = object.to_text()](SpaceWriter& writer) {
    return put_memory(writer, place, id, doc);
  });
}

void change_memory(const Handlers& self, const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  TRY_CALL(call, const Place place, place_of(self, *call, body));
  auto fields = std::make_shared<JsonObject>(body);
  self.answer_write(call, place.space, 200,
                    [place, id = call->param("id"), fields](SpaceWriter& writer) -> Result<std::string> {
                      TRY(const auto stored, writer.txn().find(place.table, id));
                      if (!stored || stored->deleted) return no_such(place, id);
                      JsonObject object{JsonView(stored->doc)};
                      for (const auto& member : fields->members()) object.set(member.name, member.value);
                      return put_memory(writer, place, id, object.to_text());
                    });
}

void forget_memory(const Handlers& self, const api::CallPtr& call) {
  TRY_CALL(call, const Place place, place_of(self, *call));
  self.answer_write(call, place.space, 204,
                    [place, id = call->param("id")](SpaceWriter& writer) -> Result<std::string> {
                      TRY(const auto stored, writer.txn().find(place.table, id));
                      if (!stored || stored->deleted) return no_such(place, id);
                      TRY(const OpResult result, writer.apply({.collection = place.table, .id = id, .deleted = true}));
                      if (result.error) return std::unexpected(*result.error);
                      return std::string();
                    });
}

void search_memories(const Handlers& self, const api::CallPtr& call) {
  TRY_CALL(call, const std::string agent, kernle::agent_in_query(*call));
  TRY_CALL(call, const std::int64_t limit,
           call->query_integer("limit", 1, limits::kSearchResultsMax, limits::kSearchResultsDefault));
  SearchIndex::Query query;
  query.account = call->principal().account;
  query.text = call->query("q").value_or("");
  query.spaces = {kernle::space_name_of(agent)};
  query.count_max = static_cast<std::size_t>(limit);
  if (query.text.empty()) return call->fail(Error{ErrorCode::invalid_argument, "q must say what to look for"});
  self.answer_later(call, [self, query]() -> Result<std::string> {
    TRY(const auto hits, self.profile.search().find(query, query.count_max, [](const Search::Hit&) { return true; }));
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

}  // namespace

std::vector<api::Route> Handlers::memory_routes() const {
  using http::Method;
  static constexpr RouteLine kRoutes[] = {
      {Method::get, "/memory/search", "Search the memories of an agent: ?agent_id=&q=&limit=", search_memories},
      {Method::get, "/memory/{table}", "List: ?agent_id=&after=&limit=", list_memories},
      {Method::post, "/memory/{table}", "Create; the id is made if none is given", create_memory},
      {Method::get, "/memory/{table}/{id}", "Show", show_memory},
      {Method::patch, "/memory/{table}/{id}", "Change the fields that are named", change_memory},
      {Method::del, "/memory/{table}/{id}", "Forget", forget_memory},
  };
  return make_routes(*this, kRoutes);
}

}  // namespace syncline::local
