// POST /search, and POST /memories/search for clients that fall back to their own search when they get no result.
//
// Both need read. Errors: 400 for an empty query or a filter with a wrong value; /memories/search answers 404 if
// nothing matches. Changes nothing.
#include <algorithm>
#include <array>
#include <chrono>

#include "api/kernle/pull_plan.hpp"
#include "api/kernle/request.hpp"
#include "api/kernle/routes.hpp"
#include "wire/kernle_tables.hpp"

namespace syncline::kernle {
namespace {

/// What clients can build a result from, so what they are given unless they ask for more.
constexpr std::array<std::string_view, 5> kUsualTables = {"episodes", "notes", "beliefs", "values", "goals"};
constexpr std::size_t kQueryBytesMax = 10'000;

/// A filter beyond the words.
struct Filter {
  double score_min = 0;
  std::optional<Timestamp> created_after;
  std::optional<Timestamp> created_before;
  std::vector<std::string> tags;

  [[nodiscard]] bool is_on() const { return score_min > 0 || created_after || created_before || !tags.empty(); }

  [[nodiscard]] bool lets_through(const Search::Hit& hit) const {
    if (hit.score < score_min) return false;
    const JsonView doc(hit.record.doc);
    if (created_after || created_before) {
      const auto created = parse_iso_or_utc_time(doc.text_of("created_at"));
      if (!created) return false;
      if (created_after && *created < *created_after) return false;
      if (created_before && *created > *created_before) return false;
    }
    const auto has = doc.find("tags");
    return std::ranges::all_of(tags, [&](const std::string& tag) {
      bool found = false;
      if (has && has->is_array()) {
        has->for_each_element([&](JsonView value) { found = found || value.as_string() == tag; });
      }
      return found;
    });
  }
};

struct Request {
  SearchIndex::Query query;  // no spaces: all
  bool names_agent = false;
  std::vector<std::string> tables;  // all if empty
  Filter filter;
  std::size_t limit = 0;
};

Result<std::vector<std::string>> read_texts(JsonView body, std::string_view name) {
  std::vector<std::string> texts;
  const auto list = body.find_set(name);
  if (!list) return texts;
  bool good = list->is_array();
  if (good) {
    list->for_each_element([&](JsonView value) {
      good = good && value.is_string();
      texts.push_back(value.as_string().value_or(""));
    });
  }
  if (!good) return fail(ErrorCode::invalid_argument, std::string(name) + " must be a list of strings");
  return texts;
}

Result<std::optional<Timestamp>> read_time(JsonView body, std::string_view name) {
  const auto value = body.find_set(name);
  if (!value) return std::nullopt;
  const auto time = parse_iso_or_utc_time(value->as_string().value_or(""));
  if (!time) return fail(ErrorCode::invalid_argument, std::string(name) + " must be a time");
  return *time;
}

Result<std::vector<std::string>> read_tables(JsonView body) {
  TRY(auto names, read_texts(body, body.find_set("memory_types") ? "memory_types" : "types"));
  for (std::string& name : names) {
    const auto found = std::ranges::find_if(tables(), [&](const Table& table) {
      return name == table.name || name == table.alias || name == table.singular;
    });
    if (name.empty() || found == tables().end()) {
      return fail(ErrorCode::invalid_argument, "unknown memory type '" + name + "'");
    }
    name = found->name;
  }
  return names;
}

/// The agents that the key is for; none if it is for all.
Result<std::vector<std::string>> spaces_of_key(api::Call& call) {
  std::vector<std::string> spaces;
  const SpaceLimit& limit = call.principal().spaces;
  for (const std::string& name : limit.names()) {
    if (!agent_of(name)) continue;
    TRY(const SpaceName space, call.reach(name));
    spaces.push_back(space.name);
  }
  if (limit.is_limited() && spaces.empty()) return space_not_allowed(limit, space_name_of(""));
  return spaces;
}

Result<Request> read_request(api::Call& call) {
  TRY(const JsonView body, call.json_object());
  Request request;
  request.query.account = call.principal().account;
  request.query.text = body.text_of("query");
  if (request.query.text.empty() || request.query.text.size() > kQueryBytesMax) {
    return fail(ErrorCode::invalid_argument, "query must have 1 to 10000 bytes");
  }
  TRY(const auto limit, limit_in(body));
  request.limit =
      static_cast<std::size_t>(std::min(limit.value_or(limits::kSearchResultsDefault), limits::kSearchResultsMax));
  TRY(request.tables, read_tables(body));
  TRY(request.filter.created_after, read_time(body, "created_after"));
  TRY(request.filter.created_before, read_time(body, "created_before"));
  TRY(request.filter.tags, read_texts(body, "tags"));
  if (const auto score = body.find_set("min_score")) request.filter.score_min = score->as_number().value_or(0);
  if (const auto name = body.find_set("space")) {
    TRY(const SpaceName space, call.reach(name->as_string().value_or("")));
    if (!agent_of(space.name)) return fail(ErrorCode::invalid_argument, "space must name the space of an agent");
    request.query.account = space.account;
    request.query.spaces = {space.name};
    request.names_agent = true;
  } else if (body.find_set("agent_id") || body.find_set("stack_id")) {
    TRY(const std::string agent, agent_in(body));
    TRY(const SpaceName space, call.reach(space_name_of(agent)));
    request.query.spaces = {space.name};
    request.names_agent = true;
  } else {
    TRY(request.query.spaces, spaces_of_key(call));
  }
  // What a filter takes away is made up for by looking at more.
  request.query.count_max = request.filter.is_on() ? limits::kSearchResultsMax * 10 : request.limit;
  return request;
}

/// The agents of its key that a session has synced: what it is shown as its own must be its own. All of the key's for a
/// session that has not, and for a bare key.
Result<std::vector<std::string>> spaces_of_session(Spaces& spaces, const Principal& principal) {
  std::vector<std::string> used;
  if (!is_session(principal)) return used;
  TRY(const auto infos, spaces.list(principal.account));
  for (const SpaceInfo& info : infos) {
    if (!agent_of(info.name.name) || !principal.spaces.allows(info.name.name)) continue;
    CHECK_OK(spaces.read(info.name, [&](Snapshot& snapshot) -> Result<> {
      TRY(const auto pulled, find_pull_state(snapshot, principal.key));
      TRY(const auto pushed, find_push_state(snapshot, principal.key));
      if (pulled || pushed) used.push_back(info.name.name);
      return {};
    }));
  }
  return used;
}

Result<std::vector<Search::Hit>> find_hits(Search& search, const Request& request) {
  SearchIndex::Query query = request.query;
  for (const Table& table : tables()) {
    const bool wanted = request.tables.empty() || std::ranges::find(request.tables, table.name) != request.tables.end();
    if (!wanted) query.without.emplace_back(table.name);
  }
  return search.find(query, request.limit, [&](const Search::Hit& hit) { return request.filter.lets_through(hit); });
}

void append_hit(JsonWriter& writer, const Search::Hit& hit) {
  const JsonView doc(hit.record.doc);
  const auto created = parse_iso_or_utc_time(doc.text_of("created_at"));
  const std::string_view agent = agent_of(hit.space).value_or("");
  writer.begin_object()
      .string("id", hit.record.id)
      .string("memory_type", hit.record.collection)
      .string("type", find_table(hit.record.collection)->singular)
      .string("content", searched_text(view_of(hit.record)).title)
      .name("score")
      .number(hit.score)
      .string("created_at", client_time(created.value_or(hit.record.updated_at)))
      .string("agent_id", agent)
      .string("stack_id", agent)
      .raw("metadata", hit.record.doc)
      .end_object();
}

}  // namespace

void Face::search_memories(const api::CallPtr& call) {
  TRY_CALL(call, Request request, read_request(*call));
  if (!request.names_agent) {
    TRY_CALL(call, auto used, spaces_of_session(spaces_, call->principal()));
    if (!used.empty()) request.query.spaces = std::move(used);
  }
  if (request.tables.empty()) request.tables.assign(kUsualTables.begin(), kUsualTables.end());
  TRY_CALL(call, const auto hits, find_hits(search_, request));
  // Clients take an answer without results for the last word, and do not look at what they have not pushed yet.
  if (hits.empty()) return call->fail(Error{ErrorCode::not_found, "no memory matches"});
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true).name("results").begin_array();
  for (const Search::Hit& hit : hits) append_hit(writer, hit);
  writer.end_array().string("query", request.query.text).integer("total", static_cast<std::int64_t>(hits.size()));
  append_meta(writer, call->head().request_id, spaces_.clock().now());
  writer.end_object();
  call->respond_json(200, std::move(out));
}

void Face::search(const api::CallPtr& call) {
  using namespace std::chrono;
  const auto began = steady_clock::now();
  TRY_CALL(call, const Request request, read_request(*call));
  TRY_CALL(call, const auto hits, find_hits(search_, request));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true).name("data").begin_object().name("results").begin_array();
  for (const Search::Hit& hit : hits) {
    const auto created = parse_iso_or_utc_time(JsonView(hit.record.doc).text_of("created_at"));
    writer.begin_object()
        .string("type", find_table(hit.record.collection)->singular)
        .string("id", hit.record.id)
        .string("agent_id", agent_of(hit.space).value_or(""))
        .name("score")
        .number(hit.score)
        .raw("content", hit.record.doc)
        .string("created_at", client_time(created.value_or(hit.record.updated_at)))
        .end_object();
  }
  writer.end_array()
      .integer("total", static_cast<std::int64_t>(hits.size()))
      .integer("query_time_ms", duration_cast<milliseconds>(steady_clock::now() - began).count())
      .end_object();
  append_meta(writer, call->head().request_id, spaces_.clock().now());
  writer.end_object();
  call->respond_json(200, std::move(out));
}

}  // namespace syncline::kernle
