// syncline memory, timer, book, entry and triage: what people do with the data on their device.
#include <unistd.h>

#include <cstdio>

#include "app/device_zone.hpp"
#include "app/invocation.hpp"
#include "app/node_access.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"
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
  adding
      .option("FIELDS", *fields,
              "fields of the memory, each NAME=VALUE; a VALUE that is valid JSON is stored as JSON, any other as text")
      .required();
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

  define_search(memory, invocation, options, "syncline -a claire memory search gateway logs");
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

constexpr const char* kZoneHelp = "time zone whose days count, like Europe/Berlin";

Result<std::string> zone_or_device(const std::string& name) {
  return name.empty() ? device_zone() : Result<std::string>(name);
}

/// Which entries to show, and how.
struct EntryQuery {
  std::string period = "today";
  std::string from;
  std::string to;
  std::string zone;
  bool as_csv = false;
  bool as_sums = false;

  void add_options(Command command) {
    command.option("--period PERIOD", period, "days to list")
        .known_values({"today", "week", "month", "year"})
        .shows_default();
    command.option("--from DAY", from, "first day, as YYYY-MM-DD, instead of a period");
    command.option("--to DAY", to, "last day, as YYYY-MM-DD, instead of a period");
    command.option("--zone ZONE", zone, kZoneHelp).defaults_to("the device's");
    command.flag("--csv", as_csv, "print the entries as CSV, for spreadsheets; not only the newest 500");
    command.flag("--sums", as_sums, "print the time worked on each day instead of the entries");
  }

  [[nodiscard]] Result<std::string> text() const {
    TRY(const std::string name, zone_or_device(zone));
    std::string query = "zone=" + percent_encode(name);
    if (from.empty() && to.empty()) query += "&period=" + percent_encode(period);
    if (!from.empty()) query += "&from=" + percent_encode(from);
    if (!to.empty()) query += "&to=" + percent_encode(to);
    return query;
  }
};

/// "7:30:00"
std::string hours_text(std::int64_t seconds) {
  const auto two_digits = [](std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return std::to_string(seconds / 3600) + ':' + two_digits(seconds / 60 % 60) + ':' + two_digits(seconds % 60);
}

/// The sums of the days for people: hours instead of seconds.
std::string readable_sums(JsonView sums) {
  const auto worked = [](JsonView of) {
    const auto seconds = of.find("seconds");
    return hours_text(seconds ? seconds->as_integer().value_or(0) : 0);
  };
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("days").begin_array();
  if (const auto days = sums.find("days")) {
    days->for_each_element([&](JsonView day) {
      const auto entries = day.find("entries");
      writer.begin_object().string("date", day.text_of("date")).string("worked", worked(day));
      writer.integer("entries", entries ? entries->as_integer().value_or(0) : 0).end_object();
    });
  }
  writer.end_array().string("total", worked(sums)).string("zone", sums.text_of("zone")).end_object();
  return out;
}

/// As it is into a file or a pipe; a terminal shows no control characters of other people's text.
void print_csv(const std::string& csv) {
  if (::isatty(STDOUT_FILENO) == 0) {
    std::fwrite(csv.data(), 1, csv.size(), stdout);
    return;
  }
  std::string lines = csv;
  std::erase(lines, '\r');
  std::fputs(to_terminal_text(lines).c_str(), stdout);
}

Result<> list_entries(const NodeOptions& options, const EntryQuery& wanted, OutputForm form) {
  if (wanted.as_csv && (wanted.as_sums || form == OutputForm::json)) {
    return fail(ErrorCode::invalid_argument, "--csv cannot be combined with --sums or --json");
  }
  TRY(const std::string query, wanted.text());
  if (!wanted.as_csv && !wanted.as_sums) {
    return ask_and_print(options, Method::get, "/api/clocks/entries?" + query, "", form, find_list_view("entry list"));
  }
  TRY(const auto node, NodeClient::open(options, form));
  if (wanted.as_csv) {
    TRY(const std::string csv, node->ask(Method::get, "/api/clocks/entries?format=csv&" + query));
    print_csv(csv);
    return {};
  }
  TRY(const std::string sums, node->ask(Method::get, "/api/clocks/days?" + query));
  print_result(form == OutputForm::json ? sums : readable_sums(JsonView(sums)), form);
  return {};
}

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
  const Command book = top.add("book", "Add a time entry for work already done", [=, &invocation]() -> Result<> {
    if (!zone->empty() && date->empty()) return fail(ErrorCode::invalid_argument, "--zone needs --date");
    JsonObject body = fields->to_object();
    body.set_text("duration", *duration);
    if (!date->empty()) {
      TRY(const std::string name, zone_or_device(*zone));
      body.set_text("date", *date);
      body.set_text("zone", name);
    }
    return ask_and_print(*options, Method::post, "/api/clocks/quick-book", body.to_text(), invocation.form());
  });
  book.option("DURATION", *duration, "duration, like 2h, 30m, 1.5h or 1h30m").required();
  book.option("--date DATE", *date,
              "day of the work, as YYYY-MM-DD: the entry starts at noon; without it, the entry ends now");
  book.option("--zone ZONE", *zone, kZoneHelp).defaults_to("the device's");
  fields->add_options(book);
  book.example("syncline book 1h30m -c Acme -d 'Code review' --date 2026-11-20");

  const auto wanted = std::make_shared<EntryQuery>();
  const Command listing = top.add("entry", "List time entries, newest first",
                                  [=, &invocation] { return list_entries(*options, *wanted, invocation.form()); });
  listing.alias("entries");
  wanted->add_options(listing);
  listing.example("syncline entries --from 2026-11-01 --to 2026-11-30 --csv > november.csv");

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

void define_search(Command parent, Invocation& invocation, const std::shared_ptr<NodeOptions>& options,
                   const std::string& example) {
  const auto words = std::make_shared<std::vector<std::string>>();
  const auto limit = std::make_shared<std::int64_t>(20);
  Builder build(parent, invocation, options);
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
  searching.example(example);
}

void define_device(Command root, Invocation& invocation, const std::shared_ptr<NodeOptions>& options) {
  define_memory(root, invocation, options);
  define_clock(root, invocation, options);
}

}  // namespace syncline::app
