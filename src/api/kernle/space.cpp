#include "api/kernle/space.hpp"

#include <algorithm>
#include <array>

#include "base/json_object.hpp"
#include "base/limits.hpp"
#include "wire/kernle_tables.hpp"

namespace syncline::kernle {
namespace {

/// Members that only a server may set: a record that a client sends has them from its own store.
constexpr auto kServerFields = std::to_array<std::string_view>(
    {"agent_ref", "agent_id", "deleted", "version", "id", "embedding", "synced_at", "server_updated_at", "is_forgotten",
     "forgotten_at", "forgotten_reason", "user_id", "stack_id", "cloud_synced_at"});

bool is_server_field(std::string_view name) { return std::ranges::find(kServerFields, name) != kServerFields.end(); }

/// The document without what only a server may set.
Result<std::string> shape(const Op& op, const Record*, Timestamp) {
  if (op.deleted) return std::string();
  bool has_any = false;
  JsonView(op.doc).for_each_member(
      [&](std::string_view name, JsonView) { has_any = has_any || is_server_field(name); });
  if (!has_any) return std::string(op.doc);
  JsonObject object{JsonView(op.doc)};
  for (const std::string_view name : kServerFields) object.erase(name);
  return object.to_text();
}

Result<> emit_memory_created(SpaceWriter& writer, const Record* before, const Record& after) {
  if (before != nullptr || after.deleted || !writer.wants(kMemoryCreated)) return {};
  writer.emit(kMemoryCreated, [&](JsonWriter& data) {
    data.string("table", after.collection)
        .string("record_id", after.id)
        .integer("version", after.seq.value)
        .string("updated_at", format_time(after.updated_at));
  });
  return {};
}

}  // namespace

Result<std::string> check_agent_name(std::string_view name) {
  const std::string_view local = name.substr(name.rfind('/') + 1);
  const auto characters =
      std::ranges::count_if(local, [](char c) { return (static_cast<unsigned char>(c) >> 6U) != 2; });
  const bool too_long = static_cast<std::size_t>(characters) > limits::kAgentNameCharactersMax;
  if (local.empty() || too_long || !check_space_name(space_name_of(local))) {
    return fail(ErrorCode::invalid_argument,
                "the name of an agent must have 1 to 100 letters, digits, '-', '_' or '.'");
  }
  return std::string(local);
}

SpaceRules make_space_rules() {
  SpaceRules rules;
  for (const Table& table : tables()) {
    CollectionRules& collection = rules.collections[std::string(table.name)];
    collection.merge = merge_policy_of(table);
    collection.shape = shape;
    collection.on_put = emit_memory_created;
  }
  rules.describe = [](JsonWriter& data, const SpaceName& space) {
    const std::string_view agent = agent_of(space.name).value_or("");
    data.string("agent_id", agent).string("stack_id", agent);
  };
  return rules;
}

}  // namespace syncline::kernle
