// syncline memory, timer, book, entry and triage: what people do with the data on their device.
#include <cstdio>

#include "app/invocation.hpp"
#include "app/local_days.hpp"
#include "app/node_access.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "wire/kernle_tables.hpp"

namespace syncline::app {
namespace {

using Options = std::shared_ptr<NodeOptions>;
using http::Method;

/// Asks the node once and prints what it says.
Result<> ask_and_print(const NodeOptions& options, Method method, const std::string& target, const std::string& body,
                       OutputForm form, const ListView& view = {}) {
  TRY(const auto node, NodeClient::open(options, form));
  TRY(std::string answer, node->ask(method, target, body));
  if (answer.empty()) answer = R"({"ok":true})";
  // The published calls answer a list alone. What the command line prints has room for more.
  if (JsonView(answer).is_array()) answer = "{\"entries\":" + answer + '}';
  print_result(answer, form, view);
  return {};
}

/// What a memory says, from the fields that its table is recognised by.
std::string text_of_memory(std::string_view table, JsonView memory) {
  std::string text;
  if (const kernle::Table* known = kernle::find_table(table)) {
    for (const std::string_view field : known->title_fields) {
      const std::string part = memory.text_of(field);
      if (!part.empty()) text += (text.empty() ? "" : ": ") + part;
    }
  }
  return text.empty() ? std::string(memory.raw()) : text;
}

/// Memories as rows with what people look for: what each says, and when it changed. `table`: of those that do not say.
std::string memory_rows(JsonView list, const std::string& table) {
  std::string rows;
  JsonWriter writer(rows);
  writer.begin_object().name("memories").begin_array();
  list.for_each_element([&](JsonView element) {
    const auto hit = element.find_set("record");
    const JsonView memory = hit ? *hit : element;
    const std::string in = hit ? element.text_of("table") : table;
    writer.begin_object()
        .string("id", memory.text_of("id"))
        .string("table", in)
        .string("changed", memory.text_of("local_updated_at"))
        .string("text", text_of_memory(in, memory))
        .end_object();
  });
  writer.end_array().end_object();
  return rows;
}

/// `table`: empty for results of a search.
Result<> print_memories(const NodeOptions& options, const std::string& target, const std::string& table,
                        OutputForm form) {
  TRY(const auto node, NodeClient::open(options, form));
  TRY(const std::string answer, node->ask(Method::get, target));
  const auto list = JsonView(answer).find(table.empty() ? "results" : "records");
  if (form == OutputForm::json || !list || !list->is_array()) {
    print_result(answer, form);
  } else {
    print_result(memory_rows(*list, table), form, find_list_view(table.empty() ? "memory search" : "memory list"));
  }
  return {};
}

Result<> assign_customer(const NodeOptions& options, const std::string& id, JsonObject entry, OutputForm form) {
  if (entry.to_text() == "{}") {
    return fail(ErrorCode::invalid_argument, "nothing to change; use -c CUSTOMER, and see 'syncline triage --help'");
  }
  entry.set_text("sync_id", id);
  TRY(const auto node, NodeClient::open(options, form));
  TRY(const std::string answer,
      node->ask(Method::post, "/api/cloud-sync/triage", "{\"entries\":[" + entry.to_text() + "]}"));
  const auto updated = JsonView(answer).find("updated");
  if (updated && updated->as_integer() == 0) {
    return fail(ErrorCode::not_found,
                "no entry '" + id + "' waits for a customer; 'syncline triage' lists those that do");
  }
  print_result(answer, form);
  return {};
}

Result<std::string> agent_query(const NodeOptions& options) {
  if (options.agent.empty()) return fail(ErrorCode::invalid_argument, "no agent given; use -a AGENT");
  return "agent_id=" + percent_encode(options.agent);
}

/// "name=value" as a member: JSON if the value is JSON, else a text.
Result<> set_field(JsonObject& object, const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(ErrorCode::invalid_argument, "a field must be NAME=VALUE, like content=text, not '" + assignment + "'");
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
      root.add_group("memory", "Manage an agent's memories on this device", "syncline -a claire memory list notes");
  memory.alias("memories");
  add_agent_option(memory, *options);
  Builder build(memory, invocation, options);
  const auto table = std::make_shared<std::string>();
  const auto id = std::make_shared<std::string>();
  const auto words = std::make_shared<std::vector<std::string>>();
  const auto fields = std::make_shared<std::vector<std::string>>();
  const auto limit = std::make_shared<std::int64_t>(20);

  const Command adding = build.add("add", "Add a memory", [=, &invocation]() -> Result<> {
    TRY(const std::string query, agent_query(*options));
    JsonObject body;
    for (const std::string& field : *fields) CHECK_OK(set_field(body, field));
    return ask_and_print(*options, Method::post, "/memory/" + percent_encode(*table) + '?' + query, body.to_text(),
                         invocation.form());
  });
  add_agent_option(adding, *options);
  adding.option("TABLE", *table, "table, like notes, episodes or beliefs").required();
  adding.option("FIELDS", *fields, "NAME=VALUE; stores a valid JSON VALUE as JSON, any other VALUE as text").required();
  adding.example("syncline -a claire memory add notes content='Check the logs first' tags='[\"ops\"]'");

  const Command listing = build.add("list", "List the memories in a table", [=, &invocation]() -> Result<> {
    TRY(const std::string query, agent_query(*options));
    return print_memories(*options,
                          "/memory/" + percent_encode(*table) + '?' + query + "&limit=" + std::to_string(*limit),
                          *table, invocation.form());
  });
  add_agent_option(listing, *options);
  listing.option("TABLE", *table, "table, like notes, episodes or beliefs").required();
  listing.option("-l,--limit N", *limit, "maximum number of memories to list").shows_default();
  listing.example("syncline -a claire memory list notes --limit 50");

  const auto one = [&](const std::string& name, const std::string& help, Method method) {
    const Command command = build.add(name, help, [=, &invocation]() -> Result<> {
      TRY(const std::string query, agent_query(*options));
      return ask_and_print(*options, method,
                           "/memory/" + percent_encode(*table) + '/' + percent_encode(*id) + '?' + query, "",
                           invocation.form());
    });
    add_agent_option(command, *options);
    command.option("TABLE", *table, "table, like notes, episodes or beliefs").required();
    command.option("ID", *id, "id of the memory").required();
    command.example("syncline -a claire memory " + name + " notes 7c9e6679-7425-40de-944b-e07fc1f90ae7");
  };
  one("show", "Show a memory", Method::get);
  one("forget", "Delete a memory on this device and all others", Method::del);

  const Command searching = build.add("search", "Search the agent's memories", [=, &invocation]() -> Result<> {
    TRY(const std::string query, agent_query(*options));
    return print_memories(*options,
                          "/memory/search?" + query + "&q=" +
                              percent_encode(join(std::vector<std::string_view>(words->begin(), words->end()), " ")) +
                              "&limit=" + std::to_string(*limit),
                          "", invocation.form());
  });
  add_agent_option(searching, *options);
  searching.option("WORDS", *words, "words to search for").required();
  searching.option("-l,--limit N", *limit, "maximum number of memories to list").shows_default();
  searching.example("syncline -a claire memory search gateway logs");
}

/// What a clock entry may say beside its times.
struct EntryFields {
  std::string customer;
  std::string description;
  std::string task_id;
  std::string contract;
  std::string project;

  void add_options(Command command) {
    command.option("-c,--customer NAME", customer, "customer to bill");
    command.option("-d,--description DESCRIPTION", description, "description of the work");
    command.option("--task ID", task_id, "id of the task");
    command.option("--contract NAME", contract, "name of the contract");
    command.option("--project ID", project, "id of the project");
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
  const Command timer = root.add_group("timer", "Start and stop the timer", "syncline timer start -c Acme");
  Builder build(timer, invocation, options);
  const auto fields = std::make_shared<EntryFields>();
  const Command starting = build.add("start", "Start the timer", [=, &invocation] {
    return ask_and_print(*options, Method::post, "/api/clocks/start", fields->to_object().to_text(), invocation.form());
  });
  fields->add_options(starting);
  starting.example("syncline timer start -c Acme -d 'Code review'");
  const Command stopping = build.add("stop", "Stop the timer", [=, &invocation] {
    return ask_and_print(*options, Method::post, "/api/clocks/stop", "{}", invocation.form());
  });
  stopping.example("syncline timer stop");
  const Command status = build.add("status", "Show the running timer", [=, &invocation] {
    return ask_and_print(*options, Method::get, "/api/clocks/active", "", invocation.form());
  });
  status.example("syncline timer status");

  Builder top(root, invocation, options);
  const auto duration = std::make_shared<std::string>();
  const auto date = std::make_shared<std::string>();
  const auto zone = std::make_shared<std::string>();
  const auto add_zone = [&](Command command) {
    command.option("--zone ZONE", *zone, "time zone whose days count, like Europe/Berlin (default: the device's)");
  };
  const Command book = top.add("book", "Add a time entry for work already done", [=, &invocation]() -> Result<> {
    JsonObject body = fields->to_object();
    body.set_text("duration", *duration);
    CHECK_OK(use_zone(*zone));
    if (!date->empty()) {
      const auto noon = noon_of_day(*date);
      if (!noon) return fail(ErrorCode::invalid_argument, "the date must be a day like 2026-11-22");
      body.set_text("start", format_time(*noon));
    }
    return ask_and_print(*options, Method::post, "/api/clocks/quick-book", body.to_text(), invocation.form());
  });
  book.option("DURATION", *duration, "duration, like 2h, 30m, 1.5h or 1h30m").required();
  book.option("--date DATE", *date, "day, as YYYY-MM-DD; the entry starts at noon (default: it ends now)");
  add_zone(book);
  fields->add_options(book);
  book.example("syncline book 1h30m -c Acme -d 'Code review' --date 2026-11-20");

  const auto period = std::make_shared<std::string>("today");
  const Command listing = top.add("entry", "List time entries, newest first", [=, &invocation]() -> Result<> {
    CHECK_OK(use_zone(*zone));
    const auto days = days_of_period(*period, SystemClock().now());
    if (!days) return fail(ErrorCode::invalid_argument, "the period must be today, week, month or year");
    const std::string query =
        "from=" + percent_encode(format_time(days->first)) + "&to=" + percent_encode(format_time(days->last));
    return ask_and_print(*options, Method::get, "/api/clocks/entries?" + query, "", invocation.form(),
                         find_list_view("entry list"));
  });
  listing.alias("entries");
  listing.option("--period PERIOD", *period, "today, week, month or year").shows_default();
  add_zone(listing);
  listing.example("syncline entry --period week");

  const auto id = std::make_shared<std::string>();
  const Command triage =
      top.add("triage", "List entries without a customer; with ID, assign one", [=, &invocation]() -> Result<> {
        if (id->empty()) {
          return ask_and_print(*options, Method::get, "/api/cloud-sync/pending", "", invocation.form(),
                               find_list_view("triage list"));
        }
        return assign_customer(*options, *id, fields->to_object(), invocation.form());
      });
  triage.option("ID", *id, "sync_id of the entry to change");
  fields->add_options(triage);
  triage.example("syncline triage 7c9e6679-7425-40de-944b-e07fc1f90ae7 -c Acme");
}

}  // namespace

void define_device(Command root, Invocation& invocation, const std::shared_ptr<NodeOptions>& options) {
  define_memory(root, invocation, options);
  define_clock(root, invocation, options);
}

}  // namespace syncline::app
