// Field-wise merge of two documents: unions of array fields, earliest times, nulls that never erase.
#include <algorithm>
#include <unordered_set>

#include "base/json_object.hpp"
#include "base/limits.hpp"
#include "core/merge.hpp"

namespace syncline {
namespace {

bool is_null(JsonView value) { return value.kind() == JsonKind::null; }

std::string union_of(JsonView first, JsonView second) {
  std::string out = "[";
  std::unordered_set<std::string_view> seen;
  const auto take = [&](JsonView item) {
    if (seen.size() >= limits::kUnionItemsMax || !seen.insert(item.raw()).second) return;
    if (out.size() > 1) out += ',';
    out += item.raw();
  };
  first.for_each_element(take);
  second.for_each_element(take);
  return out + ']';
}

std::string earlier_of(JsonView a, JsonView b) {
  const auto time_a = parse_time(a.as_string().value_or(""));
  const auto time_b = parse_time(b.as_string().value_or(""));
  const bool b_is_earlier = time_b && (!time_a || *time_b < *time_a);
  return std::string(b_is_earlier ? b.raw() : a.raw());
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::string merge_fields(std::string_view stored, std::string_view incoming, bool incoming_wins,
                         const MergePolicy& policy) {
  const JsonObject old_doc{JsonView(stored)};
  const JsonObject new_doc{JsonView(incoming)};
  const JsonObject& winner = incoming_wins ? new_doc : old_doc;
  const JsonObject& loser = incoming_wins ? old_doc : new_doc;

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
    if (is_null(value)) {
      replace(member, std::string(other->raw()));
    } else if (contains(policy.union_fields, member.name) && value.is_array() && other->is_array()) {
      std::string both = incoming_wins ? union_of(*other, value) : union_of(value, *other);
      if (!same_json(JsonView(both), value)) replace(member, std::move(both));
    } else if (contains(policy.earliest_fields, member.name)) {
      replace(member, earlier_of(value, *other));
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
