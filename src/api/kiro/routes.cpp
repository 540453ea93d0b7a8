#include "api/kiro/routes.hpp"

#include "api/route_builder.hpp"

namespace syncline::kiro {
namespace {

constexpr std::string_view kWait = "seconds to hold the answer until there is something new, at most 60";

constexpr api::ErrorFormat kErrors{
    [](JsonWriter& writer, const api::Problem& problem, std::string_view) { writer.string("error", problem.title); },
    "application/json"};

}  // namespace

Face::Face(Spaces& spaces, Access& access, Executor& workers, LeaseTimes lease_times, std::int64_t keep_days)
    : spaces_(spaces),
      access_(access),
      workers_(workers),
      views_(spaces),
      commands_(spaces, lease_times),
      outputs_(spaces),
      keep_days_(keep_days) {}

std::vector<api::Route> Face::make_routes() {
  const ScopeSet uploaders{Scope::write, Scope::commands_run, Scope::commands_submit};
  const ScopeSet command_readers{Scope::read, Scope::commands_submit, Scope::commands_run, Scope::commands_approve};
  api::RouteBuilder routes(*this, "kiro", kErrors);
  routes.get("/sync", {Scope::read}, "The complete state", &Face::get_state)
      .described("Conversations, documents and commands. With since, only what changed after it, and what was deleted.")
      .query("since", "a lastUpdate in milliseconds, or an ETag of this route")
      .query("wait", kWait)
      .header("If-None-Match", "an ETag of this route: 304 if nothing has changed")
      .answers(200, "the state")
      .answers(304, "nothing has changed")
      .heavy();
  routes.post("/sync", uploaders, "Upload a state", &Face::post_state)
      .described(
          "Any subset of the state is merged record by record; the answer has the complete merged state. Parts that "
          "the key may not write are named in ignored.")
      .header("If-Match", "an ETag of GET /sync: 412 if the state has changed since")
      .body("any subset of the state")
      .body_at_most(limits::kBodyBytesLarge)
      .answers(200, "status: updated or current, data: the merged state")
      .answers(400, "not a state; detail names the field")
      .answers(412, "changed since If-Match")
      .heavy();
  routes.del("/conversation/{id}", {Scope::write}, "Delete a conversation", &Face::delete_conversation)
      .answers(200, "deleted, also if it was before")
      .answers(404, "unknown");
  routes.del("/document/{id}", {Scope::write}, "Delete a document", &Face::delete_document)
      .answers(200, "deleted, also if it was before")
      .answers(404, "unknown");
  routes.post("/command", {Scope::commands_submit}, "Submit a command for a runner", &Face::submit)
      .header("Idempotency-Key", "makes a retry safe for 24 hours")
      .body("type, the fields of the type, and optionally workingDir, metadata, timeoutMs, priority")
      .body_at_most(limits::kBodyBytesLarge)
      .answers(200, "commandId and status pending")
      .answers(400, "unknown type or missing field; detail names it");
  routes.post("/command/claim", {Scope::commands_run}, "Take the next command", &Face::claim)
      .described("Higher priority first, else oldest first. The claim is a lease of leaseMs.")
      .query("wait", kWait)
      .answers(200, "commandId and the command")
      .answers(204, "none came")
      .heavy();
  routes.get("/command", command_readers, "List commands", &Face::list_commands)
      .described("Newest first, without their content and results.")
      .query("status", "held (waits for approval), pending, processing, completed or failed")
      .query("limit", "at most so many, 1 to 1000; 100 if absent")
      .answers(200, "commands")
      .heavy();
  routes
      .get("/command/approvals", {Scope::commands_approve}, "Patterns that are approved for good",
           &Face::list_approvals)
      .answers(200, "approvals: id, type, pattern, by, at");
  routes.del("/command/approvals/{id}", {Scope::commands_approve}, "End an approval for good", &Face::forget_approval)
      .answers(204, "ended")
      .answers(404, "unknown");
  routes.post("/command/{id}/approval/request", {Scope::commands_run}, "Ask for approval", &Face::ask_approval)
      .described(
          "By the runner that has the command. It is held as pending and no agent is shown it until somebody has "
          "answered, unless its pattern is approved for good.")
      .body("rule and pattern of the runner's policy")
      .answers(200, "state: requested or approved")
      .answers(404, "unknown")
      .answers(409, "not the owner");
  routes
      .post("/command/{id}/approval", {Scope::commands_approve}, "Approve or deny a command that waits for it",
            &Face::answer_approval)
      .body("decision (approve or deny), always (true: also for later commands of the same pattern), reason")
      .answers(200, "the command")
      .answers(404, "unknown")
      .answers(409, "it does not wait for approval");
  routes.get("/command/{id}", command_readers, "A command's state", &Face::get_command)
      .described("With wait, as soon as its status changes.")
      .query("wait", kWait)
      .answers(200, "the command")
      .answers(404, "unknown");
  routes.patch("/command/{id}", {Scope::commands_run}, "A runner's report", &Face::patch_command)
      .described("Forward only. The first to set processing owns the command; its PATCH processing renews the lease.")
      .body("status, result, error")
      .body_at_most(limits::kBodyBytesLarge)
      .answers(200, "the command")
      .answers(404, "unknown")
      .answers(409, "not allowed now; owner names another runner");
  routes.del("/command/{id}", {Scope::commands_submit}, "Cancel a command", &Face::cancel_command)
      .described("Pending: it fails at once. Running: its runner is told.")
      .answers(200, "the command")
      .answers(404, "unknown");
  routes.get("/command/{id}/output", command_readers, "Live output", &Face::read_output)
      .described(
          "Server-Sent Events: output {stream, data}, then end with the command; status {status, approval} while it "
          "waits for approval and when that changes.")
      .answers(200, "the events")
      .answers(404, "unknown");
  routes.post("/command/{id}/output", {Scope::commands_run}, "Send live output", &Face::append_output)
      .described("Only by the runner that owns the command.")
      .body("stream (stdout or stderr) and data")
      .answers(204, "handed on")
      .answers(409, "not the owner");
  std::vector<api::Route> table = routes.take();
  for (api::Route& route : table) {
    // A key that asks for anything is alive: its leases begin anew.
    route.handle = [this, handle = std::move(route.handle)](const api::CallPtr& call) {
      commands_.touch(call->principal());
      handle(call);
    };
  }
  return table;
}

api::FaceModule make_module(LeaseTimes lease_times, std::int64_t keep_days) {
  return {.name = "kiro",
          .prefixes = {"/kiro"},
          .space_rules = {{std::string(kSpace), make_space_rules()}},
          .events = {kCommandCompleted},
          .make = [lease_times, keep_days](const api::FaceParts& parts) {
            return std::make_unique<Face>(parts.spaces, parts.access, parts.workers, lease_times, keep_days);
          }};
}

}  // namespace syncline::kiro
