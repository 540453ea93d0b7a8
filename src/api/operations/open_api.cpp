#include "api/operations/open_api.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "api/operations/schema_set.hpp"
#include "base/text.hpp"

namespace syncline::operations {
namespace {

using RoutesOfPath = std::vector<const api::Route*>;

std::vector<std::string_view> path_parameters(std::string_view pattern) {
  std::vector<std::string_view> names;
  for (std::size_t open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1)) {
    names.push_back(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
  }
  return names;
}

void append_parameter(JsonWriter& writer, const api::Parameter& parameter) {
  writer.begin_object().string("name", parameter.name).string("in", parameter.in);
  if (parameter.in == "path") writer.boolean("required", true);
  if (!parameter.description.empty()) writer.string("description", parameter.description);
  writer.name("schema").begin_object().string("type", parameter.type).end_object().end_object();
}

constexpr std::string_view kJson = "application/json";

/// Every route can fail beyond the errors that it lists.
constexpr std::string_view kOtherErrors = "any other error";

/// An error that says nothing of its body has the form of the route's errors.
bool is_plain_error(const api::Outcome& outcome) {
  return outcome.status >= 400 && outcome.schema.empty() && outcome.media_type == kJson;
}

/// The schema of an answer; empty for one without a body that is JSON.
std::string_view schema_of(const api::Route& route, const api::Outcome& outcome) {
  return is_plain_error(outcome) ? route.errors->schema_name : outcome.schema;
}

std::string_view media_type_of(const api::Route& route, const api::Outcome& outcome) {
  return is_plain_error(outcome) ? route.errors->content_type : outcome.media_type;
}

const api::Outcome* find_outcome(const api::Route& route, int status) {
  const auto found = std::ranges::find(route.outcomes, status, &api::Outcome::status);
  return found == route.outcomes.end() ? nullptr : &*found;
}

/// One answer as it is written: what it means, and by media type the schemas of which its body fits one.
struct Response {
  std::vector<std::string_view> meanings;
  std::map<std::string_view, std::vector<std::string>> content;

  void add(std::string_view media_type, std::string schema) {
    std::vector<std::string>& schemas = content[media_type];
    if (std::ranges::find(schemas, schema) == schemas.end()) schemas.push_back(std::move(schema));
  }

  void add(const api::Route& route, const api::Outcome& outcome) {
    const std::string_view schema = schema_of(route, outcome);
    const std::string_view media_type = media_type_of(route, outcome);
    if (!schema.empty()) {
      add(media_type, SchemaSet::to_json(schema));
    } else if (media_type != kJson) {
      add(media_type, R"({"type":"string"})");
    }
  }

  void add_error(const api::Route& route) {
    add(route.errors->content_type, SchemaSet::to_json(route.errors->schema_name));
  }

  void append_to(JsonWriter& writer) const {
    writer.begin_object().string("description", join(meanings, "; or "));
    if (!content.empty()) {
      writer.name("content").begin_object();
      for (const auto& [media_type, schemas] : content) {
        const std::vector<std::string_view> texts(schemas.begin(), schemas.end());
        writer.name(media_type).begin_object();
        writer.raw("schema", texts.size() == 1 ? schemas[0] : R"({"anyOf":[)" + join(texts, ",") + "]}");
        writer.end_object();
      }
      writer.end_object();
    }
    writer.end_object();
  }
};

/// The route that answers some requests of the same path and method instead; null if none does.
const api::Route* shared_with(const api::Route& route, const RoutesOfPath& on_path) {
  if (!route.only_with_query.empty()) return nullptr;
  const auto found = std::ranges::find_if(on_path, [&](const api::Route* other) {
    return other->method == route.method && !other->only_with_query.empty();
  });
  return found == on_path.end() ? nullptr : *found;
}

/// Whether the route that it shares the path with describes it.
bool is_described_elsewhere(const api::Route& route, const RoutesOfPath& on_path) {
  return !route.only_with_query.empty() && std::ranges::any_of(on_path, [&](const api::Route* other) {
    return other->method == route.method && other->only_with_query.empty();
  });
}

/// `other`: see shared_with().
void append_responses(JsonWriter& writer, const api::Route& route, const api::Route* other) {
  std::map<int, Response> responses;
  for (const api::Outcome& outcome : route.outcomes) {
    Response& response = responses[outcome.status];
    response.meanings.push_back(outcome.meaning);
    response.add(route, outcome);
    if (const api::Outcome* its = other == nullptr ? nullptr : find_outcome(*other, outcome.status)) {
      response.add(*other, *its);
    }
  }
  const auto add_errors = [&](Response& response) {
    response.add_error(route);
    if (other != nullptr) response.add_error(*other);
  };
  const std::string needs = "the key needs one of: " + join_scopes(route.any_of, ", ");
  if (!route.any_of.empty()) {
    const std::array<std::pair<int, std::string_view>, 2> refusals = {{{401, "no valid key"}, {403, needs}}};
    for (const auto& [status, meaning] : refusals) {
      const auto [at, is_new] = responses.try_emplace(status);
      if (!is_new) continue;
      at->second.meanings.push_back(meaning);
      add_errors(at->second);
    }
  }
  Response rest;
  rest.meanings.push_back(kOtherErrors);
  add_errors(rest);
  writer.name("responses").begin_object();
  for (const auto& [status, response] : responses) {
    writer.name(std::to_string(status));
    response.append_to(writer);
  }
  writer.name("default");
  rest.append_to(writer);
  writer.end_object();
}

void append_security(JsonWriter& writer, const api::Route& route) {
  const bool open = route.any_of.empty();
  writer.name("security").begin_array();
  if (!open) writer.begin_object().name("bearer").begin_array().end_array().end_object();
  if (!open && route.cookie == api::Route::Cookie::accepted) {
    writer.begin_object().name("cookie").begin_array().end_array().end_object();
  }
  writer.end_array();
}

/// `other`: see shared_with().
void append_operation(JsonWriter& writer, const api::Route& route, const api::Route* other) {
  writer.begin_object().string("operationId", operation_id(route)).string("summary", route.summary);
  std::string details(route.details);
  if (other != nullptr) {
    if (!details.empty()) details += ' ';
    details += "With " + join(other->only_with_query, " or ") + ", for " + std::string(other->face) + ": " +
               std::string(other->summary) + ".";
  }
  if (!details.empty()) writer.string("description", details);
  writer.name("tags").begin_array().string(route.face).end_array();
  writer.name("parameters").begin_array();
  for (const std::string_view name : path_parameters(route.pattern)) append_parameter(writer, {name, "path", ""});
  for (const api::Parameter& parameter : route.parameters) append_parameter(writer, parameter);
  for (const std::string_view name : other != nullptr ? other->only_with_query : std::vector<std::string_view>{}) {
    append_parameter(writer, {name, "query", ""});
  }
  writer.end_array();
  if (!route.request_body.empty()) {
    writer.name("requestBody").begin_object().string("description", route.request_body);
    writer.name("content").begin_object().name(kJson).begin_object();
    writer.raw("schema", SchemaSet::to_json(route.request_body_schema));
    writer.end_object().end_object().end_object();
  }
  append_responses(writer, route, other);
  append_security(writer, route);
  writer.end_object();
}

void append_info(JsonWriter& writer, std::string_view face, std::string_view version) {
  writer.name("info").begin_object();
  writer.string("title", face.empty() ? "syncline" : "syncline, " + std::string(face));
  writer.string("version", version).end_object();
}

void append_components(JsonWriter& writer, const SchemaSet::Texts& schemas) {
  writer.name("components").begin_object().name("schemas").begin_object();
  for (const auto& [name, schema] : schemas) writer.raw(name, schema);
  writer.end_object();
  writer.name("securitySchemes").begin_object();
  writer.name("bearer").begin_object().string("type", "http").string("scheme", "bearer").end_object();
  writer.name("cookie")
      .begin_object()
      .string("type", "apiKey")
      .string("in", "cookie")
      .string("name", "__Host-syncline")
      .string("description",
              "Set by POST /v1/session. The name goes on with - and the id of the hub, and begins with syncline where "
              "browsers reach the hub by plain http. Counts for pages of the hub alone.")
      .end_object();
  writer.end_object().end_object();
}

}  // namespace

std::vector<const api::Route*> routes_of(const std::vector<api::Route>& routes, std::string_view face) {
  std::vector<const api::Route*> chosen;
  for (const api::Route& route : routes) {
    if (face.empty() || (route.face == face && route.alias_of.empty())) chosen.push_back(&route);
  }
  return chosen;
}

std::vector<std::string_view> faces_of(const std::vector<api::Route>& routes) {
  std::vector<std::string_view> faces;
  for (const api::Route& route : routes) {
    if (std::ranges::find(faces, route.face) == faces.end()) faces.push_back(route.face);
  }
  return faces;
}

std::vector<std::string_view> prefixes_of(const std::vector<api::Route>& routes, std::string_view face) {
  std::set<std::string_view> prefixes;
  for (const api::Route& route : routes) {
    if (route.face != face || route.alias_of.empty()) continue;
    prefixes.insert(route.pattern.substr(0, route.pattern.size() - route.alias_of.size()));
  }
  return {prefixes.begin(), prefixes.end()};
}

std::string operation_id(const api::Route& route) {
  std::string id = lower_case(http::to_text(route.method));
  for (const char c : route.pattern) {
    if (c == '{' || c == '}') continue;
    id += c == '/' || c == '.' ? '_' : c;
  }
  return id;
}

std::string make_open_api(const std::vector<api::Route>& routes, std::string_view face, std::string_view version) {
  const std::vector<const api::Route*> described = routes_of(routes, face);
  std::map<std::string_view, RoutesOfPath> paths;
  for (const api::Route* route : described) paths[route->pattern].push_back(route);
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("openapi", "3.1.1");
  append_info(writer, face, version);
  writer.name("servers").begin_array().begin_object().string("url", "/").end_object();
  for (const std::string_view prefix : face.empty() ? std::vector<std::string_view>{} : prefixes_of(routes, face)) {
    writer.begin_object().string("url", prefix).end_object();
  }
  writer.end_array();
  writer.name("tags").begin_array();
  for (const std::string_view name : face.empty() ? faces_of(routes) : std::vector{face}) {
    writer.begin_object().string("name", name).end_object();
  }
  writer.end_array();
  writer.name("paths").begin_object();
  for (const auto& [pattern, on_path] : paths) {
    writer.name(pattern).begin_object();
    for (const api::Route* route : on_path) {
      if (is_described_elsewhere(*route, on_path)) continue;
      writer.name(lower_case(http::to_text(route->method)));
      append_operation(writer, *route, shared_with(*route, on_path));
    }
    writer.end_object();
  }
  writer.end_object();
  append_components(writer, SchemaSet(described).find_used_in(out));
  writer.end_object();
  return out;
}

}  // namespace syncline::operations
