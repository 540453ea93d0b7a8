// /sync/status, push, pull and full of a node: Kernle's published sync API, for the memory on this device.
// docs/api/node.md has the fields.
//
// Open to the owner of the device. Errors: 400 without an agent, 401 if the hub does not accept the key, 503 if it is
// unreachable. A push stores its operations here first, and then sends what waits; a pull changes the local copy;
// retrying changes only when dead letters are offered again.
#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "api/kernle/errors.hpp"
#include "api/kernle/request.hpp"
#include "api/kernle/space.hpp"
#include "api/local/profile_face.hpp"
#include "base/text.hpp"
#include "wire/kernle_operation.hpp"

namespace syncline::local {
namespace {

/// Results that an answer lists unless it is asked for another number.
constexpr std::int64_t kListedMax = 1000;

using CountByTable = std::map<std::string, std::int64_t, std::less<>>;

struct Outcome {
  std::string record_id;
  std::string table;
  std::string status;  // synced, queued or rejected
  std::string error;
};

/// One memory of this device: its agent, and the space that holds it.
struct Memory {
  std::string agent;
  SpaceName space;
};

Result<Memory> memory_of(node::Profile& profile, api::Call& call, const std::string& agent) {
  TRY(SpaceName space, call.reach(kernle::space_name_of(agent)));
  Memory memory{agent, std::move(space)};
  CHECK_OK(profile.replica().add_space(memory.space.name));
  return memory;
}

Result<replica::SpaceStatus> status_of(node::Profile& profile, const Memory& memory) {
  TRY(const auto all, profile.replica().status());
  for (const auto& status : all) {
    if (status.space == memory.space.name) return status;
  }
  return fail(ErrorCode::not_found, "this device has no memory of that agent");
}

/// What waits for the hub, by table.
Result<std::vector<Outcome>> pending_of(node::Profile& profile, const Memory& memory) {
  std::vector<Outcome> pending;
  CHECK_OK(profile.replica().for_each_pending(memory.space.name, [&](const RecordView& record) {
    pending.push_back({std::string(record.id), std::string(record.collection), "queued", ""});
  }));
  return pending;
}

/// Versions that came from the hub behind `since`.
Result<CountByTable> arrived_since(node::Profile& profile, const Memory& memory, Seq since) {
  CountByTable tables;
  CHECK_OK(profile.spaces().read(memory.space, [&](Snapshot& snapshot) {
    return snapshot.feed(since, [&](const RecordView& record) {
      const bool is_ours = record.origin != replica::kHubAuthor || record.collection == replica::kRefusedCollection;
      if (!is_ours) tables[std::string(record.collection)] += 1;
      return true;
    });
  }));
  return tables;
}

std::int64_t total(const CountByTable& tables) {
  std::int64_t sum = 0;
  for (const auto& [table, count] : tables) sum += count;
  return sum;
}

Error unreachable(const replica::CycleReport& report) {
  if (report.is_key_refused) return {ErrorCode::unauthorized, report.errors.front()};
  return {ErrorCode::unavailable, report.errors.front()};
}

void append_outcomes(JsonWriter& writer, const std::vector<Outcome>& outcomes) {
  writer.name("results").begin_array();
  for (const Outcome& outcome : outcomes) {
    writer.begin_object()
        .string("record_id", outcome.record_id)
        .string("status", outcome.status)
        .string("remote_id", "cloud_" + outcome.record_id)
        .string("table", outcome.table);
    if (!outcome.error.empty()) writer.string("error", outcome.error);
    writer.end_object();
  }
  writer.end_array();
}

/// Stores the operations of a request on this device. One that cannot be stored does not stop the others.
Result<std::vector<Outcome>> store_operations(node::Profile& profile, const Memory& memory, KeyNumber key,
                                              JsonView operations) {
  std::deque<std::string> texts;
  std::vector<kernle::Operation> parsed;
  operations.for_each_element(
      [&](JsonView operation) { parsed.push_back(kernle::read_operation(operation, texts, false)); });
  std::vector<Outcome> outcomes;
  const auto stored = profile.spaces().write_and_wait(memory.space, key, [&](SpaceWriter& writer) -> Result<> {
    outcomes.clear();
    for (const kernle::Operation& operation : parsed) {
      Outcome outcome{std::string(operation.id), std::string(operation.table_as_sent), "queued", ""};
      std::optional<Error> refusal = operation.refusal;
      if (!refusal) {
        TRY(const OpResult result, writer.apply(operation.op));
        refusal = result.error;
      }
      if (refusal) {
        outcome.status = "rejected";
        outcome.error = refusal->text;
      }
      outcomes.push_back(std::move(outcome));
    }
    return {};
  });
  if (!stored) return std::unexpected(stored.error());
  return outcomes;
}

/// Those that wait no more were taken by the hub.
Result<> settle(node::Profile& profile, const Memory& memory, std::vector<Outcome>& outcomes) {
  TRY(const auto left, pending_of(profile, memory));
  std::set<std::string> waiting;
  for (const Outcome& one : left) waiting.insert(one.record_id);
  TRY(const auto refused, profile.replica().refused(memory.space.name));
  for (Outcome& outcome : outcomes) {
    if (outcome.status != "queued") continue;
    if (!waiting.contains(outcome.record_id)) outcome.status = "synced";
    for (const auto& change : refused) {
      if (change.id != outcome.record_id) continue;
      outcome.status = "rejected";
      outcome.error = change.detail;
    }
  }
  return {};
}

Result<std::string> push(node::Profile& profile, const Memory& memory, std::vector<Outcome> outcomes,
                         std::size_t listed_max) {
  if (outcomes.empty()) {
    TRY(outcomes, pending_of(profile, memory));
  }
  const auto report = profile.connection().sync_now(memory.space.name);
  if (!report.errors.empty()) return std::unexpected(unreachable(report));
  CHECK_OK(settle(profile, memory, outcomes));
  TRY(const auto left, pending_of(profile, memory));
  const auto count = [&](std::string_view status) { return std::ranges::count(outcomes, status, &Outcome::status); };
  const std::int64_t pushed = count("synced");
  const std::int64_t failed = count("rejected");
  if (outcomes.size() > listed_max) outcomes.resize(listed_max);
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true);
  writer.name("data")
      .begin_object()
      .integer("pushed", pushed)
      .integer("failed", failed)
      .integer("remaining", static_cast<std::int64_t>(left.size()));
  append_outcomes(writer, outcomes);
  writer.end_object().end_object();
  return out;
}

Result<std::string> pull(node::Profile& profile, const Memory& memory, bool full) {
  const Seq before = profile.spaces().head(memory.space);
  if (full) CHECK_OK(profile.replica().read_from_start(memory.space.name));
  const auto report = profile.connection().sync_now(memory.space.name);
  if (!report.errors.empty()) return std::unexpected(unreachable(report));
  CountByTable tables;
  if (full) {
    CHECK_OK(profile.spaces().read(memory.space, [&](Snapshot& snapshot) {
      return snapshot.feed(Seq{}, [&](const RecordView& record) {
        const bool counts = !record.deleted && record.collection != replica::kRefusedCollection;
        if (counts) tables[std::string(record.collection)] += 1;
        return true;
      });
    }));
  } else {
    TRY(tables, arrived_since(profile, memory, before));
  }
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true);
  writer.name("data").begin_object().integer("pulled", total(tables));
  writer.name("tables").begin_object();
  for (const auto& [table, count] : tables) writer.integer(table, count);
  writer.end_object()
      .string("last_sync", format_time(profile.spaces().clock().now()))
      .integer("conflicts", report.moved.conflicts)
      .end_object()
      .end_object();
  return out;
}

void append_phase(JsonWriter& writer, std::string_view name, std::int64_t records,
                  const std::set<std::string>& tables) {
  writer.name(name).begin_object().integer("records", records).name("tables").begin_array();
  for (const std::string& table : tables) writer.string(table);
  writer.end_array().end_object();
}

Result<std::string> full(node::Profile& profile, const Memory& memory) {
  TRY(auto outcomes, pending_of(profile, memory));
  const Seq before = profile.spaces().head(memory.space);
  const auto report = profile.connection().sync_now(memory.space.name);
  if (!report.errors.empty()) return std::unexpected(unreachable(report));
  CHECK_OK(settle(profile, memory, outcomes));
  TRY(const CountByTable arrived, arrived_since(profile, memory, before));
  std::set<std::string> pulled;
  for (const auto& [table, count] : arrived) pulled.insert(table);
  std::set<std::string> pushed;
  std::int64_t pushed_count = 0;
  for (const Outcome& outcome : outcomes) {
    if (outcome.status != "synced") continue;
    pushed.insert(outcome.table);
    ++pushed_count;
  }
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true);
  writer.name("data").begin_object();
  append_phase(writer, "pull", total(arrived), pulled);
  append_phase(writer, "push", pushed_count, pushed);
  writer.integer("conflicts_resolved", report.moved.conflicts)
      .string("sync_completed_at", format_time(profile.spaces().clock().now()))
      .end_object()
      .end_object();
  return out;
}

Result<std::string> status_text(node::Profile& profile, const Memory& memory) {
  if (profile.connection().is_enabled()) profile.connection().connect_if_enabled();
  TRY(const replica::SpaceStatus status, status_of(profile, memory));
  const bool is_off = status.sync.state == SyncStatus::State::off;
  const bool is_connected = profile.replica().is_connected() && !is_off &&
                            status.sync.state != SyncStatus::State::refused &&
                            (profile.replica().link_is_up() || status.sync.state == SyncStatus::State::in_sync);
  const auto obstacle = profile.connection().obstacle();
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true);
  writer.name("data").begin_object().string("agent_id", memory.agent).integer("pending_operations", status.pending);
  append_time_or_null(writer, "last_push", status.synced_at);
  append_time_or_null(writer, "last_pull", status.synced_at);
  writer.integer("remote_changes_available", status.to_pull())
      .string("status", is_connected                        ? "connected"
                        : profile.connection().is_enabled() ? "disconnected"
                                                            : "off")
      .string("state", to_text(status.sync.state))
      .string("reason", obstacle ? obstacle->text : status.sync.reason)
      .integer("dead_letters", status.dead_letters)
      .string("url", profile.settings().values().url)
      .end_object()
      .end_object();
  return out;
}

Result<std::string> dead_letters_text(node::Profile& profile, const Memory& memory) {
  TRY(const auto refused, profile.replica().refused(memory.space.name));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("dead_letters").begin_array();
  for (const auto& change : refused) {
    writer.begin_object()
        .string("table", change.collection)
        .string("record_id", change.id)
        .string("state", change.is_dead() ? "dead" : "waiting")
        .integer("offers", change.offers)
        .string("since", format_time(change.since))
        .string("code", change.code)
        .string("error", change.detail)
        .end_object();
  }
  writer.end_array().end_object();
  return out;
}

/// The body of a request that names its agent.
struct AgentRequest {
  Memory memory;
  JsonView body;
};

Result<AgentRequest> read_request(node::Profile& profile, api::Call& call) {
  if (call.body().empty()) call.body() = "{}";
  TRY(const JsonView body, call.json_object());
  TRY(const std::string agent, kernle::agent_in(body));
  TRY(Memory memory, memory_of(profile, call, agent));
  return AgentRequest{std::move(memory), body};
}

}  // namespace

void ProfileFace::get_agent_status(const api::CallPtr& call) {
  TRY_CALL(call, const std::string agent, kernle::agent_in_query(*call));
  TRY_CALL(call, const Memory memory, memory_of(profile_, *call, agent));
  answer_later(call, [this, memory] { return status_text(profile_, memory); });
}

void ProfileFace::push_agent(const api::CallPtr& call) {
  TRY_CALL(call, const AgentRequest request, read_request(profile_, *call));
  TRY_CALL(call, const auto limit, kernle::limit_in(request.body));
  const std::int64_t listed = limit.value_or(kListedMax);
  const auto operations = request.body.find_set("operations");
  if (operations && !operations->is_array()) {
    return call->fail(Error{ErrorCode::invalid_argument, "operations must be a list"});
  }
  answer_later(call, [this, call, memory = request.memory, operations, listed]() -> Result<std::string> {
    std::vector<Outcome> outcomes;
    if (operations) {
      TRY(outcomes, store_operations(profile_, memory, call->principal().key, *operations));
    }
    return push(profile_, memory, std::move(outcomes), static_cast<std::size_t>(listed));
  });
}

void ProfileFace::pull_agent(const api::CallPtr& call) {
  TRY_CALL(call, const AgentRequest request, read_request(profile_, *call));
  const auto all = request.body.find_set("full");
  const bool is_full = all && all->as_boolean().value_or(false);
  answer_later(call, [this, memory = request.memory, is_full] { return pull(profile_, memory, is_full); });
}

void ProfileFace::sync_agent(const api::CallPtr& call) {
  TRY_CALL(call, const AgentRequest request, read_request(profile_, *call));
  answer_later(call, [this, memory = request.memory] { return full(profile_, memory); });
}

void ProfileFace::list_dead_letters(const api::CallPtr& call) {
  TRY_CALL(call, const std::string agent, kernle::agent_in_query(*call));
  TRY_CALL(call, const Memory memory, memory_of(profile_, *call, agent));
  TRY_CALL(call, std::string text, dead_letters_text(profile_, memory));
  call->respond_json(200, std::move(text));
}

void ProfileFace::retry_dead_letters(const api::CallPtr& call) {
  TRY_CALL(call, const AgentRequest request, read_request(profile_, *call));
  answer_later(call, [this, memory = request.memory]() -> Result<std::string> {
    TRY(const std::int64_t revived, profile_.replica().revive_dead_letters(memory.space.name));
    return "{\"retried\":" + std::to_string(revived) + '}';
  });
}

void ProfileFace::add_agent_sync_routes(Routes& routes) {
  const auto with_agent = [](api::Route& route) -> api::Route& {
    return route.errors_as(kernle::kErrors)
        .query("agent_id", "the agent")
        .query("stack_id", "the agent, by its newer name");
  };
  with_agent(
      routes.get("/sync/status", owner_, "Show the sync state of an agent's memory", &ProfileFace::get_agent_status))
      .answers(200, "the state, and what waits", "AgentStatus");
  routes.post("/sync/push", owner_, "Store operations, then push pending changes to the hub", &ProfileFace::push_agent)
      .errors_as(kernle::kErrors)
      .body("agent_id; operations to store before; limit of the results", "AgentRequest")
      .answers(200, "the results", "AgentPushed")
      .answers(401, "the hub does not accept the key")
      .answers(503, "the hub is unreachable");
  routes.post("/sync/pull", owner_, "Pull new changes from the hub", &ProfileFace::pull_agent)
      .errors_as(kernle::kErrors)
      .body("agent_id; full true: from the beginning", "AgentRequest")
      .answers(200, "how many records arrived", "AgentPulled")
      .answers(401, "the hub does not accept the key")
      .answers(503, "the hub is unreachable");
  routes.post("/sync/full", owner_, "Pull, then push", &ProfileFace::sync_agent)
      .errors_as(kernle::kErrors)
      .body("agent_id", "AgentRequest")
      .answers(200, "how many records moved", "AgentSynced")
      .answers(401, "the hub does not accept the key")
      .answers(503, "the hub is unreachable");
  with_agent(
      routes.get("/sync/deadletters", owner_, "List changes that the hub rejected", &ProfileFace::list_dead_letters))
      .answers(200, "the changes", "DeadLetters");
  routes.post("/sync/deadletters/retry", owner_, "Push rejected changes again", &ProfileFace::retry_dead_letters)
      .errors_as(kernle::kErrors)
      .body("agent_id", "AgentRequest")
      .answers(200, "retried: how many changes", "DeadLettersRetried");
}

}  // namespace syncline::local
