// What belongs to the account as a whole: reference lists and settings, statistics, plan, wipe.
//
// Scope read shows, write changes. Errors: 400 for a body of another form, 413 for a list beyond its limit. Changes the
// records of the collection "reference"; DELETE /sync/entries deletes every row and reference list of the space.
#include <algorithm>
#include <unordered_set>

#include "api/kaisho/routes.hpp"
#include "api/kaisho/timer.hpp"
#include "api/kaisho/wipe.hpp"

namespace syncline::kaisho {
namespace {

constexpr std::string_view kCustomers = "customers";
constexpr std::string_view kTasks = "tasks";
constexpr std::string_view kConfig = "config";
constexpr std::size_t kConfigBytesMax = 1UL << 20U;  // each change keeps the one before for a while
/// An item lies two levels deep in the document of its list.
constexpr int kItemDepthMax = limits::kDocumentDepthMax - 2;
/// So many items that were left out are named.
constexpr std::size_t kProblemsListedMax = 1000;
constexpr std::string_view kNoConfig = R"({"tags":[],"github_configured":false})";

/// `{"items":[...]}`: a record is an object.
std::string list_doc(const std::vector<JsonObject>& items) {
  std::string doc = R"({"items":[)";
  for (const JsonObject& item : items) {
    if (doc.back() != '[') doc += ',';
    doc += item.to_text();
  }
  return doc + "]}";
}

/// Parts of a snapshot that were left out, and why.
struct Problem {
  std::string_view list;
  std::size_t row = 0;
  std::string error;
};

struct SnapshotPush {
  std::string customers;
  std::string tasks;
  std::string config;  // empty: none was sent
  std::vector<Problem> problems;

  void leave_out(std::string_view list, std::size_t row, std::string error) {
    if (problems.size() < kProblemsListedMax) problems.push_back({list, row, std::move(error)});
  }
};

/// One item that cannot be read never blocks the others: the desktop pushes all of them each time.
Result<std::vector<JsonObject>> read_list(const api::JsonParts& parts, std::string_view name, SnapshotPush& push) {
  std::vector<JsonObject> items;
  const auto list = parts.json.find_set(name);
  if (!list) return items;
  if (!list->is_array()) return fail(ErrorCode::invalid_argument, std::string(name) + " must be a list of objects");
  std::size_t row = 0;
  list->for_each_element([&](JsonView item) {
    const auto good = api::check_part(item, kItemDepthMax, parts.is_doubtful);
    if (!item.is_object()) {
      push.leave_out(name, row, "must be an object");
    } else if (!good) {
      push.leave_out(name, row, good.error().text);
    } else {
      items.emplace_back(item);
    }
    ++row;
  });
  return items;
}

/// One item for each value of `key`, sorted by `order`: a desktop's files may name a customer or a task twice.
std::vector<JsonObject> unique(std::vector<JsonObject> items, std::string_view key, std::string_view order,
                               const std::function<void(JsonObject& first, const JsonObject& again)>& join) {
  std::map<std::string, JsonObject> by_key;
  for (JsonObject& item : items) {
    const auto [at, is_new] = by_key.try_emplace(item.text_of(key), item);
    if (!is_new) join(at->second, item);
  }
  std::vector<JsonObject> out;
  out.reserve(by_key.size());
  for (auto& [value, item] : by_key) out.push_back(std::move(item));
  std::ranges::sort(out, {}, [&](const JsonObject& item) { return std::pair(item.text_of(order), item.text_of(key)); });
  return out;
}

void join_contracts(JsonObject& customer, const JsonObject& again) {
  std::unordered_set<std::string_view> contracts;
  std::string text = "[";
  for (const JsonObject* from : {static_cast<const JsonObject*>(&customer), &again}) {
    const auto list = from->find("contracts");
    if (!list || !list->is_array()) continue;
    list->for_each_element([&](JsonView contract) {
      if (!contracts.insert(contract.raw()).second) return;
      if (text.size() > 1) text += ',';
      text += contract.raw();
    });
  }
  customer.set("contracts", text + ']');
}

/// What store() looks up for these ids.
Reads reads_of(std::initializer_list<std::string_view> ids) {
  Reads reads;
  for (const std::string_view id : ids) reads.records.push_back({std::string(kReference), std::string(id)});
  return reads;
}

Result<> store(SpaceWriter& writer, std::string_view id, std::string doc) {
  const std::size_t bytes_max = id == kConfig ? kConfigBytesMax : limits::kDocumentBytesMax;
  if (doc.size() > bytes_max) {
    return fail(ErrorCode::too_large, std::string(id) + " may have " + std::to_string(bytes_max) + " bytes");
  }
  if (const auto good = api::check_part(JsonView(doc), limits::kDocumentDepthMax, false); !good) {
    return fail(good.error().code, std::string(id) + ' ' + good.error().text);
  }
  TRY(const auto stored, writer.find(kReference, id));
  if (stored && !stored->deleted && stored->doc == doc) return {};
  TRY([[maybe_unused]] const Seq seq, writer.replace(kReference, id, std::move(doc), Rule::direct));
  return {};
}

Result<std::optional<std::string>> find_doc(Snapshot& snapshot, std::string_view id) {
  TRY(auto record, snapshot.find(kReference, id));
  if (!record || record->deleted) return std::nullopt;
  return std::move(record->doc);
}

/// The items of a reference list that `wanted` lets through, each with the given members only.
Result<std::string> list_text(Spaces& spaces, const SpaceName& space, std::string_view id,
                              const std::vector<std::pair<std::string_view, std::string_view>>& members_and_defaults,
                              const std::function<bool(JsonView)>& wanted) {
  std::string out = "[";
  CHECK_OK(spaces.read(space, [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto doc, find_doc(snapshot, id));
    if (!doc) return {};
    const auto items = JsonView(*doc).find("items");
    if (!items || !items->is_array()) return {};
    items->for_each_element([&](JsonView item) {
      if (!item.is_object() || !wanted(item)) return;
      if (out.size() > 1) out += ',';
      JsonWriter writer(out);
      writer.begin_object();
      for (const auto& [name, fallback] : members_and_defaults) {
        const auto value = item.find(name);
        writer.raw(name, value ? value->raw() : fallback);
      }
      writer.end_object();
    });
    return {};
  }));
  return out + ']';
}

Result<SnapshotPush> read_snapshot(api::Call& call) {
  TRY(const api::JsonParts parts, call.json_parts());
  SnapshotPush push;
  TRY(auto customers, read_list(parts, "customers", push));
  TRY(auto tasks, read_list(parts, "tasks", push));
  push.customers = list_doc(unique(std::move(customers), "name", "name", join_contracts));
  push.tasks = list_doc(
      unique(std::move(tasks), "id", "title", [](JsonObject& first, const JsonObject& again) { first = again; }));
  if (const auto config = parts.json.find_set("config")) {
    if (!config->is_object()) return fail(ErrorCode::invalid_argument, "config must be an object");
    if (const auto good = api::check_part(*config, limits::kDocumentDepthMax, parts.is_doubtful); good) {
      push.config = config->raw();
    } else {
      push.leave_out(kConfig, 0, good.error().text);
    }
  }
  return push;
}

/// The client hashes the echo of its settings: it must be what was sent, byte for byte.
std::string snapshot_answer(const SnapshotPush& push) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("ok", true).raw("config", push.config.empty() ? "null" : push.config);
  if (!push.problems.empty()) {
    writer.name("problems").begin_array();
    for (const Problem& problem : push.problems) {
      writer.begin_object()
          .string("list", problem.list)
          .integer("row", static_cast<std::int64_t>(problem.row))
          .string("error", problem.error)
          .end_object();
    }
    writer.end_array();
  }
  writer.end_object();
  return out;
}

}  // namespace

void Face::push_snapshot(const api::CallPtr& call) {
  TRY_CALL(call, SnapshotPush read, read_snapshot(*call));
  const auto push = std::make_shared<const SnapshotPush>(std::move(read));
  spaces_.write(
      space_of(*call), call->principal().key, [] { return reads_of({kCustomers, kTasks, kConfig}); },
      [push](SpaceWriter& writer) -> Result<> {
        CHECK_OK(store(writer, kCustomers, push->customers));
        CHECK_OK(store(writer, kTasks, push->tasks));
        return push->config.empty() ? Result<>{} : store(writer, kConfig, push->config);
      },
      [call, push](const Result<Cursor>& cursor) {
        if (!cursor) return call->fail(cursor.error());
        call->respond_json(200, snapshot_answer(*push));
      });
}

void Face::get_customers(const api::CallPtr& call) {
  TRY_CALL(call, std::string text,
           list_text(spaces_, space_of(*call), kCustomers, {{"name", R"("")"}, {"contracts", "[]"}},
                     [](JsonView) { return true; }));
  call->respond_json(200, std::move(text));
}

void Face::get_tasks(const api::CallPtr& call) {
  const auto customer = call->query("customer");
  TRY_CALL(
      call, std::string text,
      list_text(spaces_, space_of(*call), kTasks,
                {{"id", R"("")"}, {"customer", R"("")"}, {"title", R"("")"}, {"status", R"("")"}}, [&](JsonView task) {
                  if (!customer || customer->empty()) return true;
                  const auto of = task.find("customer");
                  return of && of->as_string() == *customer;
                }));
  call->respond_json(200, std::move(text));
}

void Face::get_config(const api::CallPtr& call) {
  std::string out(kNoConfig);
  CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto config, find_doc(snapshot, kConfig));
    if (config) out = *config;
    return {};
  }));
  call->respond_json(200, std::move(out));
}

void Face::patch_config(const api::CallPtr& call) {
  CHECK_CALL(call, call->json_object());
  auto merged = std::make_shared<std::string>();
  spaces_.write(
      space_of(*call), call->principal().key, [] { return reads_of({kConfig}); },
      [call, merged](SpaceWriter& writer) -> Result<> {
        TRY(const auto stored, find_doc(writer.txn(), kConfig));
        JsonObject config{JsonView(stored ? std::string_view(*stored) : kNoConfig)};
        JsonView(call->body()).for_each_member([&](std::string_view name, JsonView value) {
          config.set(name, std::string(value.raw()));
        });
        *merged = config.to_text();
        return store(writer, kConfig, *merged);
      },
      [call, merged](const Result<Cursor>& cursor) {
        if (!cursor) return call->fail(cursor.error());
        call->respond_json(200, *merged);
      });
}

void Face::wipe(const api::CallPtr& call) {
  std::int64_t deleted = 0;
  TRY_CALL(call, [[maybe_unused]] const Cursor cursor,
           spaces_.write_and_wait(space_of(*call), call->principal().key, [&](SpaceWriter& writer) -> Result<> {
             TRY(deleted, kaisho::wipe(writer));
             return {};
           }));
  access_.audit().note({.action = "space.wiped",
                        .account = call->principal().email,
                        .target = std::string(kSpace),
                        .detail = std::to_string(deleted) + " rows"});
  call->respond_json(200, "{\"deleted\":" + std::to_string(deleted) + "}");
}

void Face::get_stats(const api::CallPtr& call) {
  EntrySummary summary;
  CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) -> Result<> {
    TRY(summary, read_summary(snapshot));
    return {};
  }));
  std::string out;
  JsonWriter writer(out);
  const auto text_or_null = [&](std::string_view name, const std::string& text) {
    writer.name(name);
    text.empty() ? writer.null() : writer.string(text);
  };
  writer.begin_object().integer("entry_count", summary.live);
  text_or_null("last_change_at", summary.changed_at.micros == 0 ? "" : format_time(summary.changed_at));
  text_or_null("active_timer_id", summary.running);
  writer.string("plan", access_.plan_for_desktops(call->principal()));
  text_or_null("email", call->principal().email);
  writer.end_object();
  call->respond_json(200, std::move(out));
}

void Face::get_status(const api::CallPtr& call) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .string("plan", access_.plan_for_desktops(call->principal()))
      .integer("pending", 0)
      .end_object();
  call->respond_json(200, std::move(out));
}

void Face::add_account_routes(Routes& routes) {
  routes.post("/sync/push-snapshot", Scope::write, "Replace the reference lists", &Face::push_snapshot)
      .described(
          "Customers with their contracts, open tasks, and the settings that all devices share. The answer returns the "
          "settings unchanged.")
      .body("customers, tasks, snapshot_at, config", "KaishoSnapshot")
      .body_at_most(limits::kBodyBytesLarge)
      .answers(200, "ok, config", "KaishoSnapshotStored");
  routes.get("/ref/customers", Scope::read, "List the customers of the last snapshot", &Face::get_customers)
      .with_cookies()
      .answers(200, "customers by name", "KaishoCustomers");
  routes.get("/ref/tasks", Scope::read, "List the open tasks of the last snapshot", &Face::get_tasks)
      .with_cookies()
      .query("customer", "only tasks of this customer")
      .answers(200, "tasks by title", "KaishoTasks");
  routes.get("/ref/config", Scope::read, "Show the settings that all devices share", &Face::get_config)
      .with_cookies()
      .answers(200, "the settings", "KaishoSettings");
  routes.patch("/ref/config", Scope::write, "Change some of these settings", &Face::patch_config)
      .with_cookies()
      .body("the members to set", "KaishoSettings")
      .answers(200, "all settings", "KaishoSettings");
  routes.del("/sync/entries", Scope::write, "Delete all rows and reference lists", &Face::wipe)
      .with_cookies()
      .described("Other devices keep their copies. The operator can undo the wipe for 7 days.")
      .heavy()
      .answers(200, "deleted: how many rows", "KaishoWiped");
  routes.get("/sync/stats", Scope::read, "Show counts, running timer and plan", &Face::get_stats)
      .with_cookies()
      .in_any_plan()
      .answers(200, "counts of the entries, and the plan", "KaishoStats");
  routes.get("/sync/status", Scope::read, "Show the plan", &Face::get_status)
      .in_any_plan()
      .answers(200, "plan, pending", "KaishoStatus");
}

}  // namespace syncline::kaisho
