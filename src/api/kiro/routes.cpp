#include "api/kiro/routes.hpp"

namespace syncline::kiro {
namespace {

using api::Parameter;
using api::Route;
using http::Method;

constexpr Parameter kWait{"wait", "query", "seconds to hold the answer until there is something new, at most 60"};

}  // namespace

Face::Face(Spaces& spaces, Access& access, Executor& workers, LeaseTimes lease_times)
    : spaces_(spaces),
      access_(access),
      workers_(workers),
      views_(spaces),
      commands_(spaces, lease_times),
      outputs_(spaces) {}

std::vector<Route> Face::make_routes() {
  const auto by = [this](void (Face::*method)(const api::CallPtr&)) {
    return [this, method](const api::CallPtr& call) {
      commands_.touch(call->principal());
      (this->*method)(call);
    };
  };
  const ScopeSet uploaders{Scope::write, Scope::commands_run, Scope::commands_submit};
  const ScopeSet command_readers{Scope::read, Scope::commands_submit, Scope::commands_run, Scope::commands_approve};
  std::vector<Route> routes = {
      {.method = Method::get,
       .pattern = "/sync",
       .any_of = {Scope::read},
       .description = {"The complete state",
                       "Conversations, documents and commands. With since, only what changed after it, and what was "
                       "deleted.",
                       {{"since", "query", "a lastUpdate in milliseconds, or an ETag of this route"},
                        kWait,
                        {"If-None-Match", "header", "an ETag of this route: 304 if nothing has changed"}},
                       "",
                       {{200, "the state"}, {304, "nothing has changed"}}},
       .handle = by(&Face::get_state),
       .cost = Route::Cost::heavy},
      {.method = Method::post,
       .pattern = "/sync",
       .any_of = uploaders,
       .description = {"Upload a state",
                       "Any subset of the state is merged record by record; the answer has the complete merged state. "
                       "Parts that the key may not write are named in ignored.",
                       {{"If-Match", "header", "an ETag of GET /sync: 412 if the state has changed since"}},
                       "any subset of the state",
                       {{200, "status: updated or current, data: the merged state"},
                        {400, "not a state; detail names the field"},
                        {412, "changed since If-Match"}}},
       .handle = by(&Face::post_state),
       .body_bytes_max = limits::kBodyBytesLarge,
       .cost = Route::Cost::heavy},
      {.method = Method::del,
       .pattern = "/conversation/{id}",
       .any_of = {Scope::write},
       .description =
           {"Delete a conversation", "", {}, "", {{200, "deleted, also if it was before"}, {404, "unknown"}}},
       .handle = by(&Face::delete_conversation)},
      {.method = Method::del,
       .pattern = "/document/{id}",
       .any_of = {Scope::write},
       .description = {"Delete a document", "", {}, "", {{200, "deleted, also if it was before"}, {404, "unknown"}}},
       .handle = by(&Face::delete_document)},
      {.method = Method::post,
       .pattern = "/command",
       .any_of = {Scope::commands_submit},
       .description = {"Submit a command for a runner",
                       "",
                       {{"Idempotency-Key", "header", "makes a retry safe for 24 hours"}},
                       "type, the fields of the type, and optionally workingDir, metadata, timeoutMs, priority",
                       {{200, "commandId and status pending"},
                        {400, "unknown type or missing field; detail names it"}}},
       .handle = by(&Face::submit),
       .body_bytes_max = limits::kBodyBytesLarge},
      {.method = Method::post,
       .pattern = "/command/claim",
       .any_of = {Scope::commands_run},
       .description = {"Take the next command",
                       "Higher priority first, else oldest first. The claim is a lease of leaseMs.",
                       {kWait},
                       "",
                       {{200, "commandId and the command"}, {204, "none came"}}},
       .handle = by(&Face::claim),
       .cost = Route::Cost::heavy},
      {.method = Method::get,
       .pattern = "/command",
       .any_of = command_readers,
       .description = {"List commands",
                       "Newest first, without their content and results.",
                       {{"status", "query", "held (waits for approval), pending, processing, completed or failed"},
                        {"limit", "query", "at most so many, 1 to 1000; 100 if absent"}},
                       "",
                       {{200, "commands"}}},
       .handle = by(&Face::list_commands),
       .cost = Route::Cost::heavy},
      {.method = Method::get,
       .pattern = "/command/approvals",
       .any_of = {Scope::commands_approve},
       .description =
           {"Patterns that are approved for good", "", {}, "", {{200, "approvals: id, type, pattern, by, at"}}},
       .handle = by(&Face::list_approvals)},
      {.method = Method::del,
       .pattern = "/command/approvals/{id}",
       .any_of = {Scope::commands_approve},
       .description = {"End an approval for good", "", {}, "", {{204, "ended"}, {404, "unknown"}}},
       .handle = by(&Face::forget_approval)},
      {.method = Method::post,
       .pattern = "/command/{id}/approval/request",
       .any_of = {Scope::commands_run},
       .description =
           {"Ask for approval",
            "By the runner that has the command. It is held as pending and no agent is shown it until somebody "
            "has answered, unless its pattern is approved for good.",
            {},
            "rule and pattern of the runner's policy",
            {{200, "state: requested or approved"}, {404, "unknown"}, {409, "not the owner"}}},
       .handle = by(&Face::ask_approval)},
      {.method = Method::post,
       .pattern = "/command/{id}/approval",
       .any_of = {Scope::commands_approve},
       .description = {"Approve or deny a command that waits for it",
                       "",
                       {},
                       "decision (approve or deny), always (true: also for later commands of the same pattern), reason",
                       {{200, "the command"}, {404, "unknown"}, {409, "it does not wait for approval"}}},
       .handle = by(&Face::answer_approval)},
      {.method = Method::get,
       .pattern = "/command/{id}",
       .any_of = command_readers,
       .description = {"A command's state",
                       "With wait, as soon as its status changes.",
                       {kWait},
                       "",
                       {{200, "the command"}, {404, "unknown"}}},
       .handle = by(&Face::get_command)},
      {.method = Method::patch,
       .pattern = "/command/{id}",
       .any_of = {Scope::commands_run},
       .description = {"A runner's report",
                       "Forward only. The first to set processing owns the command; its PATCH processing renews the "
                       "lease.",
                       {},
                       "status, result, error",
                       {{200, "the command"}, {404, "unknown"}, {409, "not allowed now; owner names another runner"}}},
       .handle = by(&Face::patch_command),
       .body_bytes_max = limits::kBodyBytesLarge},
      {.method = Method::del,
       .pattern = "/command/{id}",
       .any_of = {Scope::commands_submit},
       .description = {"Cancel a command",
                       "Pending: it fails at once. Running: its runner is told.",
                       {},
                       "",
                       {{200, "the command"}, {404, "unknown"}}},
       .handle = by(&Face::cancel_command)},
      {.method = Method::get,
       .pattern = "/command/{id}/output",
       .any_of = command_readers,
       .description = {"Live output",
                       "Server-Sent Events: output {stream, data}, then end with the command; status {status, "
                       "approval} while it waits for approval and when that changes.",
                       {},
                       "",
                       {{200, "the events"}, {404, "unknown"}}},
       .handle = by(&Face::read_output)},
      {.method = Method::post,
       .pattern = "/command/{id}/output",
       .any_of = {Scope::commands_run},
       .description = {"Send live output",
                       "Only by the runner that owns the command.",
                       {},
                       "stream (stdout or stderr) and data",
                       {{204, "handed on"}, {409, "not the owner"}}},
       .handle = by(&Face::append_output)},
  };
  for (Route& route : routes) {
    route.face = "kiro";
    route.errors = api::ErrorStyle::plain_json;
  }
  return routes;
}

}  // namespace syncline::kiro
