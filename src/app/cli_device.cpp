// syncline memory, timer, book, entries and triage: what people do with the data on their device.
#include <cstdio>

#include "app/invocation.hpp"
#include "app/node_access.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"

namespace syncline::app {
namespace {

using Options = std::shared_ptr<NodeOptions>;
using http::Method;

/// Asks the node once and prints what it says.
Result<> ask_and_print(const NodeOptions& options, Method method, const std::string& target, const std::string& body,
                       OutputForm form) {
  TRY(const auto node, NodeClient::open(options));
  TRY(std::string answer, node->ask(method, target, body));
  if (answer.empty()) answer = R"({"ok":true})";
  if (JsonView(answer).is_array() && form == OutputForm::text) answer = "{\"entries\":" + answer + '}';
  print_result(answer, form);
  return {};
}

Result<std::string> agent_query(const NodeOptions& options) {
  if (options.agent.empty()) return fail(ErrorCode::invalid_argument, "whose memory? Name the agent: -a AGENT");
  return "agent_id=" + percent_encode(options.agent);
}

/// "name=value" as a member: JSON if the value is JSON, else a text.
Result<> set_field(JsonObject& object, const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(ErrorCode::invalid_argument, "a field is NAME=VALUE, not '" + assignment + "'");
  }
  const std::string name = assignment.substr(0, equals);
  std::string value = assignment.substr(equals + 1);
  std::string copy = value;
  if (check_json(copy, 32).fault == JsonFault::none) {
    object.set(name, value);
  } else {
    object.set_text(name, value);
  }
  return {};
}

class Builder {
 public:
  Builder(Command parent, Invocation& invocation, Options options)
      : parent_(parent), invocation_(invocation), options_(std::move(options)) {}

  Command add(const std::string& name, const std::string& help, Action run) {
    const Command command = parent_.add(name, help);
    add_node_options(command, *options_, invocation_);
    command.on_run(std::move(run));
    return command;
  }

 private:
  const Command parent_;
  Invocation& invocation_;
  Options options_;
};

void define_memory(Command root, Invocation& invocation, const Options& options) {
  const Command memory =
      root.add_group("memory", "Memories of an agent on this device: add, list, show, search, forget");
  Builder build(memory, invocation, options);
  const auto table = std::make_shared<std::string>();
  const auto id = std::make_shared<std::string>();
  const auto text = std::make_shared<std::string>();
  const auto fields = std::make_shared<std::vector<std::string>>();
  const auto limit = std::make_shared<std::int64_t>(20);

  const Command adding = build.add("add", "Add a memory", [=, &invocation]() -> Result<> {
    TRY(const std::string query, agent_query(*options));
    JsonObject body;
    for (const std::string& field : *fields) CHECK_OK(set_field(body, field));
    return ask_and_print(*options, Method::post, "/memory/" + percent_encode(*table) + '?' + query, body.to_text(),
                         invocation.form());
  });
  adding.option("TABLE", *table, "notes, episodes, beliefs, ...").required();
  adding.option("FIELDS", *fields, "NAME=VALUE, like content=\"Check the logs first\"").required();
  adding.footer("Example:\n  syncline -a claire memory add notes content='Check the logs first' tags='[\"ops\"]'");

  const Command listing = build.add("list", "List memories of a table", [=, &invocation]() -> Result<> {
    TRY(const std::string query, agent_query(*options));
    return ask_and_print(*options, Method::get,
                         "/memory/" + percent_encode(*table) + '?' + query + "&limit=" + std::to_string(*limit), "",
                         invocation.form());
  });
  listing.option("TABLE", *table, "notes, episodes, beliefs, ...").required();
  listing.option("-l,--limit", *limit, "how many").shows_default();

  const auto one = [&](const std::string& name, const std::string& help, Method method) {
    const Command command = build.add(name, help, [=, &invocation]() -> Result<> {
      TRY(const std::string query, agent_query(*options));
      return ask_and_print(*options, method,
                           "/memory/" + percent_encode(*table) + '/' + percent_encode(*id) + '?' + query, "",
                           invocation.form());
    });
    command.option("TABLE", *table, "notes, episodes, beliefs, ...").required();
    command.option("ID", *id, "id of the memory").required();
  };
  one("show", "Show a memory", Method::get);
  one("forget", "Delete a memory, here and everywhere", Method::del);

  const Command searching = build.add("search", "Search the memories of the agent", [=, &invocation]() -> Result<> {
    TRY(const std::string query, agent_query(*options));
    return ask_and_print(*options, Method::get,
                         "/memory/search?" + query + "&q=" + percent_encode(*text) + "&limit=" + std::to_string(*limit),
                         "", invocation.form());
  });
  searching.option("TEXT", *text, "what to look for").required();
  searching.option("-l,--limit", *limit, "how many").shows_default();
}

/// What a clock entry may say beside its times.
struct EntryFields {
  std::string customer;
  std::string description;
  std::string task_id;
  std::string contract;
  std::string project;

  void add_options(Command command) {
    command.option("-c,--customer", customer, "who is billed");
    command.option("-d,--description", description, "what was done");
    command.option("--task", task_id, "id of the task");
    command.option("--contract", contract, "name of the contract");
    command.option("--project", project, "id of the project");
  }

  [[nodiscard]] JsonObject to_object() const {
    JsonObject object;
    const auto set = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) object.set_text(name, value);
    };
    set("customer", customer);
    set("description", description);
    set("task_id", task_id);
    set("contract", contract);
    set("project", project);
    return object;
  }
};

void define_clock(Command root, Invocation& invocation, const Options& options) {
  const Command timer = root.add_group("timer", "The running clock: start, stop, status");
  Builder build(timer, invocation, options);
  const auto fields = std::make_shared<EntryFields>();
  fields->add_options(build.add("start", "Start the clock", [=, &invocation] {
    return ask_and_print(*options, Method::post, "/api/clocks/start", fields->to_object().to_text(), invocation.form());
  }));
  build.add("stop", "Stop the clock", [=, &invocation] {
    return ask_and_print(*options, Method::post, "/api/clocks/stop", "{}", invocation.form());
  });
  build.add("status", "What runs", [=, &invocation] {
    return ask_and_print(*options, Method::get, "/api/clocks/active", "", invocation.form());
  });

  Builder top(root, invocation, options);
  const auto duration = std::make_shared<std::string>();
  const auto date = std::make_shared<std::string>();
  const Command book = top.add("book", "Book time that has passed", [=, &invocation] {
    JsonObject body = fields->to_object();
    body.set_text("duration", *duration);
    if (!date->empty()) body.set_text("date", *date);
    return ask_and_print(*options, Method::post, "/api/clocks/quick-book", body.to_text(), invocation.form());
  });
  book.option("DURATION", *duration, "like 2h, 30m, 1.5h, 1h30m").required();
  book.option("--date", *date, "another day than today: YYYY-MM-DD");
  fields->add_options(book);

  const auto period = std::make_shared<std::string>("today");
  const Command entries = top.add("entries", "Clock entries, newest first", [=, &invocation] {
    return ask_and_print(*options, Method::get, "/api/clocks/entries?period=" + percent_encode(*period), "",
                         invocation.form());
  });
  entries.option("--period", *period, "today, week, month or year").shows_default();

  const auto id = std::make_shared<std::string>();
  const Command triage = top.add(
      "triage", "Entries that came without a customer; with an id, give it one", [=, &invocation]() -> Result<> {
        if (id->empty()) {
          return ask_and_print(*options, Method::get, "/api/cloud-sync/pending", "", invocation.form());
        }
        JsonObject entry = fields->to_object();
        entry.set_text("sync_id", *id);
        return ask_and_print(*options, Method::post, "/api/cloud-sync/triage",
                             "{\"entries\":[" + entry.to_text() + "]}", invocation.form());
      });
  triage.option("ID", *id, "sync_id of the entry");
  fields->add_options(triage);
}

}  // namespace

void define_device(Command root, Invocation& invocation, const std::shared_ptr<NodeOptions>& options) {
  define_memory(root, invocation, options);
  define_clock(root, invocation, options);
}

}  // namespace syncline::app
