// What the audit log says of accounts, keys and sessions, and which key stands behind a session.
#include "service/access_records.hpp"

namespace syncline {

namespace access {

AuditEvent account_event(std::string_view action, const Account& account, std::string_view detail) {
  return {.action = std::string(action), .account = account.email, .target = {}, .detail = std::string(detail)};
}

AuditEvent key_event(std::string_view action, const Key& key) {
  return {.action = std::string(action),
          .account = key.account_email,
          .target = key.id,
          .detail = key.label + ": " + join_scopes(key.scopes, ",") + " in " + key.spaces.to_text() +
                    (key.expires_at ? ", until " + format_time(*key.expires_at) : "")};
}

AuditEvent revocation_event(const Key& key, const Actor& actor) {
  const bool is_own = actor.key == key.id;
  const std::string_view action = !is_session(key) ? "key.revoked" : is_own ? "session.signed_out" : "session.ended";
  return {.action = std::string(action), .account = key.account_email, .target = key.id, .detail = key.label};
}

AuditEvent replacement_event(std::string_view account, KeyNumber old, const Key& made) {
  return {.action = "key.revoked",
          .account = std::string(account),
          .target = key_id_of(old),
          .detail = "replaced by " + made.id};
}

AuditEvent session_event(const Account& account, const Key& session, std::string_view how_opened) {
  const std::string usual = session.parent.empty() ? "with a password" : "with key " + session.parent;
  std::string how = how_opened.empty() ? usual : std::string(how_opened);
  if (session.is_cookie) how += ", in a cookie";
  if (session.spaces.is_limited()) how += ", for " + session.spaces.to_text();
  return {.action = "session.opened",
          .account = account.email,
          .target = session.id,
          .detail = std::move(how),
          .by_account = true};
}

}  // namespace access

using namespace access;

Result<std::optional<Key>> Access::origin_of_key_id(std::string_view id) {
  std::optional<Key> origin;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(const auto stored, find_key_in(view, id));
    if (stored) origin = stored->key;
    if (!stored || stored->key.parent.empty()) return {};
    TRY(const auto parent, find_key_in(view, stored->key.parent));
    if (parent) origin = parent->key;
    return {};
  }));
  return origin;
}

}  // namespace syncline
