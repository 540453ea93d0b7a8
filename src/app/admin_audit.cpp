#include "app/admin_audit.hpp"

#include <algorithm>
#include <iterator>

#include "api/admin/audit_json.hpp"
#include "base/text.hpp"

namespace syncline::app {

Result<std::string> audit_list(CoreServices& core, const JsonObject& request) {
  AuditTrail::Query query{
      .account = lower_case(request.text_of("account")), .action = request.text_of("action"), .since = {}};
  if (request.find("since")) {
    TRY(query.since, parse_iso_or_utc_time(request.text_of("since")));
  }
  query.before = request.integer_of("after").value_or(0);
  query.limit = static_cast<std::size_t>(request.integer_of("limit").value_or(admin::kAuditPageDefault));
  AuditTrail::Page found;
  do {
    TRY(AuditTrail::Page page, core.access.audit().list(query));
    std::ranges::move(page.entries, std::back_inserter(found.entries));
    query.limit -= page.entries.size();
    query.before = found.next = page.next;
  } while (found.next > 0 && query.limit > 0);
  return admin::audit_page_json(found);
}

Result<std::string> audit_verify(CoreServices& core, const JsonObject&) {
  TRY(const AuditVerdict verdict, core.access.audit().verify());
  std::string out;
  JsonWriter writer(out);
  writer.begin_object()
      .boolean("ok", verdict.fault.empty())
      .integer("entries", verdict.entries)
      .integer("first", verdict.first)
      .integer("last", verdict.last.count)
      .string("last_hash", verdict.last.hash);
  if (!verdict.fault.empty()) writer.string("fault", verdict.fault).integer("fault_at", verdict.fault_at);
  writer.end_object();
  return out;
}

}  // namespace syncline::app
