#include "api/operations/open_api.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"

namespace syncline::operations {
namespace {

std::vector<std::string_view> path_parameters(std::string_view pattern) {
  std::vector<std::string_view> names;
  for (std::size_t open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1)) {
    names.push_back(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
  }
  return names;
}

/// "post_v1_spaces_space_push": unique, because method and pattern are.
std::string operation_id(const api::Route& route) {
  std::string id = lower_case(http::to_text(route.method));
  for (const char c : route.pattern) {
    if (c == '{' || c == '}') continue;
    id += c == '/' || c == '.' ? '_' : c;
  }
  return id;
}

void append_parameter(JsonWriter& writer, std::string_view name, std::string_view in, std::string_view description) {
  writer.begin_object().string("name", name).string("in", in);
  if (in == "path") writer.boolean("required", true);
  if (!description.empty()) writer.string("description", description);
  writer.name("schema").begin_object().string("type", "string").end_object().end_object();
}

/// `schema`: the name of a component, or a JSON Schema.
std::string schema_json(std::string_view schema) {
  if (schema.starts_with('{')) return std::string(schema);
  return R"({"$ref":"#/components/schemas/)" + std::string(schema) + R"("})";
}

/// `or_as`: another media type of the same, which is a text; empty: there is none.
void append_content(JsonWriter& writer, std::string_view media_type, const std::string& schema,
                    std::string_view or_as = {}) {
  writer.name("content").begin_object().name(media_type).begin_object().raw("schema", schema).end_object();
  if (!or_as.empty()) writer.name(or_as).begin_object().raw("schema", R"({"type":"string"})").end_object();
  writer.end_object();
}

constexpr bool is_error(int status) { return status >= 400; }

/// Every route can fail beyond the errors that it lists.
constexpr std::string_view kOtherErrors = "any other error";

/// The schema of an answer; empty for one without a body that is JSON.
std::string_view schema_of(const api::Route& route, const api::Outcome& outcome) {
  return outcome.schema.empty() && is_error(outcome.status) ? route.errors->schema_name : outcome.schema;
}

std::string_view media_type_of(const api::Route& route, const api::Outcome& outcome) {
  return outcome.schema.empty() && is_error(outcome.status) ? route.errors->content_type : outcome.media_type;
}

/// One of two schemas, where two routes share a path.
std::string either(std::string_view one, std::string_view other) {
  if (one == other) return schema_json(one);
  return R"({"anyOf":[)" + schema_json(one) + ',' + schema_json(other) + "]}";
}

const api::Outcome* find_outcome(const api::Route& route, int status) {
  const auto found = std::ranges::find(route.outcomes, status, &api::Outcome::status);
  return found == route.outcomes.end() ? nullptr : &*found;
}

/// `other`: see shared_with().
void append_answer(JsonWriter& writer, const api::Route& route, const api::Outcome& outcome, const api::Route* other) {
  writer.name(std::to_string(outcome.status)).begin_object().string("description", outcome.meaning);
  const std::string_view media_type = media_type_of(route, outcome);
  const std::string_view schema = schema_of(route, outcome);
  const api::Outcome* others = other == nullptr ? nullptr : find_outcome(*other, outcome.status);
  if (!schema.empty()) {
    append_content(writer, media_type, either(schema, others == nullptr ? schema : schema_of(*other, *others)),
                   outcome.or_as);
  } else if (media_type != "application/json") {
    append_content(writer, media_type, R"({"type":"string"})");
  }
  writer.end_object();
}

void append_error(JsonWriter& writer, std::string_view status, std::string_view meaning, const api::Route& route,
                  const api::Route* other) {
  writer.name(status).begin_object().string("description", meaning);
  const std::string_view name = route.errors->schema_name;
  append_content(writer, route.errors->content_type,
                 either(name, other != nullptr ? other->errors->schema_name : name));
  writer.end_object();
}

/// What all errors have, and what the format adds. Some errors say more.
std::string error_schema(const api::ErrorFormat& errors) {
  std::string schema =
      R"({"type":"object","required":["type","title","status","detail","code","request_id"],"properties":{)"
      R"("type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string"},)"
      R"("code":{"type":"string"},"request_id":{"type":"string"},"cursor":{"type":"string"},)"
      R"("retry_after":{"type":"integer"})";
  if (!errors.schema_properties.empty()) schema.append(",").append(errors.schema_properties);
  return schema + R"(},"additionalProperties":true})";
}

std::map<std::string, std::string> collect_schemas(const std::vector<api::Route>& routes) {
  std::map<std::string, std::string> schemas;
  std::set<const void*> seen;
  for (const api::Route& route : routes) {
    schemas.try_emplace(std::string(route.errors->schema_name), error_schema(*route.errors));
    if (route.schemas.empty() || !seen.insert(route.schemas.data()).second) continue;
    JsonView(route.schemas).for_each_member([&](std::string_view name, JsonView schema) {
      schemas.insert_or_assign(std::string(name), std::string(schema.raw()));
    });
  }
  return schemas;
}

/// The route that answers some requests of the same path and method instead; null if none does.
const api::Route* shared_with(const api::Route& route, const std::vector<const api::Route*>& on_path) {
  const auto found = std::ranges::find_if(on_path, [&](const api::Route* other) {
    return other->method == route.method && !other->only_with_query.empty();
  });
  return found == on_path.end() ? nullptr : *found;
}

/// `other`: see shared_with().
void append_operation(JsonWriter& writer, const api::Route& route, const api::Route* other) {
  writer.begin_object().string("operationId", operation_id(route)).string("summary", route.summary);
  std::string details(route.details);
  if (other != nullptr) {
    details += "With " + join(other->only_with_query, " or ") + ", for " + std::string(other->face) + ": " +
               std::string(other->summary) + ".";
  }
  if (!details.empty()) writer.string("description", details);
  writer.name("tags").begin_array().string(route.face).end_array();
  writer.name("parameters").begin_array();
  for (const std::string_view name : path_parameters(route.pattern)) append_parameter(writer, name, "path", "");
  for (const api::Parameter& parameter : route.parameters) {
    append_parameter(writer, parameter.name, parameter.in, parameter.description);
  }
  for (const std::string_view name : other != nullptr ? other->only_with_query : std::vector<std::string_view>{}) {
    append_parameter(writer, name, "query", "");
  }
  writer.end_array();
  if (!route.request_body.empty()) {
    writer.name("requestBody").begin_object().string("description", route.request_body);
    append_content(writer, "application/json", schema_json(route.request_body_schema));
    writer.end_object();
  }
  writer.name("responses").begin_object();
  for (const api::Outcome& outcome : route.outcomes) append_answer(writer, route, outcome, other);
  const bool open = route.any_of.empty();
  if (!open && find_outcome(route, 401) == nullptr) append_error(writer, "401", "no valid key", route, other);
  if (!open && find_outcome(route, 403) == nullptr) {
    append_error(writer, "403", "the key needs one of: " + join_scopes(route.any_of, ", "), route, other);
  }
  append_error(writer, "default", kOtherErrors, route, other);
  writer.end_object();
  writer.name("security").begin_array();
  if (!open) writer.begin_object().name("bearer").begin_array().end_array().end_object();
  if (!open && route.cookie == api::Route::Cookie::accepted) {
    writer.begin_object().name("cookie").begin_array().end_array().end_object();
  }
  writer.end_array().end_object();
}

void append_route_html(std::string& page, const api::Route& route) {
  page += "<section><h3><code>" + escape_html(http::to_text(route.method)) + " " + escape_html(route.pattern) +
          "</code></h3><p>" + escape_html(route.summary) +
          (route.details.empty() ? "" : ". " + escape_html(route.details)) + "</p>";
  if (!route.any_of.empty()) page += "<p>Scope: " + escape_html(join_scopes(route.any_of, " or ")) + "</p>";
  if (!route.request_body.empty()) page += "<p>Body: " + escape_html(route.request_body) + "</p>";
  page += "<ul>";
  for (const api::Parameter& parameter : route.parameters) {
    page += "<li><code>" + escape_html(parameter.name) + "</code> (" + escape_html(parameter.in) +
            "): " + escape_html(parameter.description) + "</li>";
  }
  for (const api::Outcome& outcome : route.outcomes) {
    page += "<li>" + std::to_string(outcome.status) + ": " + escape_html(outcome.meaning) + "</li>";
  }
  page += "</ul></section>";
}

}  // namespace

std::string make_open_api(const std::vector<api::Route>& routes, std::string_view version) {
  std::map<std::string_view, std::vector<const api::Route*>> paths;
  for (const api::Route& route : routes) paths[route.pattern].push_back(&route);
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("openapi", "3.1.1");
  writer.name("info")
      .begin_object()
      .string("title", "syncline")
      .string("version", version)
      .name("license")
      .begin_object()
      .string("name", "See the project")
      .end_object()
      .end_object();
  writer.name("servers").begin_array().begin_object().string("url", "/").end_object().end_array();
  writer.name("paths").begin_object();
  for (const auto& [pattern, on_path] : paths) {
    writer.name(pattern).begin_object();
    for (const api::Route* route : on_path) {
      if (!route->only_with_query.empty()) continue;  // described by the route that it shares the path with
      writer.name(lower_case(http::to_text(route->method)));
      append_operation(writer, *route, shared_with(*route, on_path));
    }
    writer.end_object();
  }
  writer.end_object();
  writer.name("components").begin_object();
  writer.name("schemas").begin_object();
  for (const auto& [name, schema] : collect_schemas(routes)) writer.raw(name, schema);
  writer.end_object();
  writer.name("securitySchemes")
      .begin_object()
      .name("bearer")
      .begin_object()
      .string("type", "http")
      .string("scheme", "bearer")
      .end_object()
      .name("cookie")
      .begin_object()
      .string("type", "apiKey")
      .string("in", "cookie")
      .string("name", "__Host-syncline")
      .string("description",
              "Set by POST /v1/session. The name goes on with - and the id of the hub, and begins with syncline where "
              "browsers reach the hub by plain http. Counts for pages of the hub alone.")
      .end_object()
      .end_object()
      .end_object();
  writer.end_object();
  return out;
}

std::string make_docs_page(const std::vector<api::Route>& routes, std::string_view version) {
  std::string page =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>syncline API</title><style>"
      ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;"
      "padding:0 1rem}code{font-size:.95em}section{border-top:1px solid #8886;padding:.5rem 0}h3{margin:.5rem 0;"
      "overflow-wrap:anywhere}</style></head><body><main><h1>syncline API</h1><p>Version " +
      escape_html(version) +
      ". The same as <a href=\"/openapi.json\">OpenAPI</a>. Every route with a scope needs "
      "<code>Authorization: Bearer &lt;key&gt;</code>.</p>";
  std::string_view face;
  for (const api::Route& route : routes) {
    if (route.face != face) page += "<h2>" + escape_html(face = route.face) + "</h2>";
    append_route_html(page, route);
  }
  return page + "</main></body></html>\n";
}

}  // namespace syncline::operations
