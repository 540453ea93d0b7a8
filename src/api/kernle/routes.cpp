// The table of Kernle's API, the form of its errors, and what of a memory the search reads.
#include "api/kernle/routes.hpp"

#include <algorithm>

#include "api/kernle/dialect.hpp"
#include "api/kernle/errors.hpp"
#include "api/kernle/schemas.hpp"
#include "api/route_builder.hpp"
#include "wire/kernle_tables.hpp"

namespace syncline::kernle {
namespace {

/// More of a memory than this is not searched.
constexpr std::size_t kSearchedBytesMax = 64UL << 10U;

bool is_title(const Table& table, std::string_view name) {
  return std::ranges::find(table.title_fields, name) != table.title_fields.end();
}

/// Members that name other records, times and sources: nobody looks for them by words.
bool is_reference(std::string_view name) {
  return name.ends_with("_at") || name.ends_with("_id") || name.ends_with("_ids") || name == "source_type" ||
         name == "source_episodes" || name == "derived_from" || name == "confidence_history";
}

void append_texts(std::string& out, JsonView value) {
  if (out.size() > kSearchedBytesMax) return;
  if (value.is_string()) {
    if (!out.empty()) out += '\n';
    out += value.as_string().value_or("");
  } else if (value.is_array()) {
    value.for_each_element([&](JsonView element) { append_texts(out, element); });
  } else if (value.is_object()) {
    value.for_each_member([&](std::string_view, JsonView member) { append_texts(out, member); });
  }
}

/// {code, message}, with the codes that the documents name.
void append_envelope(JsonWriter& writer, const api::Problem& problem, std::string_view request_id) {
  std::string_view code = problem.code.text();
  switch (problem.status) {
    case 400: code = "invalid_request"; break;
    case 401: code = "unauthorized"; break;
    case 403: code = "forbidden"; break;
    case 404: code = "not_found"; break;
    case 429: code = "rate_limited"; break;
    case 500: code = "internal_error"; break;
    default: break;
  }
  writer.boolean("success", false).name("error").begin_object().string("code", code);
  writer.string("message", problem.detail).end_object();
  writer.name("meta").begin_object().string("request_id", request_id).end_object();
}

}  // namespace

const api::ErrorFormat kErrors{
    append_envelope, "application/json", "KernleProblem",
    R"("success":{"const":false},"error":{"type":"object","required":["code","message"],"properties":{)"
    R"("code":{"type":"string"},"message":{"type":"string"}}},)"
    R"("meta":{"type":"object","properties":{"request_id":{"type":"string"}}})"};

SearchedText searched_text(const RecordView& record) {
  SearchedText text;
  const Table* table = find_table(record.collection);
  if (table == nullptr || record.doc.empty()) return text;
  const JsonView doc(record.doc);
  for (const std::string_view name : table->title_fields) {
    if (const auto value = doc.find(name)) append_texts(text.title, *value);
  }
  doc.for_each_member([&](std::string_view name, JsonView value) {
    if (!is_title(*table, name) && !is_reference(name)) append_texts(text.body, value);
  });
  return text;
}

Search::Subject make_search_subject() { return {std::string(kSpacePrefix), searched_text}; }

std::vector<api::Route> Face::make_routes() {
  api::RouteBuilder routes(*this, "kernle", kErrors);
  routes.all().with_schemas(kSchemas).heavy().in_named_spaces();
  routes.post("/sync/push", Scope::write, "Store the changes of a device", &Face::push)
      .described(
          "Each operation gets a verdict. All that are accepted are committed together, durably, before the answer. "
          "Repeating a push has no further effect.")
      .body("stack_id (or agent_id), operations, limit", "KernlePush")
      .quick()
      .body_at_most(limits::kBodyBytesLarge)
      .answers(200, "the verdicts; conflicts has the rejected operations", "KernlePushed")
      .answers(400, "not a list of operations, or no agent");
  routes.post("/sync/pull", Scope::read, "Fetch the changes of other devices", &Face::pull)
      .described(
          "In a device session, since is the time of the last pull by the device's own clock. The hub sends again what "
          "the "
          "device did not apply. Without since, it sends every record that is not deleted.")
      .body("stack_id (or agent_id), since, full, limit, cursor", "KernlePull")
      .answers(200, "operations in commit order", "KernlePulled")
      .answers(400, "no agent, or since is not a time");
  routes.post("/sync/full", Scope::read, "Push, then fetch everything", &Face::sync_full)
      .described(
          "Stores the operations, if there are any, and answers with every record that is not deleted after that.")
      .body("stack_id (or agent_id), operations", "KernleFullSync")
      .body_at_most(limits::kBodyBytesLarge)
      .answers(200, "what pull and push answer, and data with counts of both", "KernleFullySynced")
      .answers(400, "no agent");
  routes.get("/sync/status", Scope::read, "Show the sync state of a device with an agent", &Face::get_status)
      .described("pending_operations counts the operations of this key's last push that the hub rejected.")
      .query("agent_id", "the agent")
      .query("stack_id", "the agent, by its newer name")
      .only_with({"agent_id", "stack_id"})
      .answers(200, "times of the last push and pull, and what is left", "KernleStatus")
      .answers(400, "no agent");
  routes
      .post("/memories/search", Scope::read, "Search the memories of the agents that this session syncs",
            &Face::search_memories)
      .described(
          "Finds memories that contain all words, or some of them if no memory contains all. The last word may be "
          "incomplete.")
      .body("query, limit, memory_types, agent_id or space", "KernleSearch")
      .answers(200, "results, best first", "KernleMemories")
      .answers(404, "nothing matches: the client then searches what it has not pushed yet");
  routes.post("/search", Scope::read, "Search the memories of an account or of one agent", &Face::search)
      .with_cookies()
      .body("query, agent_id or space, limit, types, min_score, created_after, created_before, tags", "KernleSearch")
      .answers(200, "results, best first", "KernleHits");
  return routes.take();
}

api::FaceModule make_module() {
  return {.name = "kernle",
          .prefixes = {"/kernle"},
          .space_rules = {{std::string(kSpacePrefix), make_space_rules()}},
          .events = {kSyncCompleted, kMemoryCreated},
          .searched = make_search_subject(),
          .dialect = &dialect(),
          .make = [](const api::FaceParts& parts) {
            return std::make_unique<Face>(parts.spaces, parts.search, parts.workers);
          }};
}

}  // namespace syncline::kernle
