#include "api/kernle/routes.hpp"

#include <algorithm>

#include "api/kernle/handlers.hpp"
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

}  // namespace

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

std::string client_time(Timestamp time) {
  std::string text = format_time(time);
  return text.replace(text.size() - 1, 1, "+00:00");
}

void append_meta(JsonWriter& writer, std::string_view request_id, Timestamp now) {
  writer.name("meta")
      .begin_object()
      .string("timestamp", format_time(now))
      .string("request_id", request_id)
      .end_object();
}

std::vector<api::Route> Face::make_routes() {
  using api::Route;
  using http::Method;
  std::vector<Route> routes;
  const auto add = [&](Method method, std::string_view pattern, Scope scope, api::Description description,
                       void (Handlers::*handle)(const api::CallPtr&)) -> Route& {
    return routes.emplace_back(
        Route{.method = method,
              .pattern = pattern,
              .face = "kernle",
              .any_of = {scope},
              .description = std::move(description),
              .handle = [this, handle](const api::CallPtr& call) { (Handlers(*this).*handle)(call); },
              .cost = Route::Cost::heavy,
              .errors = api::ErrorStyle::envelope});
  };
  Route& push =
      add(Method::post, "/sync/push", Scope::write,
          {"Store what a device has changed",
           "One verdict an operation; those that are not refused commit together, durably, before the answer. The same "
           "push "
           "again changes nothing.",
           {},
           "stack_id (or agent_id), operations: a list of {operation, table, record_id, local_updated_at, data}, limit",
           {{200, "synced, acknowledged_operations, conflicts (what was refused), merges, data"},
            {400, "no list of operations, or no agent"}}},
          &Handlers::push);
  push.cost = Route::Cost::quick;
  push.body_bytes_max = limits::kBodyBytesLarge;
  add(Method::post, "/sync/pull", Scope::read,
      {"What others have changed",
       "For the session of a device, since is the label it got by its own clock: whatever was not applied comes again, "
       "whatever was does not. Without since: everything that is not deleted.",
       {},
       "stack_id (or agent_id), since, full, limit, cursor",
       {{200, "operations in commit order, has_more, cursor, server_time, data"},
        {400, "no agent, or since is no time"}}},
      &Handlers::pull);
  add(Method::post, "/sync/full", Scope::read,
      {"Both at once",
       "Stores the operations, if there are some, and answers everything that is not deleted, as it stands after that.",
       {},
       "stack_id (or agent_id), operations",
       {{200, "what pull and push answer, and data with counts of both"}, {400, "no agent"}}},
      &Handlers::sync_full)
      .body_bytes_max = limits::kBodyBytesLarge;
  add(Method::get, "/sync/status", Scope::read,
      {"Where a device stands with an agent",
       "pending_operations counts what the last push of this key had refused.",
       {{"agent_id", "query", "the agent"}, {"stack_id", "query", "the same, by its newer name"}},
       "",
       {{200, "last_push, last_pull, remote_changes_available, pending_operations, status"}, {400, "no agent"}}},
      &Handlers::get_status)
      .only_with_query = {"agent_id", "stack_id"};
  add(Method::post, "/memories/search", Scope::read,
      {"Search the memories of the agents that this session syncs",
       "Words of which all must be there, or some if none has all; the last one may be unfinished.",
       {},
       "query, limit, memory_types, agent_id",
       {{200, "results, best first"}, {404, "nothing matches: look at what is not pushed yet"}}},
      &Handlers::search_memories);
  add(Method::post, "/search", Scope::read,
      {"Search the memories of an account or of one agent",
       "",
       {},
       "query, agent_id, limit, types, min_score, created_after, created_before, tags",
       {{200, "data with results, total, query_time_ms"}}},
      &Handlers::search);
  return routes;
}

}  // namespace syncline::kernle
