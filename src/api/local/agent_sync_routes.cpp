// /sync/status, push, pull and full of a node: Kernle's published sync API, for the memory on this device. Operations
// are stored here first; then the outbox goes to the hub. docs/api/node.md has the fields.
#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "api/kernle/request.hpp"
#include "api/kernle/space.hpp"
#include "api/local/handlers.hpp"
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

Result<Memory> memory_of(const Handlers& self, const api::Call& call, const std::string& agent) {
  Memory memory{agent, call.space(kernle::space_name_of(agent))};
  CHECK_OK(self.profile.replica().add_space(memory.space.name));
  return memory;
}

Result<replica::SpaceStatus> status_of(const Handlers& self, const Memory& memory) {
  TRY(const auto all, self.profile.replica().status());
  for (const auto& status : all) {
    if (status.space == memory.space.name) return status;
  }
  return fail(ErrorCode::not_found, "there is no memory of that agent on this device");
}

/// What waits for the hub, by table.
Result<std::vector<Outcome>> pending_of(const Handlers& self, const Memory& memory) {
  std::vector<Outcome> pending;
  CHECK_OK(self.profile.replica().for_each_pending(memory.space.name, [&](const RecordView& record) {
    pending.push_back({std::string(record.id), std::string(record.collection), "queued", ""});
  }));
  return pending;
}

/// Versions that came from the hub behind `since`.
Result<CountByTable> arrived_since(const Handlers& self, const Memory& memory, Seq since) {
  CountByTable tables;
  CHECK_OK(self.profile.spaces().read(memory.space, [&](Snapshot& snapshot) {
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
  if (report.is_key_refused) return {ErrorCode::unauthorized, report.errors.front(), Advice::reauth};
  return {ErrorCode::unavailable, report.errors.front(), Advice::retry_later};
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
Result<std::vector<Outcome>> store_operations(const Handlers& self, const Memory& memory, KeyNumber key,
                                              JsonView operations) {
  std::deque<std::string> texts;
  std::vector<kernle::Operation> parsed;
  operations.for_each_element(
      [&](JsonView operation) { parsed.push_back(kernle::read_operation(operation, texts, false)); });
  std::vector<Outcome> outcomes;
  const auto stored = self.profile.spaces().write_and_wait(memory.space, key, [&](SpaceWriter& writer) -> Result<> {
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
Result<> settle(const Handlers& self, const Memory& memory, std::vector<Outcome>& outcomes) {
  TRY(const auto left, pending_of(self, memory));
  std::set<std::string> waiting;
  for (const Outcome& one : left) waiting.insert(one.record_id);
  TRY(const auto refused, self.profile.replica().refused(memory.space.name));
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

Result<std::string> push(const Handlers& self, const Memory& memory, std::vector<Outcome> outcomes,
                         std::size_t listed_max) {
  if (outcomes.empty()) {
    TRY(outcomes, pending_of(self, memory));
  }
  const auto report = self.profile.connection().sync_now(memory.space.name);
  if (!report.errors.empty()) return std::unexpected(unreachable(report));
  CHECK_OK(settle(self, memory, outcomes));
  TRY(const auto left, pending_of(self, memory));
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

Result<std::string> pull(const Handlers& self, const Memory& memory, bool full) {
  const Seq before = self.profile.spaces().head(memory.space);
  if (full) CHECK_OK(self.profile.replica().read_from_start(memory.space.name));
  const auto report = self.profile.connection().sync_now(memory.space.name);
  if (!report.errors.empty()) return std::unexpected(unreachable(report));
  CountByTable tables;
  if (full) {
    CHECK_OK(self.profile.spaces().read(memory.space, [&](Snapshot& snapshot) {
      return snapshot.feed(Seq{}, [&](const RecordView& record) {
        const bool counts = !record.deleted && record.collection != replica::kRefusedCollection;
        if (counts) tables[std::string(record.collection)] += 1;
        return true;
      });
    }));
  } else {
    TRY(tables, arrived_since(self, memory, before));
  }
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true);
  writer.name("data").begin_object().integer("pulled", total(tables));
  writer.name("tables").begin_object();
  for (const auto& [table, count] : tables) writer.integer(table, count);
  writer.end_object()
      .string("last_sync", format_time(self.profile.spaces().clock().now()))
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

Result<std::string> full(const Handlers& self, const Memory& memory) {
  TRY(auto outcomes, pending_of(self, memory));
  const Seq before = self.profile.spaces().head(memory.space);
  const auto report = self.profile.connection().sync_now(memory.space.name);
  if (!report.errors.empty()) return std::unexpected(unreachable(report));
  CHECK_OK(settle(self, memory, outcomes));
  TRY(const CountByTable arrived, arrived_since(self, memory, before));
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
      .string("sync_completed_at", format_time(self.profile.spaces().clock().now()))
      .end_object()
      .end_object();
  return out;
}

Result<std::string> status_text(const Handlers& self, const Memory& memory) {
  if (self.profile.connection().is_enabled()) self.profile.connection().connect_if_enabled();
  TRY(const replica::SpaceStatus status, status_of(self, memory));
  const bool is_off = status.sync.state == SyncStatus::State::off;
  const bool is_connected = self.profile.replica().is_connected() && !is_off &&
                            status.sync.state != SyncStatus::State::refused &&
                            (self.profile.replica().link_is_up() || status.sync.state == SyncStatus::State::in_sync);
  const auto obstacle = self.profile.connection().obstacle();
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true);
  writer.name("data").begin_object().string("agent_id", memory.agent).integer("pending_operations", status.pending);
  append_time_or_null(writer, "last_push", status.synced_at);
  append_time_or_null(writer, "last_pull", status.synced_at);
  writer.integer("remote_changes_available", status.to_pull())
      .string("status", is_connected                             ? "connected"
                        : self.profile.connection().is_enabled() ? "disconnected"
                                                                 : "off")
      .string("state", to_text(status.sync.state))
      .string("reason", obstacle ? obstacle->text : status.sync.reason)
      .integer("dead_letters", status.dead_letters)
      .string("url", self.profile.settings().values().url)
      .end_object()
      .end_object();
  return out;
}

Result<std::string> dead_letters_text(const Handlers& self, const Memory& memory) {
  TRY(const auto refused, self.profile.replica().refused(memory.space.name));
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

Result<AgentRequest> read_request(const Handlers& self, api::Call& call) {
  if (call.body().empty()) call.body() = "{}";
  TRY(const JsonView body, call.mended_json_object());
  TRY(const std::string agent, kernle::agent_in(body));
  TRY(Memory memory, memory_of(self, call, agent));
  return AgentRequest{std::move(memory), body};
}

}  // namespace

std::vector<api::Route> Handlers::agent_sync_routes() const {
  using http::Method;

  std::vector<api::Route> routes;
  routes.push_back(make_route(Method::get, "/sync/status", "How an agent's memory is in sync (?agent_id=)",
                              [self = *this](const api::CallPtr& call) {
                                TRY_CALL(call, const std::string agent, kernle::agent_in_query(*call));
                                TRY_CALL(call, const Memory memory, memory_of(self, *call, agent));
                                self.answer_later(call, [self, memory] { return status_text(self, memory); });
                              }));
  routes.push_back(make_route(
      Method::post, "/sync/push", "Store {\"operations\"?} and send what waits: {\"agent_id\", \"limit\"?}",
      [self = *this](const api::CallPtr& call) {
        TRY_CALL(call, const AgentRequest request, read_request(self, *call));
        TRY_CALL(call, const auto limit, kernle::limit_in(request.body));
        const std::int64_t listed = limit.value_or(kListedMax);
        const auto operations = request.body.find_set("operations");
        if (operations && !operations->is_array()) {
          return call->fail(Error{ErrorCode::invalid_argument, "operations must be a list"});
        }
        self.answer_later(call, [self, call, memory = request.memory, operations, listed]() -> Result<std::string> {
          std::vector<Outcome> outcomes;
          if (operations) {
            TRY(outcomes, store_operations(self, memory, call->principal().key, *operations));
          }
          return push(self, memory, std::move(outcomes), static_cast<std::size_t>(listed));
        });
      }));
  routes.push_back(make_route(Method::post, "/sync/pull", "Fetch what is new at the hub: {\"agent_id\", \"full\"?}",
                              [self = *this](const api::CallPtr& call) {
                                TRY_CALL(call, const AgentRequest request, read_request(self, *call));
                                const auto all = request.body.find_set("full");
                                const bool is_full = all && all->as_boolean().value_or(false);
                                self.answer_later(call, [self, memory = request.memory, is_full] {
                                  return pull(self, memory, is_full);
                                });
                              }));
  routes.push_back(make_route(Method::post, "/sync/full", "Pull, then push: {\"agent_id\"}",
                              [self = *this](const api::CallPtr& call) {
                                TRY_CALL(call, const AgentRequest request, read_request(self, *call));
                                self.answer_later(call, [self, memory = request.memory] { return full(self, memory); });
                              }));
  routes.push_back(make_route(Method::get, "/sync/deadletters", "Changes that the hub refused (?agent_id=)",
                              [self = *this](const api::CallPtr& call) {
                                TRY_CALL(call, const std::string agent, kernle::agent_in_query(*call));
                                TRY_CALL(call, const Memory memory, memory_of(self, *call, agent));
                                TRY_CALL(call, std::string text, dead_letters_text(self, memory));
                                call->respond_json(200, std::move(text));
                              }));
  routes.push_back(make_route(Method::post, "/sync/deadletters/retry", "Offer them once more: {\"agent_id\"}",
                              [self = *this](const api::CallPtr& call) {
                                TRY_CALL(call, const AgentRequest request, read_request(self, *call));
                                self.answer_later(call, [self, memory = request.memory]() -> Result<std::string> {
                                  TRY(const std::int64_t revived,
                                      self.profile.replica().revive_dead_letters(memory.space.name));
                                  return "{\"retried\":" + std::to_string(revived) + '}';
                                });
                              }));
  for (api::Route& route : routes) route.errors = api::ErrorStyle::envelope;
  return routes;
}

}  // namespace syncline::local
