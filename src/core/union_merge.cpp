// Field-wise merge of two documents: unions of array fields, earliest times, nulls that never erase.
#include <algorithm>
#include <unordered_set>

#include "base/json_object.hpp"
#include "base/limits.hpp"
#include "core/merge.hpp"

namespace syncline {
namespace {

bool is_null(JsonView value) { return value.kind() == JsonKind::null; }

/// What a program writes for a field that it does not know.
bool looks_unset(std::string_view name, JsonView value, const MergePolicy& policy) {
  const auto known = policy.unset_values.find(name);
  if (known != policy.unset_values.end()) return is_null(value) || same_json(value, JsonView(known->second));
  switch (value.kind()) {
    case JsonKind::null: return true;
    case JsonKind::boolean: return !value.as_boolean().value_or(true);
    case JsonKind::number: return value.as_number() == 0;
    case JsonKind::string: return value.as_string().value_or("").empty();
    case JsonKind::array:
    case JsonKind::object: return value.depth() == 1 && canonical_json(value).size() == 2;
  }
  return false;
}

std::unordered_set<std::string> set_of(JsonView list) {
  std::unordered_set<std::string> items;
  list.for_each_element([&](JsonView item) { items.insert(canonical_json(item)); });
  return items;
}

/// The set union in first-seen order, the stored items first. Of more than kUnionItemsMax the winner's come first. A
/// winner that has all items keeps its own order.
std::string union_of(JsonView stored, JsonView incoming, bool incoming_wins) {
  if (set_of(stored) == set_of(incoming)) return std::string((incoming_wins ? incoming : stored).raw());
  std::unordered_set<std::string> kept;
  const auto keep = [&](JsonView item) {
    if (kept.size() < limits::kUnionItemsMax) kept.insert(canonical_json(item));
  };
  (incoming_wins ? incoming : stored).for_each_element(keep);
  (incoming_wins ? stored : incoming).for_each_element(keep);
  std::string out = "[";
  const auto take = [&](JsonView item) {
    if (kept.erase(canonical_json(item)) == 0) return;
    if (out.size() > 1) out += ',';
    out += item.raw();
  };
  stored.for_each_element(take);
  incoming.for_each_element(take);
  return out + ']';
}

std::optional<Timestamp> time_of(JsonView value) {
  const auto time = parse_iso_or_utc_time(value.as_string().value_or(""));
  if (!time) return std::nullopt;
  return *time;
}

/// True if `b` is a time, and `a` a later one or none.
bool is_later(JsonView a, JsonView b) {
  const auto time_a = time_of(a);
  const auto time_b = time_of(b);
  return time_b && (!time_a || *time_b < *time_a);
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// See MergePolicy::unset_values.
bool was_recreated(const JsonObject& version, const JsonObject& other, const MergePolicy& policy) {
  return std::ranges::any_of(policy.earliest_fields, [&](const std::string& name) {
    const auto its = version.find(name);
    const auto others = other.find(name);
    return its && others && time_of(*its) && is_later(*its, *others);
  });
}

std::string without_nulls(std::string_view doc) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  JsonView(doc).for_each_member([&](std::string_view name, JsonView value) {
    if (!is_null(value)) writer.raw(name, value.raw());
  });
  writer.end_object();
  return out;
}

}  // namespace

bool same_fields(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const std::string left = without_nulls(a);
  const std::string right = without_nulls(b);
  return same_json(JsonView(left), JsonView(right));
}

std::string merge_fields(std::string_view stored, std::string_view incoming, bool incoming_wins,
                         const MergePolicy& policy) {
  const JsonObject old_doc{JsonView(stored)};
  const JsonObject new_doc{JsonView(incoming)};
  const JsonObject& winner = incoming_wins ? new_doc : old_doc;
  const JsonObject& loser = incoming_wins ? old_doc : new_doc;
  const bool made_anew = was_recreated(winner, loser, policy);

  bool differs = false;
  JsonObject merged = winner;
  const auto replace = [&](const JsonObject::Member& member, std::string value) {
    differs = differs || value != member.value;
    merged.set(member.name, std::move(value));
  };
  for (const JsonObject::Member& member : winner.members()) {
    const auto other = loser.find(member.name);
    if (!other || is_null(*other)) continue;
    const JsonView value(member.value);
    if (is_null(value) || (made_anew && looks_unset(member.name, value, policy))) {
      replace(member, std::string(other->raw()));
    } else if (contains(policy.union_fields, member.name) && value.is_array() && other->is_array()) {
      std::string both =
          incoming_wins ? union_of(*other, value, incoming_wins) : union_of(value, *other, incoming_wins);
      if (!same_json(JsonView(both), value)) replace(member, std::move(both));
    } else if (contains(policy.earliest_fields, member.name)) {
      replace(member, std::string(is_later(value, *other) ? other->raw() : value.raw()));
    }
  }
  for (const JsonObject::Member& member : loser.members()) {
    if (winner.find(member.name) || is_null(JsonView(member.value))) continue;
    differs = true;
    merged.set(member.name, member.value);
  }
  // Nothing to add: the winner's own bytes, not a re-spelling of them.
  return differs ? merged.to_text() : std::string(incoming_wins ? incoming : stored);
}

}  // namespace syncline
