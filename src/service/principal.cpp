#include "service/principal.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace syncline {
namespace {

constexpr std::array<std::string_view, 7> kScopeNames = {
    "read", "write", "keys", "commands:submit", "commands:run", "commands:approve", "admin"};
constexpr std::array<std::string_view, 4> kPlanNames = {"free", "companion", "pro", "team"};
constexpr std::array<std::string_view, 2> kFirstGenerationNames = {"sync", "sync_ai"};

}  // namespace

std::string_view to_text(Scope scope) { return kScopeNames.at(static_cast<std::size_t>(scope)); }

std::vector<std::string_view> ScopeSet::names() const {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kScopeNames.size(); ++i) {
    if (has(static_cast<Scope>(i))) names.push_back(kScopeNames.at(i));
  }
  return names;
}

Result<ScopeSet> parse_scopes(std::string_view list) {
  ScopeSet scopes;
  for (const std::string_view part : split(list, ',')) {
    const std::string_view name = trim(part);
    const auto found = std::ranges::find(kScopeNames, name);
    if (found == kScopeNames.end()) {
      return fail(ErrorCode::invalid_argument,
                  "unknown scope '" + std::string(name) +
                      "'; allowed: read, write, keys, commands:submit, commands:run, commands:approve, admin");
    }
    scopes.add(static_cast<Scope>(found - kScopeNames.begin()));
  }
  return scopes;
}

std::string join_scopes(ScopeSet scopes, std::string_view separator) { return join(scopes.names(), separator); }

std::string_view to_text(Plan plan) { return kPlanNames.at(static_cast<std::size_t>(plan)); }

Result<Plan> parse_plan(std::string_view text) {
  if (text == kFirstGenerationNames[0]) return Plan::companion;
  if (text == kFirstGenerationNames[1]) return Plan::pro;
  const auto found = std::ranges::find(kPlanNames, text);
  if (found == kPlanNames.end()) {
    return fail(ErrorCode::invalid_argument,
                "unknown plan '" + std::string(text) + "'; allowed: free, companion, pro, team, sync, sync_ai");
  }
  return static_cast<Plan>(found - kPlanNames.begin());
}

std::string_view to_text(Role role) { return role == Role::admin ? "admin" : "member"; }

Result<Role> parse_role(std::string_view text) {
  for (const Role role : {Role::member, Role::admin}) {
    if (text == to_text(role)) return role;
  }
  return fail(ErrorCode::invalid_argument, "unknown role '" + std::string(text) + "'; allowed: admin, member");
}

ScopeSet scopes_of(Role role) {
  ScopeSet scopes{Scope::read,         Scope::write,           Scope::keys, Scope::commands_submit,
                  Scope::commands_run, Scope::commands_approve};
  if (role == Role::admin) scopes.add(Scope::admin);
  return scopes;
}

Result<> check_plan_label(std::string_view label) {
  TRY([[maybe_unused]] const Plan plan, parse_plan(label));
  return {};
}

}  // namespace syncline
