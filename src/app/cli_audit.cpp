// syncline audit: who did what on a hub, and whether the log of that is whole.
#include "api/admin/audit_json.hpp"
#include "app/invocation.hpp"
#include "app/offline.hpp"
#include "base/json_object.hpp"

namespace syncline::app {
namespace {

using Missing = DataDirectory::Missing;

Result<> verify_log(Invocation& invocation) {
  JsonObject request;
  request.set_text("command", "audit verify");
  TRY(const std::string answer, run_anywhere(invocation.data, request, Missing::refuse));
  print_result(answer, invocation.form());
  const JsonView verdict(answer);
  const auto ok = verdict.find("ok");
  if (ok && ok->as_boolean().value_or(false)) return {};
  invocation.exit_code = kExitAuditBroken;
  return fail(ErrorCode::damaged, "the audit log fails verification: " + verdict.text_of("fault"));
}

void define_listing(Command audit, Invocation& invocation) {
  const auto request = std::make_shared<JsonObject>();
  request->set_text("command", "audit list");
  const Command list = audit.add("list", "List who did what, newest first");
  const auto text = [&](const std::string& option, const std::string& field, const std::string& help) {
    const auto take = [request, field](const std::string& value) -> Result<> {
      request->set_text(field, value);
      return {};
    };
    list.text_option(option, take, help);
  };
  text("--account EMAIL", "account", "only what this account did, or what concerns it");
  text("--action ACTION", "action", "only this action, like key.revoked, or all that begin with it, like key");
  text("--since TIME", "since", "only entries of that time or later, like 2026-11-22T10:00:00Z");
  const auto limit = [request](std::int64_t value) { request->set_integer("limit", value); };
  list.integer_option("--limit N", limit, "maximum number of entries to list")
      .in_range(1, admin::kAuditPageMax)
      .defaults_to("100");
  const auto after = [request](std::int64_t value) { request->set_integer("after", value); };
  list.integer_option("--after NUMBER", after, "continue after that entry: the value of next in an earlier list")
      .positive();
  add_common(list, invocation);
  list.example("syncline audit list --action key --since 2026-11-22T00:00:00Z");
  list.on_run([&invocation, request]() -> Result<> {
    TRY(std::string answer, run_anywhere(invocation.data, *request, Missing::refuse));
    JsonObject page{JsonView(answer)};
    const auto next = page.find("next");
    const bool is_last = !next || !next->as_integer();
    if (is_last && invocation.form() == OutputForm::text) page.erase("next");
    print_result(page.to_text(), invocation.form(), find_list_view("audit list"));
    return {};
  });
}

}  // namespace

void define_audit(Command root, Invocation& invocation) {
  const Command audit =
      root.add_group("audit", "Inspect the audit log: who did what", "syncline audit list --account me@example.org");
  define_listing(audit, invocation);
  const Command verify = audit.add("verify", "Verify that the audit log is complete and unchanged");
  add_common(verify, invocation);
  add_exits(verify, {kExitAuditBroken});
  verify.example("syncline audit verify --data /srv/syncline");
  verify.on_run([&invocation] { return verify_log(invocation); });
}

}  // namespace syncline::app
