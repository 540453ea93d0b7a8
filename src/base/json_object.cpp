#include "base/json_object.hpp"

#include <algorithm>

namespace syncline {

JsonObject::JsonObject(JsonView json) {
  json.for_each_member([&](std::string_view name, JsonView value) { set(name, std::string(value.raw())); });
}

std::optional<JsonView> JsonObject::find(std::string_view name) const {
  const auto found = std::ranges::find(members_, name, &Member::name);
  if (found == members_.end()) return std::nullopt;
  return JsonView(found->value);
}

std::string JsonObject::text_of(std::string_view name) const {
  const auto value = find(name);
  return value ? value->as_string().value_or("") : "";
}

std::optional<std::int64_t> JsonObject::integer_of(std::string_view name) const {
  const auto value = find(name);
  return value ? value->as_integer() : std::nullopt;
}

void JsonObject::set(std::string_view name, std::string json) {
  const auto found = std::ranges::find(members_, name, &Member::name);
  if (found == members_.end()) {
    members_.push_back({std::string(name), std::move(json)});
  } else {
    found->value = std::move(json);
  }
}

void JsonObject::set_text(std::string_view name, std::string_view text) {
  std::string json;
  append_json_string(json, text);
  set(name, std::move(json));
}

void JsonObject::set_integer(std::string_view name, std::int64_t value) { set(name, std::to_string(value)); }

void JsonObject::erase(std::string_view name) {
  std::erase_if(members_, [&](const Member& member) { return member.name == name; });
}

std::string JsonObject::to_text() const {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  for (const Member& member : members_) writer.name(member.name).raw(member.value);
  writer.end_object();
  return out;
}

}  // namespace syncline
