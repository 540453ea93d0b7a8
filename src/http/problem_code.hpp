// The codes of all errors in answers, each with its meaning and the remedy, as /problems/<code> shows them. A
// ProblemCode is made from a code of this table, which the compiler checks: no answer can carry a code that no page
// explains.
#pragma once

#include <array>
#include <string_view>

namespace syncline::http {

struct ProblemText {
  std::string_view code;  // stable, snake_case
  std::string_view text;
};

inline constexpr auto kProblemTexts = std::to_array<ProblemText>({
    {"invalid_argument",
     "The request does not have the form that the route expects; detail names the part. Correct it."},
    {"unknown_parameter", "The route does not take this query parameter; detail names the nearest one, or all."},
    {"invalid_document", "The hub stores documents unchanged and cannot store this one. Correct it."},
    {"not_found", "The route or the resource does not exist."},
    {"method_not_allowed", "The path does not support this method; see the Allow header."},
    {"conflict", "The request conflicts with the stored state. Read the state again and decide."},
    {"precondition_failed", "The resource has changed since the version that the request names. Read it again."},
    {"unauthorized", "The request has no valid key. Log in again."},
    {"insufficient_scope", "The key lacks the scope. Ask for a key that has it."},
    {"forbidden", "The hub does not allow this; detail says why."},
    {"own_command",
     "A key does not approve a command that it submitted. Use a key of another label, or sign in with a password."},
    {"space_not_allowed",
     "The key is limited to some spaces, which detail names. Use a key for this space, or for all spaces."},
    {"foreign_origin",
     "A cookie counts only for requests that pages of the hub make. Programs and other pages use a bearer token."},
    {"unsupported_media_type", "With a cookie, a body must be JSON and say so in its Content-Type."},
    {"pairing_over",
     "The code was used, has expired, or its maker has signed out. Make a new one where the first was made."},
    {"passkeys_unavailable",
     "Browsers offer passkeys for a host name that is reached by https. Set hub.public_url, and sign in with a "
     "password or a key until then."},
    {"public_url_set",
     "hub.public_url is set where the hub runs, to something else. Change it there, or leave public_url out."},
    {"already_set_up", "The hub has an admin. Sign in, or ask the admin for an invitation."},
    {"plan_too_small", "The account's plan does not include this."},
    {"too_large", "The body or document is larger than the limit."},
    {"epoch_changed",
     "The store was restored from a backup, has lost commits, or was replaced by an older copy. Push everything you "
     "have again, then read from 0. Do not delete what the hub no longer has."},
    {"cursor_expired", "Deletions after the cursor have been purged. Read from the beginning."},
    {"cursor_ahead", "The cursor is past the newest change. Push everything you have again, then read from 0."},
    {"idempotency_key_reused", "The Idempotency-Key was used for another request. Use a new one."},
    {"rate_limited", "Too many requests. Wait for the seconds in Retry-After."},
    {"busy", "The hub is busy. Try again in a moment."},
    {"storage_full", "The disk is full and nothing was written. Try again when there is space."},
    {"quota_exceeded",
     "The account has stored as much as its plan allows; nothing was written. Delete something, or ask the operator."},
    {"damaged", "The stored record is damaged. Write it again, or wait until a device that has it sends it."},
    {"unavailable", "The hub is stopping, or cannot read or reach what it needs. Try again in a moment."},
    {"timed_out", "No answer came in time. Try again."},
    {"clock_in_doubt", "The system clock is probably wrong. The operator must set or accept it."},
    {"internal", "This is a defect of the hub. The operator finds the reason in the log."},
    // Of the AI gateway.
    {"no_upstream", "The hub has no AI upstream. The operator sets ai.url."},
    {"insufficient_quota",
     "The month's AI tokens of the account are used up. Wait for the next month, or ask the operator."},
    {"upstream_unreachable", "The hub cannot reach the AI upstream. Try again later."},
    {"upstream_timeout", "The AI upstream did not answer in time. Ask for less at once, or try again."},
    {"upstream_busy", "The AI upstream takes no more requests. Wait for the seconds in Retry-After."},
    {"upstream_refused", "The AI upstream rejects the hub's own key. The operator must set ai.key_file."},
    {"upstream_rejected", "The AI upstream rejects the request; detail has its reason. Correct the request."},
    {"upstream_not_found", "The AI upstream does not have this route or model. GET /v1/models lists the models."},
    {"upstream_answer_too_large", "The AI upstream answered more than the hub accepts. Ask for less at once."},
    {"upstream_failed", "The AI upstream failed or answered something unexpected. Try again later."},
    // Of a node.
    {"bad_gateway", "The node cannot reach its hub, or the hub failed; detail says how. Try again later."},
    // Of the transport, before a route is known.
    {"malformed_request", "The request is not well-formed HTTP, or ambiguous; detail says how. Correct it."},
    {"request_timeout", "The request did not arrive in time. Send it again."},
    {"headers_too_large", "The request line or the headers are too long. Send fewer or shorter ones."},
    {"upgrade_required", "The route is a WebSocket. Connect with a WebSocket client."},
});

/// The same code, if the table explains it; otherwise it does not compile.
consteval std::string_view explained(std::string_view code) {
  for (const ProblemText& one : kProblemTexts) {
    if (one.code == code) return one.code;
  }
  throw "kProblemTexts does not explain this code";
}

class ProblemCode {
 public:
  constexpr ProblemCode() : code_(explained("internal")) {}
  consteval ProblemCode(const char* code) : code_(explained(code)) {}

  [[nodiscard]] constexpr std::string_view text() const { return code_; }
  constexpr operator std::string_view() const { return code_; }
  friend constexpr bool operator==(ProblemCode, ProblemCode) = default;

 private:
  std::string_view code_;
};

}  // namespace syncline::http
