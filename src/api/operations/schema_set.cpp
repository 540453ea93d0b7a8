#include "api/operations/schema_set.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace syncline::operations {
namespace {

constexpr std::string_view kReferencePrefix = "#/components/schemas/";
/// Schemas may refer to themselves.
constexpr int kExampleDepthMax = 8;

/// What all errors have, and what the format adds. Some errors say more.
std::string error_schema(const api::ErrorFormat& errors) {
  std::string schema =
      R"({"type":"object","required":["type","title","status","detail","code","request_id"],"properties":{)"
      R"("type":{"type":"string","description":"a page that explains the code: /problems/ and the code"},)"
      R"("title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string"},)"
      R"("code":{"type":"string","examples":["not_found"]},"request_id":{"type":"string"},"cursor":{"type":"string"},)"
      R"("retry_after":{"type":"integer","description":"seconds"})";
  if (!errors.schema_properties.empty()) schema.append(",").append(errors.schema_properties);
  return schema + R"(},"additionalProperties":true})";
}

std::optional<std::string> first_of(JsonView list) {
  std::optional<std::string> first;
  list.for_each_element([&](JsonView one) {
    if (!first) first = one.raw();
  });
  return first;
}

/// The type of a schema, or the first of its types.
std::string type_of(JsonView schema) {
  const auto type = schema.find("type");
  if (!type) return "";
  if (type->is_string()) return type->as_string().value_or("");
  return JsonView(first_of(*type).value_or("\"\"")).as_string().value_or("");
}

/// A text that a reader recognises: a time, or what a member of that name usually holds.
std::string text_example(JsonView schema, std::string_view name) {
  struct Usual {
    std::string_view name;
    std::string_view text;
  };
  constexpr auto kByFormat = std::to_array<Usual>(
      {{"date-time", "2026-01-31T12:00:00Z"}, {"email", "ann@example.org"}, {"uri", "https://app.example/hook"}});
  constexpr auto kByName = std::to_array<Usual>({{"email", "ann@example.org"},
                                                 {"account", "ann@example.org"},
                                                 {"password", "correct horse"},
                                                 {"collection", "notes"},
                                                 {"cursor", "e1.42"},
                                                 {"plan", "pro"},
                                                 {"agent_id", "claire"},
                                                 {"stack_id", "claire"},
                                                 {"label", "laptop"}});
  const auto find_in = [](const auto& table, std::string_view key) {
    const auto found = std::ranges::find(table, key, &Usual::name);
    return found == table.end() ? std::string_view() : found->text;
  };
  std::string_view text = find_in(kByFormat, schema.text_of("format"));
  if (text.empty()) text = find_in(kByName, name);
  std::string json;
  append_json_string(json, text.empty() ? "..." : text);
  return json;
}

}  // namespace

SchemaSet::SchemaSet(const std::vector<const api::Route*>& routes) {
  std::set<const void*> seen;
  for (const api::Route* route : routes) {
    all_.try_emplace(std::string(route->errors->schema_name), error_schema(*route->errors));
    if (route->schemas.empty() || !seen.insert(route->schemas.data()).second) continue;
    JsonView(route->schemas).for_each_member([&](std::string_view name, JsonView schema) {
      all_.insert_or_assign(std::string(name), std::string(schema.raw()));
    });
  }
}

SchemaSet::Texts SchemaSet::find_used_in(std::string_view json) const {
  Texts used;
  std::vector<std::string_view> unread = {json};
  while (!unread.empty()) {
    const std::string_view text = unread.back();
    unread.pop_back();
    for (std::size_t at = text.find(kReferencePrefix); at != std::string_view::npos;
         at = text.find(kReferencePrefix, at)) {
      at += kReferencePrefix.size();
      const auto schema = all_.find(text.substr(at, text.find('"', at) - at));
      if (schema != all_.end() && used.insert(*schema).second) unread.emplace_back(schema->second);
    }
  }
  return used;
}

std::string SchemaSet::to_json(std::string_view schema) {
  if (schema.starts_with('{')) return std::string(schema);
  return R"({"$ref":")" + std::string(kReferencePrefix) + std::string(schema) + R"("})";
}

std::string SchemaSet::make_example(std::string_view schema) const {
  const std::string json = to_json(schema);
  return make_value(JsonView(json), "", 0);
}

std::string SchemaSet::make_value(JsonView schema, std::string_view name, int depth) const {
  if (depth > kExampleDepthMax) return "null";
  for (const std::string_view list : {"examples", "enum"}) {
    const auto found = schema.find(list);
    if (auto first = found ? first_of(*found) : std::nullopt) return *std::move(first);
  }
  if (const auto reference = schema.find("$ref")) {
    const std::string text = reference->as_string().value_or("");
    const auto found = all_.find(std::string_view(text).substr(std::min(text.size(), kReferencePrefix.size())));
    return found == all_.end() ? "null" : make_value(JsonView(found->second), name, depth + 1);
  }
  if (const auto value = schema.find("const")) return std::string(value->raw());
  if (const auto choices = schema.find("anyOf")) {
    return make_value(JsonView(first_of(*choices).value_or("{}")), name, depth + 1);
  }
  const std::string type = type_of(schema);
  if (type == "object") return make_object(schema, depth);
  if (type == "array") {
    const auto items = schema.find("items");
    return items ? '[' + make_value(*items, name, depth + 1) + ']' : "[]";
  }
  if (type == "integer" || type == "number") {
    const auto least = schema.find("minimum");
    return least ? std::string(least->raw()) : "1";
  }
  if (type == "boolean") return "true";
  if (type == "null") return "null";
  return text_example(schema, name);
}

std::string SchemaSet::make_object(JsonView schema, int depth) const {
  std::set<std::string, std::less<>> shown;
  if (const auto required = schema.find("required")) {
    required->for_each_element([&](JsonView name) { shown.insert(name.as_string().value_or("")); });
  }
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  if (const auto properties = schema.find("properties")) {
    properties->for_each_member([&](std::string_view name, JsonView property) {
      if (shown.contains(name) || property.find("examples")) writer.raw(name, make_value(property, name, depth + 1));
    });
  }
  writer.end_object();
  return out;
}

}  // namespace syncline::operations
