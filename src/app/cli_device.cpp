// syncline memory, timer, book, entries and triage: what people do with the data on their device.
#include <cstdio>

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
  Builder(CLI::App& parent, Invocation& invocation, Options options)
      : parent_(parent), invocation_(invocation), options_(std::move(options)) {}

  CLI::App& add(const std::string& name, const std::string& help, std::function<Result<>()> run) {
    CLI::App& command = *parent_.add_subcommand(name, help);
    add_node_options(command, *options_, invocation_);
    command.callback([this_invocation = &invocation_, run = std::move(run)] { this_invocation->run = run; });
    return command;
  }

 private:
  CLI::App& parent_;
  Invocation& invocation_;
  Options options_;
};

void define_memory(CLI::App& app, Invocation& invocation, const Options& options) {
  CLI::App& memory =
      *app.add_subcommand("memory", "Memories of an agent on this device: add, list, show, search, forget");
  memory.require_subcommand(1);
  Builder build(memory, invocation, options);
  const auto table = std::make_shared<std::string>();
  const auto id = std::make_shared<std::string>();
  const auto text = std::make_shared<std::string>();
  const auto fields = std::make_shared<std::vector<std::string>>();
  const auto limit = std::make_shared<std::int64_t>(20);

  CLI::App& adding = build.add("add", "Add a memory", [=, &invocation]() -> Result<> {
    TRY(const std::string query, agent_query(*options));
    JsonObject body;
    for (const std::string& field : *fields) CHECK_OK(set_field(body, field));
    return ask_and_print(*options, Method::post, "/memory/" + percent_encode(*table) + '?' + query, body.to_text(),
                         invocation.form());
  });
  adding.add_option("TABLE", *table, "notes, episodes, beliefs, ...")->required();
  adding.add_option("FIELDS", *fields, "NAME=VALUE, like content=\"Check the logs first\"")->required();
  adding.footer("Example:\n  syncline -a claire memory add notes content='Check the logs first' tags='[\"ops\"]'");

  CLI::App& listing = build.add("list", "List memories of a table", [=, &invocation]() -> Result<> {
    TRY(const std::string query, agent_query(*options));
    return ask_and_print(*options, Method::get,
                         "/memory/" + percent_encode(*table) + '?' + query + "&limit=" + std::to_string(*limit), "",
                         invocation.form());
  });
  listing.add_option("TABLE", *table, "notes, episodes, beliefs, ...")->required();
  listing.add_option("-l,--limit", *limit, "how many")->capture_default_str();

  const auto one = [&](const std::string& name, const std::string& help, Method method) {
    CLI::App& command = build.add(name, help, [=, &invocation]() -> Result<> {
      TRY(const std::string query, agent_query(*options));
      return ask_and_print(*options, method,
                           "/memory/" + percent_encode(*table) + '/' + percent_encode(*id) + '?' + query, "",
                           invocation.form());
    });
    command.add_option("TABLE", *table, "notes, episodes, beliefs, ...")->required();
    command.add_option("ID", *id, "id of the memory")->required();
  };
  one("show", "Show a memory", Method::get);
  one("forget", "Delete a memory, here and everywhere", Method::del);

  CLI::App& searching = build.add("search", "Search the memories of the agent", [=, &invocation]() -> Result<> {
    TRY(const std::string query, agent_query(*options));
    return ask_and_print(*options, Method::get,
                         "/memory/search?" + query + "&q=" + percent_encode(*text) + "&limit=" + std::to_string(*limit),
                         "", invocation.form());
  });
  searching.add_option("TEXT", *text, "what to look for")->required();
  searching.add_option("-l,--limit", *limit, "how many")->capture_default_str();
}

/// What a clock entry may say beside its times.
struct EntryFields {
  std::string customer;
  std::string description;
  std::string task_id;
  std::string contract;
  std::string project;

  void add_options(CLI::App& command) {
    command.add_option("-c,--customer", customer, "who is billed");
    command.add_option("-d,--description", description, "what was done");
    command.add_option("--task", task_id, "id of the task");
    command.add_option("--contract", contract, "name of the contract");
    command.add_option("--project", project, "id of the project");
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

void define_clock(CLI::App& app, Invocation& invocation, const Options& options) {
  CLI::App& timer = *app.add_subcommand("timer", "The running clock: start, stop, status");
  timer.require_subcommand(1);
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

  Builder top(app, invocation, options);
  const auto duration = std::make_shared<std::string>();
  const auto date = std::make_shared<std::string>();
  CLI::App& book = top.add("book", "Book time that has passed", [=, &invocation] {
    JsonObject body = fields->to_object();
    body.set_text("duration", *duration);
    if (!date->empty()) body.set_text("date", *date);
    return ask_and_print(*options, Method::post, "/api/clocks/quick-book", body.to_text(), invocation.form());
  });
  book.add_option("DURATION", *duration, "like 2h, 30m, 1.5h, 1h30m")->required();
  book.add_option("--date", *date, "another day than today: YYYY-MM-DD");
  fields->add_options(book);

  const auto period = std::make_shared<std::string>("today");
  CLI::App& entries = top.add("entries", "Clock entries, newest first", [=, &invocation] {
    return ask_and_print(*options, Method::get, "/api/clocks/entries?period=" + percent_encode(*period), "",
                         invocation.form());
  });
  entries.add_option("--period", *period, "today, week, month or year")->capture_default_str();

  const auto id = std::make_shared<std::string>();
  CLI::App& triage = top.add(
      "triage", "Entries that came without a customer; with an id, give it one", [=, &invocation]() -> Result<> {
        if (id->empty()) {
          return ask_and_print(*options, Method::get, "/api/cloud-sync/pending", "", invocation.form());
        }
        JsonObject entry = fields->to_object();
        entry.set_text("sync_id", *id);
        return ask_and_print(*options, Method::post, "/api/cloud-sync/triage",
                             "{\"entries\":[" + entry.to_text() + "]}", invocation.form());
      });
  triage.add_option("ID", *id, "sync_id of the entry");
  fields->add_options(triage);
}

}  // namespace

void define_device(CLI::App& app, Invocation& invocation, const std::shared_ptr<NodeOptions>& options) {
  define_memory(app, invocation, options);
  define_clock(app, invocation, options);
}

}  // namespace syncline::app
