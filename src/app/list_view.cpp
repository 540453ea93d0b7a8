#include "app/list_view.hpp"

#include <map>

namespace syncline::app {

const ListView& find_list_view(std::string_view command) {
  static const ListView kAll;
  static const std::map<std::string_view, ListView> kViews = {
      {"account list",
       {{"account", "plan", "role", "bytes=stored", "bytes_max=limit", "records", "requests_today",
         "created_at=created"},
        "no accounts yet; 'syncline account add EMAIL --plan PLAN' adds one"}},
      {"key list",
       {{"id", "label", "account", "scopes", "spaces", "expires_at=expires", "last_used_at=last used",
         "revoked_at=revoked", "created_at=created"},
        "no keys; 'syncline key add' creates one"}},
      {"space list",
       {{"account", "name=space", "records", "bytes=size", "updated_at=changed", "cursor"},
        "no spaces yet; a space appears with its first record"}},
      {"space history",
       {{"updated_at=changed", "seq", "deleted", "key_label=by", "doc"}, "no versions of this record"}},
      {"space shares",
       {{"space", "owner", "guest", "rights", "guest_name=name for the guest", "created_at=created"},
        "no spaces are shared"}},
      {"conflicts list",
       {{"id", "space", "collection", "record_id=record", "state", "at", "loser_key_label=lost edit of", "account"},
        "no conflicts"}},
      {"webhooks list",
       {{"id", "webhook_url=url", "events", "enabled", "disabled_because", "created_at=created"},
        "no webhooks; 'syncline webhook add URL' adds one"}},
      {"webhooks deliveries",
       {{"id", "type", "state", "attempts", "created_at=created", "last_status=status", "last_error", "next_at=next"},
        "no deliveries yet"}},
      {"audit list",
       {{"number", "at", "action", "outcome", "actor", "account", "target", "detail", "address"}, "no entries"}},
      {"command list", {{"id", "status", "created", "by", "type", "what", "asks_for"}, "no commands"}},
      {"command approvals", {{}, "no standing approvals; 'syncline command approve ID --always' makes one"}},
      {"memory list", {{"id", "changed", "text"}, "no memories in this table"}},
      {"memory search", {{"table", "changed", "text", "id"}, "nothing found"}},
      {"entry list",
       {{"start", "end", "customer", "description", "contract", "sync_id"}, "no time entries in this period"}},
      {"triage list", {{"sync_id", "start", "end", "description", "contract"}, "no entries wait for a customer"}},
      {"sync conflicts",
       {{"id", "table", "record_id=record", "resolved_at=resolved", "local_summary=this device's version",
         "cloud_summary=the hub's version"},
        "no conflicts"}},
      {"sync deadletters", {{}, "no rejected changes"}},
  };
  const auto found = kViews.find(command);
  return found == kViews.end() ? kAll : found->second;
}

}  // namespace syncline::app
