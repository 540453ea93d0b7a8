// Who is asking: an account, its plan, one of its keys and what that key may do.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "service/space_limit.hpp"

namespace syncline {

enum class Scope : std::uint8_t { read, write, keys, commands_submit, commands_run, commands_approve, admin };
[[nodiscard]] std::string_view to_text(Scope scope);

class ScopeSet {
 public:
  ScopeSet() = default;
  ScopeSet(Scope only) { add(only); }
  ScopeSet(std::initializer_list<Scope> scopes) {
    for (const Scope scope : scopes) add(scope);
  }

  void add(Scope scope) { bits_ |= bit(scope); }
  void add_all(ScopeSet scopes) { bits_ |= scopes.bits_; }
  [[nodiscard]] bool has(Scope scope) const { return (bits_ & bit(scope)) != 0; }
  [[nodiscard]] bool has_any(ScopeSet of) const { return (bits_ & of.bits_) != 0; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  /// What both have.
  [[nodiscard]] ScopeSet common_with(ScopeSet other) const {
    ScopeSet common;
    common.bits_ = bits_ & other.bits_;
    return common;
  }
  [[nodiscard]] std::vector<std::string_view> names() const;

 private:
  static unsigned bit(Scope scope) { return 1U << static_cast<unsigned>(scope); }
  unsigned bits_ = 0;
};

/// "read,write,commands:submit". Fails naming the first unknown scope.
[[nodiscard]] Result<ScopeSet> parse_scopes(std::string_view list);
/// Names joined by `separator`.
[[nodiscard]] std::string join_scopes(ScopeSet scopes, std::string_view separator);

enum class Plan : std::uint8_t { free, companion, pro, team };
[[nodiscard]] std::string_view to_text(Plan plan);
/// Also by the names of the first generation of clients: sync (companion) and sync_ai (pro).
[[nodiscard]] Result<Plan> parse_plan(std::string_view text);
/// Any name of a plan, of either generation.
[[nodiscard]] Result<> check_plan_label(std::string_view label);

/// What the people of an account may do on the hub.
enum class Role : std::uint8_t { member, admin };
[[nodiscard]] std::string_view to_text(Role role);
[[nodiscard]] Result<Role> parse_role(std::string_view text);
/// All scopes that somebody of that role may have: a member may not administer the hub.
[[nodiscard]] ScopeSet scopes_of(Role role);

struct Principal {
  AccountNumber account;
  std::string email;
  Plan plan = Plan::free;
  Role role = Role::member;
  std::string plan_label;  // what clients are told instead of the plan's own name; empty: the usual name
  KeyNumber key;
  KeyNumber opened_with;  // of a device's session: the key that it ends with; else 0
  std::string key_id;
  std::string label;
  ScopeSet scopes;
  SpaceLimit spaces;                    // which spaces the key is for
  bool is_person = false;               // a session that somebody opened with a password
  bool is_cookie = false;               // a session whose token is good as a cookie alone
  std::string agent;                    // the agent that the key was made for; empty for most
  std::optional<Timestamp> expires_at;  // of a session's access token
  std::optional<std::int64_t> ai_cap;   // AI tokens a month, if the account has a cap of its own
};

}  // namespace syncline
