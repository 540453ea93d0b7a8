#include "app/faces.hpp"

#include <algorithm>

#include "api/accounts/routes.hpp"
#include "api/admin/routes.hpp"
#include "api/ai/routes.hpp"
#include "api/kaisho/routes.hpp"
#include "api/kernle/routes.hpp"
#include "api/kiro/routes.hpp"
#include "api/native/routes.hpp"
#include "api/oidc/routes.hpp"
#include "api/people/routes.hpp"
#include "api/webhooks/routes.hpp"
#include "app/ai_upstream.hpp"
#include "app/console.hpp"
#include "app/oidc_settings.hpp"
#include "app/plan_settings.hpp"
#include "net/workers.hpp"
#include "service/backup_watch.hpp"

namespace syncline::app {

Result<std::vector<api::FaceModule>> make_faces(const Settings& settings) {
  TRY(AiSettings ai, read_ai_settings(settings));
  TRY(std::optional<oidc::Setup> provider, read_oidc_settings(settings));
  TRY(console::Assets console, read_console_settings(settings));
  TRY(const Plan signup_plan, read_plan(settings, "accounts.signup_plan"));
  const kiro::CommandTimes times{.claim_lease_ms = settings.integer("commands.claim_lease_seconds") * 1000,
                                 .patch_lease_ms = settings.integer("commands.patch_lease_seconds") * 1000,
                                 .ttl_ms = settings.integer("commands.ttl_seconds") * 1000};
  const auto make_threads = [](std::size_t count) { return std::make_unique<net::Workers>(count); };
  return std::vector<api::FaceModule>{
      native::make_module(),
      kiro::make_module(times, settings.integer("commands.keep_days")),
      kernle::make_module(),  // before Kaisho: see Route::only_with_query
      kaisho::make_module(),
      webhooks::make_module(),
      ai::make_module(make_threads, std::move(ai.upstream), std::move(ai.caps)),
      people::make_module(),
      oidc::make_module(make_threads, std::move(provider)),
      admin::make_module(),
      accounts::make_module({.open = settings.boolean("accounts.signup"), .plan = signup_plan}),
      console::make_module(std::move(console)),
  };
}

std::vector<api::FaceModule> make_node_faces() {
  return {kaisho::make_module(), kernle::make_module(), native::make_module()};
}

RuleBook make_rule_book(const std::vector<api::FaceModule>& faces) {
  RuleBook::Rules rules;
  for (const api::FaceModule& face : faces) rules.insert(face.space_rules.begin(), face.space_rules.end());
  return RuleBook(std::move(rules));
}

EventTypes make_event_types(const std::vector<api::FaceModule>& faces) {
  EventTypes types = {kConflictDetected, kRecordChanged};
  types.add(operator_events());
  for (const api::FaceModule& face : faces) {
    for (const EventType type : face.events) types.add(type);
  }
  return types;
}

std::vector<const replica::Dialect*> list_dialects(const std::vector<api::FaceModule>& faces) {
  std::vector<const replica::Dialect*> dialects;
  std::vector<const replica::Dialect*> last_resorts;
  for (const api::FaceModule& face : faces) {
    if (face.dialect == nullptr) continue;
    (face.dialect->asking_leaves_traces() ? last_resorts : dialects).push_back(face.dialect);
  }
  dialects.insert(dialects.end(), last_resorts.begin(), last_resorts.end());
  return dialects;
}

std::vector<std::string> list_fixed_spaces(const std::vector<api::FaceModule>& faces) {
  std::vector<std::string> names;
  for (const api::FaceModule& face : faces) {
    for (const auto& [name, rules] : face.space_rules) {
      if (!name.ends_with('/')) names.push_back(name);
    }
  }
  return names;
}

Search::Subject find_search_subject(const std::vector<api::FaceModule>& faces) {
  const auto found = std::ranges::find_if(faces, [](const api::FaceModule& face) { return face.searched.has_value(); });
  if (found != faces.end()) return *found->searched;
  return {"/", [](const RecordView&) { return SearchedText{}; }};  // no space has such a name
}

}  // namespace syncline::app
