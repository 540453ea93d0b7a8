// The table of Kiro's API. Each request of a key renews the leases of its commands.
#include "api/kiro/routes.hpp"

#include "api/kiro/schemas.hpp"
#include "api/route_builder.hpp"

namespace syncline::kiro {
namespace {

constexpr std::string_view kWait = "seconds to wait for something new before the answer, at most 50";

constexpr api::ErrorFormat kErrors{
    [](JsonWriter& writer, const api::Problem& problem, std::string_view) { writer.string("error", problem.title); },
    "application/json", "KiroProblem", R"("error":{"type":"string"})"};

}  // namespace

Face::Face(Spaces& spaces, Directory& directory, Access& access, Executor& workers, CommandTimes times,
           std::int64_t keep_days)
    : spaces_(spaces),
      access_(access),
      workers_(workers),
      views_(spaces),
      commands_(spaces, directory, times),
      outputs_(spaces),
      keep_days_(keep_days) {}

std::vector<api::Route> Face::make_routes() {
  const ScopeSet uploaders{Scope::write, Scope::commands_run, Scope::commands_submit};
  const ScopeSet readers = command_readers();
  api::RouteBuilder routes(*this, "kiro", kErrors);
  routes.all().with_schemas(kSchemas).in_space(kSpace);
  routes.get("/sync", {Scope::read}, "Read the complete state", &Face::get_state)
      .with_cookies()
      .described("Conversations, documents and commands. With since, only what changed after it, and what was deleted.")
      .query("since", "a lastUpdate in milliseconds, or an ETag of this route")
      .query_integer("wait", kWait)
      .header("If-None-Match", "an ETag of this route: 304 if nothing has changed")
      .answers(200, "the state", "KiroState")
      .answers(304, "nothing has changed")
      .heavy();
  routes.post("/sync", uploaders, "Upload a state", &Face::post_state)
      .described(
          "The hub merges any subset of the state record by record and answers with the complete merged state. The "
          "member ignored of the answer names parts that could not be read or that the key may not write.")
      .header("If-Match", "an ETag of GET /sync: 412 if the state has changed since")
      .body("any subset of the state", "KiroUpload")
      .body_at_most(limits::kBodyBytesLarge)
      .answers(200, "status: updated or current, data: the merged state", "KiroUploaded")
      .answers(400, "not JSON, or a map or lastUpdate has the wrong type; detail names it")
      .answers(412, "changed since If-Match")
      .heavy();
  routes.del("/conversation/{id}", {Scope::write}, "Delete a conversation", &Face::delete_conversation)
      .with_cookies()
      .answers(200, "deleted, now or earlier", "KiroDeleted")
      .answers(404, "unknown");
  routes.del("/document/{id}", {Scope::write}, "Delete a document", &Face::delete_document)
      .with_cookies()
      .answers(200, "deleted, now or earlier", "KiroDeleted")
      .answers(404, "unknown");
  routes.post("/command", {Scope::commands_submit}, "Submit a command for a runner", &Face::submit)
      .with_cookies()
      .header("Idempotency-Key", "makes a retry safe for 24 hours")
      .body("type, the fields of the type, and optionally workingDir, metadata, timeoutMs, ttlMs, priority",
            "KiroSubmission")
      .body_at_most(limits::kBodyBytesLarge)
      .answers(200, "commandId, status pending, and runners: how many are connected", "KiroSubmitted")
      .answers(400, "unknown type or missing field; detail names it")
      .answers(422, "Idempotency-Key reused");
  routes.post("/command/claim", {Scope::commands_run}, "Claim the next command", &Face::claim)
      .described("Higher priority first, then oldest first. The claim is a lease of leaseMs.")
      .query_integer("wait", kWait)
      .answers(200, "the command with its commandId", "KiroCommand")
      .answers(204, "no command is pending")
      .heavy();
  routes.get("/command", readers, "List commands", &Face::list_commands)
      .with_cookies()
      .described("Newest first, without their content and results.")
      .query("status", "held (waiting for approval), pending, processing, completed or failed")
      .query_integer("limit", "at most so many, 1 to 1000; 100 if absent")
      .answers(200, "the commands", "KiroCommands")
      .answers(400, "not a status")
      .heavy();
  routes.get("/command/approvals", {Scope::commands_approve}, "List standing approvals", &Face::list_approvals)
      .with_cookies()
      .described("Commands of these patterns run without asking again.")
      .answers(200, "the standing approvals", "KiroStandingApprovals");
  routes.del("/command/approvals/{id}", {Scope::commands_approve}, "Delete a standing approval", &Face::forget_approval)
      .with_cookies()
      .heavy()
      .answers(204, "deleted")
      .answers(404, "unknown");
  routes.post("/command/{id}/approval/request", {Scope::commands_run}, "Ask for approval", &Face::ask_approval)
      .described(
          "For the runner that owns the command. The hub holds the command as pending and shows it to no agent until "
          "somebody decides, unless a standing approval covers its pattern.")
      .body("rule and pattern of the runner's policy", "KiroApprovalRequest")
      .answers(200, "state: requested or approved", "KiroApproval")
      .answers(404, "unknown")
      .answers(409, "this key does not run the command");
  routes
      .post("/command/{id}/approval", {Scope::commands_approve}, "Approve or deny a held command",
            &Face::answer_approval)
      .with_cookies()
      .described(
          "A key does not approve what it submitted itself, nor what a key of the same label or a session of it did: "
          "403 with the code own_command. A person who is signed in with a password may, and whoever submitted a "
          "command may deny it.")
      .heavy()
      .body("decision, always (true: also for later commands of the same pattern), reason", "KiroApprovalAnswer")
      .answers(200, "the command", "KiroCommand")
      .answers(403, "the approver submitted the command")
      .answers(404, "unknown")
      .answers(409, "the command does not wait for approval");
  routes.get("/command/{id}", readers, "Show a command", &Face::get_command)
      .with_cookies()
      .described("With wait, the hub answers as soon as the status changes.")
      .query_integer("wait", kWait)
      .answers(200, "the command", "KiroCommand")
      .answers(404, "unknown");
  routes.patch("/command/{id}", {Scope::commands_run}, "Report the state of a command", &Face::patch_command)
      .described(
          "The state only moves forward. The first runner to report processing owns the command; reporting it again "
          "renews the lease.")
      .body("status, result, error", "KiroReport")
      .body_at_most(limits::kBodyBytesLarge)
      .answers(200, "the command", "KiroCommand")
      .answers(404, "unknown")
      .answers(409, "not allowed in this state, or the command has expired; owner names the other runner");
  routes.del("/command/{id}", {Scope::commands_submit}, "Cancel a command", &Face::cancel_command)
      .with_cookies()
      .described(
          "A pending command fails at once. A running one is marked with cancelRequested, and its runner stops it.")
      .answers(200, "the command", "KiroCommand")
      .answers(404, "unknown");
  routes.get("/command/{id}/output", readers, "Follow live output", &Face::read_output)
      .with_cookies()
      .described(
          "Server-Sent Events: output {stream, data}, then end with the command; status {status, approval} while it "
          "waits for approval and when that changes.")
      .answers_as(200, "text/event-stream", "the events")
      .answers(404, "unknown");
  routes.post("/command/{id}/output", {Scope::commands_run}, "Send live output", &Face::append_output)
      .described("For the runner that owns the command.")
      .body("stream (stdout or stderr) and data", "KiroOutput")
      .answers(204, "passed on to the readers")
      .answers(404, "unknown")
      .answers(409, "this key does not run the command");
  std::vector<api::Route> table = routes.take();
  for (api::Route& route : table) {
    // Any request of a key renews its leases.
    route.handle = [this, handle = std::move(route.handle)](const api::CallPtr& call) {
      commands_.touch(call->principal());
      handle(call);
    };
  }
  return table;
}

api::FaceModule make_module(CommandTimes times, std::int64_t keep_days) {
  return {.name = "kiro",
          .prefixes = {"/kiro"},
          .space_rules = {{std::string(kSpace), make_space_rules()}},
          .events = {kCommandCompleted},
          .make = [times, keep_days](const api::FaceParts& parts) {
            return std::make_unique<Face>(parts.spaces, parts.directory, parts.access, parts.workers, times, keep_days);
          }};
}

}  // namespace syncline::kiro
