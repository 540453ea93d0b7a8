// /v1/admin: what admins see of the hub as a whole.
//
// Scope admin. Errors: 400 for a parameter with a wrong value. Changes nothing.
#include "api/admin/routes.hpp"

#include <limits>

#include "api/admin/audit_json.hpp"
#include "api/admin/schemas.hpp"
#include "api/route_builder.hpp"
#include "base/text.hpp"

namespace syncline::admin {

void Face::list_audit(const api::CallPtr& call) {
  AuditTrail::Query query{.account = lower_case(call->query("account").value_or("")),
                          .action = call->query("action").value_or(""),
                          .since = {}};
  if (const auto since = call->query("since")) {
    TRY_CALL(call, query.since, parse_iso_or_utc_time(*since));
  }
  TRY_CALL(call, const std::int64_t limit, call->query_integer("limit", 1, kAuditPageMax, kAuditPageDefault));
  TRY_CALL(call, query.before, call->query_integer("after", 0, std::numeric_limits<std::int64_t>::max(), 0));
  query.limit = static_cast<std::size_t>(limit);
  TRY_CALL(call, const AuditTrail::Page page, audit_.list(query));
  auto response = http::make_text(200, "application/json", audit_page_json(page));
  response.headers.push_back({"Cache-Control", "no-store"});
  call->respond(std::move(response));
}

std::vector<api::Route> Face::make_routes() {
  api::RouteBuilder routes(*this, "admin", api::kProblemDetails);
  routes.all().with_schemas(kSchemas).heavy().in_any_plan().with_cookies();
  routes.get("/v1/admin/audit", Scope::admin, "List who did what", &Face::list_audit)
      .described(
          "Logins, sessions, keys, accounts, passwords, approvals, wipes, webhooks and administration commands; newest "
          "first. A page looks at 10,000 entries at most, so it may have few or none: continue while next is not null.")
      .query("account", "only what this account did, or what concerns it")
      .query("action", "only this action (key.revoked), or all that begin with it (key)")
      .query("since", "only entries of that time or later")
      .query_integer("limit", "1 to 1000, 100 if absent")
      .query_integer("after", "the next of the page before: the list continues behind that entry")
      .answers(200, "the entries, and next: null on the last page", "AuditPage")
      .answers(400, "a parameter has a wrong value");
  return routes.take();
}

api::FaceModule make_module() {
  return {.name = "admin", .make = [](const api::FaceParts& parts) { return std::make_unique<Face>(parts); }};
}

}  // namespace syncline::admin
