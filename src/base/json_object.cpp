#include "base/json_object.hpp"

namespace syncline {

JsonObject::JsonObject(JsonView json) {
  json.for_each_member([&](std::string_view name, JsonView value) { set(name, std::string(value.raw())); });
}

const JsonObject::Member* JsonObject::find_member(std::string_view name) const {
  const auto found = places_.find(std::string(name));
  return found == places_.end() ? nullptr : &members_[found->second];
}

JsonObject::Member* JsonObject::find_member(std::string_view name) {
  const auto found = places_.find(std::string(name));
  return found == places_.end() ? nullptr : &members_[found->second];
}

std::optional<JsonView> JsonObject::find(std::string_view name) const {
  const Member* member = find_member(name);
  if (member == nullptr) return std::nullopt;
  return JsonView(member->value);
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
  if (Member* member = find_member(name)) {
    member->value = std::move(json);
    return;
  }
  places_[std::string(name)] = members_.size();
  members_.push_back({std::string(name), std::move(json)});
}

void JsonObject::set_text(std::string_view name, std::string_view text) {
  std::string json;
  append_json_string(json, text);
  set(name, std::move(json));
}

void JsonObject::set_integer(std::string_view name, std::int64_t value) { set(name, std::to_string(value)); }

void JsonObject::erase(std::string_view name) {
  const auto found = places_.find(std::string(name));
  if (found == places_.end()) return;
  const std::size_t place = found->second;
  places_.erase(found);
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(place));
  for (auto& [other, at] : places_) at -= at > place ? 1 : 0;
}

std::string JsonObject::to_text() const {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  for (const Member& member : members_) writer.name(member.name).raw(member.value);
  writer.end_object();
  return out;
}

std::optional<JsonObject> parse_json_object(std::string text, int depth_max) {
  if (check_json(text, depth_max).fault != JsonFault::none || !JsonView(text).is_object()) return std::nullopt;
  return JsonObject(JsonView(text));
}

}  // namespace syncline
