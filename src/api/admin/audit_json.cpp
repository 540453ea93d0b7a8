#include "api/admin/audit_json.hpp"

#include "base/json.hpp"

namespace syncline::admin {
namespace {

void append_entry(JsonWriter& writer, const AuditEntry& entry) {
  const auto member = [&](std::string_view name, const std::string& text) {
    writer.name(name);
    text.empty() ? writer.null() : writer.string(text);
  };
  writer.begin_object().integer("number", entry.number).string("at", format_time(entry.at));
  member("actor", entry.actor.account);
  member("key", entry.actor.key);
  member("label", entry.actor.label);
  member("address", entry.actor.address);
  writer.string("action", entry.event.action);
  member("account", entry.event.account);
  member("target", entry.event.target);
  writer.string("outcome", entry.event.succeeded ? "ok" : "refused");
  member("detail", entry.event.detail);
  writer.end_object();
}

}  // namespace

std::string audit_page_json(const AuditTrail::Page& page) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("entries").begin_array();
  for (const AuditEntry& entry : page.entries) append_entry(writer, entry);
  writer.end_array().name("next");
  page.next > 0 ? writer.integer(page.next) : writer.null();
  writer.end_object();
  return out;
}

}  // namespace syncline::admin
