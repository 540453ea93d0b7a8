// The rows of the directory (directory.hpp): plain values. The columns are what a lookup needs; the meaning of a `doc`
// is the service's.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/hash_chain.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"

namespace syncline {

struct AccountRow {
  AccountNumber number;
  std::string email;  // in lower case; no two accounts have the same
  Timestamp created_at;
  std::string password;  // its hash; empty: none
  KeyNumber api_key;     // the key that the account replaces as a whole (POST /auth/api-key); 0: none
  std::string doc;
};

struct KeyRow {
  KeyNumber number;
  AccountNumber account;
  KeyNumber parent;        // of a session: the key that it was opened with; 0: none
  std::string token_hash;  // SHA-256 of the token: 32 bytes
  Timestamp created_at;
  std::optional<Timestamp> revoked_at;
  /// From then on nobody can use or renew the key, and purging may remove it.
  std::optional<Timestamp> ends_at;
  /// Written by set_last_used() alone.
  std::optional<Timestamp> last_used_at;
  std::string doc;
};

/// What somebody signs in with instead of a password.
struct PasskeyRow {
  PasskeyNumber number;
  AccountNumber account;
  std::string credential;  // the id that its device has given it; no two passkeys have the same
  Timestamp created_at;
  std::string doc;
};

/// Somebody whom another service knows, and who signs in by its word.
struct IdentityRow {
  IdentityNumber number;
  AccountNumber account;
  std::string subject;  // the service and whom it means there; no two identities have the same
  Timestamp created_at;
  std::string doc;
};

/// What lets somebody set a new password.
struct ResetRow {
  std::string token_hash;
  AccountNumber account;
  Timestamp expires_at;
};

/// The key was handed the space up to `seq`.
struct PulledRow {
  KeyNumber key;
  SpaceName space;
  Seq seq;
};

/// The account that has the space lets another one use it.
struct GrantRow {
  SpaceName space;
  AccountNumber guest;
  bool may_write = false;
  Timestamp created_at;
};

/// How often the account has asked, on a day and in its month.
struct UsageRow {
  AccountNumber account;
  std::string day;  // "2026-11-22"
  std::int64_t today = 0;
  std::int64_t this_month = 0;
};

/// Where an account wants events to be posted.
struct WebhookRow {
  std::string id;  // no two webhooks have the same
  AccountNumber account;
  Timestamp created_at;
  std::string doc;
};

/// A message for a webhook: on its way, or what became of it.
struct DeliveryRow {
  enum class State : std::uint8_t { waiting, delivered, failed };

  std::int64_t number = 0;
  AccountNumber account;  // the webhook's
  std::string webhook;
  std::string message;  // id, the same in every attempt and for every webhook
  std::string type;
  std::string body;
  Timestamp created_at;
  State state = State::waiting;
  std::int64_t attempts = 0;
  Timestamp next_at;  // of waiting ones
  Timestamp last_at;  // of the last attempt; 0 before the first
  std::int64_t last_status = 0;
  std::string last_error;
};

/// Who runs a command of a space, and until when nobody else may say that the runner is lost.
struct LeaseRow {
  SpaceName space;
  std::string command;
  std::string holder;  // id of the runner's key
  Timestamp until;
};

/// An entry of the audit log. `text` is the entry; the other members are copies of what it says, to look it up by.
struct AuditRow {
  std::int64_t number = 0;
  Timestamp at;
  std::string actor;    // address of the account that acted
  std::string account;  // address of the account that it concerns
  std::string action;
  std::string text;
};

/// Both ends of the audit log, kept apart from its entries, so that missing ones are noticed.
struct AuditEnds {
  ChainHead last;
  /// The last entry that was purged.
  ChainHead purged;
};

/// Each returns false to stop the visit. It collects what is to be done: it must not use the view that calls it to
/// change anything.
using AccountVisitor = std::function<bool(const AccountRow&)>;
using KeyVisitor = std::function<bool(const KeyRow&)>;
using GrantVisitor = std::function<bool(const GrantRow&)>;
using PasskeyVisitor = std::function<bool(const PasskeyRow&)>;
using IdentityVisitor = std::function<bool(const IdentityRow&)>;
using UsageVisitor = std::function<bool(const UsageRow&)>;
using WebhookVisitor = std::function<bool(const WebhookRow&)>;
using DeliveryVisitor = std::function<bool(const DeliveryRow&)>;
using LeaseVisitor = std::function<bool(const LeaseRow&)>;
using AuditVisitor = std::function<bool(const AuditRow&)>;

}  // namespace syncline
