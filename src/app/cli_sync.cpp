// syncline sync: what the data of this device is in step with, and bringing it there.
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/invocation.hpp"
#include "app/node_access.hpp"
#include "app/node_spaces.hpp"
#include "app/output.hpp"
#include "app/plain_words.hpp"
#include "app/program_texts.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "core/cursor.hpp"

namespace syncline::app {
namespace {

constexpr std::string_view kRule = "==================================================";

std::string agent_body(const NodeOptions& options, bool full = false) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().string("agent_id", options.agent);
  if (full) writer.boolean("full", true);
  writer.end_object();
  return body;
}

Result<> need_agent(const NodeOptions& options) {
  if (!options.agent.empty()) return {};
  return fail(ErrorCode::invalid_argument, "no agent given; use -a AGENT");
}

Result<JsonObject> data_of(const std::string& answer) {
  TRY(const JsonObject object, http::parse_object(answer));
  const auto data = object.find("data");
  if (!data || !data->is_object()) {
    return fail(ErrorCode::unavailable, "unexpected answer from the node: it has no data");
  }
  return JsonObject{*data};
}

/// "1 change", "2 changes"
std::string changes_text(std::int64_t count) { return std::to_string(count) + (count == 1 ? " change" : " changes"); }

std::int64_t number_of(const JsonObject& object, std::string_view name) { return object.integer_of(name).value_or(0); }

/// "just now", "5 minutes ago (2026-11-22 16:40:05 Europe/Berlin)", "Never"
std::string time_ago(const std::string& text, Timestamp now) {
  const auto time = parse_time(text);
  if (!time) return "Never";
  const std::int64_t minutes = (now.micros - time->micros) / (60 * kMicrosPerSecond);
  const auto plural = [](std::int64_t count, const std::string& unit) {
    return std::to_string(count) + ' ' + unit + (count == 1 ? "" : "s") + " ago";
  };
  const std::string ago = minutes < 1      ? "just now"
                          : minutes < 60   ? plural(minutes, "minute")
                          : minutes < 1440 ? plural(minutes / 60, "hour")
                                           : plural(minutes / 1440, "day");
  return ago + " (" + to_local_time(*time) + ' ' + local_zone() + ')';
}

void print_agent_status(const NodeOptions& options, const JsonObject& data, const Invocation& invocation) {
  const std::int64_t pending = number_of(data, "pending_operations");
  const std::int64_t dead = number_of(data, "dead_letters");
  const bool connected = data.text_of("status") == "connected";
  if (invocation.form() == OutputForm::json) {
    std::string out;
    JsonWriter writer(out);
    writer.begin_object().integer("version", 1);
    for (const std::string_view name :
         {"local_stack_id", "namespaced_stack_id", "local_agent_id", "namespaced_agent_id"})
      writer.string(name, options.agent);
    writer.name("user_id").null();
    writer.integer("pending_operations", pending).integer("dead_letter_count", dead).integer("pull_recovery_queue", 0);
    const auto last = data.find("last_pull");
    writer.raw("last_sync_time", last ? last->raw() : "null")
        .boolean("local_storage_online", true)
        .string("backend_url", data.text_of("url"))
        .boolean("backend_connected", connected)
        .string("connection_status", connected ? "Connected" : data.text_of("reason"))
        .boolean("authenticated", data.text_of("state") != "reauth" && data.text_of("state") != "off")
        .string("state", data.text_of("state"))
        .string("reason", data.text_of("reason"))
        .integer("remote_changes_available", number_of(data, "remote_changes_available"))
        .end_object();
    std::puts(out.c_str());
    return;
  }
  const std::string url = data.text_of("url");
  std::printf("Sync Status\n%s\n\n", std::string(kRule).c_str());
  std::printf("📦 Local project: %s\n", to_terminal_line(options.agent).c_str());
  std::printf("%s Backend: %s\n", connected ? "🟢" : "🔴",
              connected ? "Connected" : to_terminal_line(data.text_of("reason")).c_str());
  if (!url.empty()) std::printf("   URL: %s\n", to_terminal_line(url).c_str());
  std::printf("%s Pending operations: %lld\n",
              pending == 0   ? "🟢"
              : pending < 10 ? "🟡"
                             : "🟠",
              static_cast<long long>(pending));
  if (dead > 0) std::printf("🔴 Dead letters: %lld\n", static_cast<long long>(dead));
  std::printf("🕐 Last sync: %s\n", time_ago(data.text_of("last_pull"), SystemClock().now()).c_str());
  if (!connected) {
    const char* login = invocation.called_as == CalledAs::kernle ? "kernle auth login" : "syncline login URL";
    std::printf("\n💡 %s%s\n", url.empty() ? "Connect this device: " : "Changes stay queued on this device",
                url.empty() ? login : "");
  } else if (pending > 0) {
    std::puts("\n💡 Send them: sync push");
  }
}

Result<> sync_status(const NodeOptions& options, const Invocation& invocation) {
  const bool is_kernle = invocation.called_as == CalledAs::kernle;
  if (is_kernle) CHECK_OK(need_agent(options));
  TRY(const auto node, NodeClient::open(options, invocation.form()));
  if (!node->runs_by_itself()) {
    print_note(std::string("no node runs on this device: nothing is sent or fetched until ") +
                   (is_kernle ? "the next sync" : "'syncline node' or the next sync"),
               invocation.form(), name_of(invocation.called_as));
  }
  if (options.agent.empty()) return print_profiles(*node, invocation.form());
  TRY(const std::string answer, node->ask(http::Method::get, "/sync/status?agent_id=" + percent_encode(options.agent)));
  TRY(const JsonObject data, data_of(answer));
  print_agent_status(options, data, invocation);
  return {};
}

Result<> sync_push(const NodeOptions& options, std::int64_t limit, OutputForm form) {
  CHECK_OK(need_agent(options));
  TRY(const auto node, NodeClient::open(options, form));
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().string("agent_id", options.agent);
  if (limit > 0) writer.integer("limit", limit);
  writer.end_object();
  if (form == OutputForm::text) {
    TRY(const std::string before,
        node->ask(http::Method::get, "/sync/status?agent_id=" + percent_encode(options.agent)));
    TRY(const JsonObject waiting, data_of(before));
    const std::int64_t count = number_of(waiting, "pending_operations");
    if (count > 0) std::fprintf(stderr, "Pushing %s to backend...\n", changes_text(count).c_str());
  }
  TRY(const std::string answer, ask_with_progress(*node, options, "Pushing", "/sync/push", body, form));
  TRY(const JsonObject data, data_of(answer));
  const std::int64_t pushed = number_of(data, "pushed");
  const std::int64_t failed = number_of(data, "failed");
  if (form == OutputForm::json) {
    JsonObject out;
    out.set("success", "true");
    out.set("data", data.to_text());
    out.set_integer("version", 1);
    out.set_integer("synced", pushed);
    out.set_text("local_project", options.agent);
    out.set_text("namespaced_id", options.agent);
    std::string rejected = "[";
    if (const auto results = data.find("results")) {
      results->for_each_element([&](JsonView result) {
        if (result.text_of("status") != "rejected") return;
        if (rejected.size() > 1) rejected += ',';
        rejected += result.raw();
      });
    }
    rejected += ']';
    out.set("conflicts", rejected);
    out.set("conflict_snapshot", "{\"count\":" + std::to_string(failed) + ",\"records\":" + rejected + '}');
    std::puts(out.to_text().c_str());
    return {};
  }
  if (pushed == 0 && failed == 0) {
    std::puts("✓ No pending changes to push");
  } else {
    std::printf("✓ Pushed %s\n  Synced as: %s\n", changes_text(pushed).c_str(),
                to_terminal_line(options.agent).c_str());
  }
  if (failed > 0) {
    std::printf("⚠️  %lld %s:\n", static_cast<long long>(failed), failed == 1 ? "conflict" : "conflicts");
    int shown = 0;
    const auto results = data.find("results");
    if (results) {
      results->for_each_element([&](JsonView result) {
        if (result.text_of("status") != "rejected" || shown++ >= 5) return;
        std::printf("  %s:%s %s\n", to_terminal_line(result.text_of("table")).c_str(),
                    to_terminal_line(result.text_of("record_id")).c_str(),
                    to_terminal_line(result.text_of("error")).c_str());
      });
    }
  }
  return {};
}

/// not_found if nothing has ever been written for the agent, here or at the hub, but for others: a slip of the name.
/// The first agent of all is no slip.
Result<> check_is_known(NodeClient& node, const std::string& agent) {
  constexpr std::string_view kPrefix = "kernle/";
  TRY(const std::string answer, node.ask(http::Method::get, "/v1/spaces"));
  TRY(const JsonObject object, http::parse_object(answer));
  std::vector<std::string> others;
  bool is_known = false;
  if (const auto spaces = object.find("spaces")) {
    spaces->for_each_element([&](JsonView space) {
      const std::string name = space.text_of("name");
      const auto cursor = parse_cursor(space.text_of("cursor"));
      if (!name.starts_with(kPrefix) || !cursor || cursor->seq.value == 0) return;
      others.push_back(name.substr(kPrefix.size()));
      is_known = is_known || others.back() == agent;
    });
  }
  if (is_known || others.empty()) return {};
  const std::vector<std::string_view> names(others.begin(), others.end());
  const std::string_view nearest = nearest_word(agent, names);
  return fail(ErrorCode::not_found, "there is no agent '" + agent + "' on this device or at the hub; " +
                                        (nearest.empty() ? "there are: " + join(names, ", ")
                                                         : "did you mean '" + std::string(nearest) + "'?"));
}

Result<> sync_pull(const NodeOptions& options, bool full, OutputForm form) {
  CHECK_OK(need_agent(options));
  TRY(const auto node, NodeClient::open(options, form));
  if (form == OutputForm::text) std::fprintf(stderr, "Pulling changes from backend...%s\n", full ? " (full)" : "");
  TRY(const std::string answer,
      ask_with_progress(*node, options, "Pulling", "/sync/pull", agent_body(options, full), form));
  TRY(const JsonObject data, data_of(answer));
  const std::int64_t pulled = number_of(data, "pulled");
  if (pulled == 0) CHECK_OK(check_is_known(*node, options.agent));
  if (form == OutputForm::json) {
    std::string out;
    JsonWriter(out)
        .begin_object()
        .integer("version", 1)
        .integer("pulled", pulled)
        .integer("conflicts", number_of(data, "conflicts"))
        .raw("conflict_envelopes", "[]")
        .raw("conflict_snapshot", R"({"count":0,"records":[]})")
        .boolean("has_more", false)
        .integer("poisoned_new", 0)
        .integer("poisoned_pending", 0)
        .integer("recovered_from_quarantine", 0)
        .string("recovery_state", "ok")
        .raw("failed_operations", "[]")
        .string("local_project", options.agent)
        .string("namespaced_id", options.agent)
        .raw("data", data.to_text())
        .end_object();
    std::puts(out.c_str());
    return {};
  }
  if (pulled == 0) {
    std::puts("✓ Already up to date");
  } else {
    std::printf("✓ Pulled %s\n  From: %s\n", changes_text(pulled).c_str(), to_terminal_line(options.agent).c_str());
  }
  return {};
}

Result<> sync_full(const NodeOptions& options, OutputForm form) {
  CHECK_OK(need_agent(options));
  TRY(const auto node, NodeClient::open(options, form));
  if (form == OutputForm::text) std::fputs("Running full bidirectional sync...\n", stderr);
  TRY(const std::string answer, ask_with_progress(*node, options, "Syncing", "/sync/full", agent_body(options), form));
  if (form == OutputForm::json) {
    std::puts(answer.c_str());
    return {};
  }
  TRY(const JsonObject data, data_of(answer));
  const auto records = [&](std::string_view phase) {
    const auto part = data.find(phase);
    const auto count = part ? part->find("records") : std::nullopt;
    return static_cast<long long>(count ? count->as_integer().value_or(0) : 0);
  };
  std::printf("Step 1: Pulling...\n  ✓ Pulled %lld\nStep 2: Pushing...\n  ✓ Pushed %lld\n✓ Full sync complete\n",
              records("pull"), records("push"));
  return {};
}

/// Versions of this device that lost, from its own store.
Result<> sync_conflicts(const NodeOptions& options, std::int64_t limit, OutputForm form) {
  CHECK_OK(need_agent(options));
  TRY(const auto node, NodeClient::open(options, form));
  TRY(const std::string answer,
      node->ask(http::Method::get, "/v1/spaces/" + percent_encode("kernle/" + options.agent) +
                                       "/conflicts?state=all&limit=" + std::to_string(limit)));
  TRY(const JsonObject object, http::parse_object(answer));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  if (form == OutputForm::json) writer.integer("version", 1);  // as the published command says it
  writer.name("conflicts").begin_array();
  std::int64_t count = 0;
  const auto list = object.find("conflicts");
  const auto summary = [](JsonView conflict, std::string_view side) {
    const auto version = conflict.find_set(side);
    const auto doc = version ? version->find("doc") : std::nullopt;
    return doc ? std::string(cut_utf8(doc->raw(), 200)) : version ? std::string("(deleted)") : std::string();
  };
  if (list) {
    list->for_each_element([&](JsonView conflict) {
      ++count;
      writer.begin_object()
          .string("id", conflict.text_of("id"))
          .string("table", conflict.text_of("collection"))
          .string("record_id", conflict.text_of("record_id"))
          .string("resolution", "cloud_wins")
          .string("resolved_at", conflict.text_of("at"))
          .string("local_summary", summary(conflict, "loser"))
          .string("cloud_summary", summary(conflict, "winner"))
          .end_object();
    });
  }
  writer.end_array();
  if (form == OutputForm::json) writer.integer("count", count);
  writer.end_object();
  print_result(out, form, find_list_view("sync conflicts"));
  return {};
}

Result<> sync_dead_letters(const NodeOptions& options, bool retry, OutputForm form) {
  CHECK_OK(need_agent(options));
  TRY(const auto node, NodeClient::open(options, form));
  if (retry) {
    TRY(const std::string answer, node->ask(http::Method::post, "/sync/deadletters/retry", agent_body(options)));
    print_result(answer, form);
    return {};
  }
  TRY(const std::string answer,
      node->ask(http::Method::get, "/sync/deadletters?agent_id=" + percent_encode(options.agent)));
  print_result(answer, form, find_list_view("sync deadletters"));
  return {};
}

}  // namespace

void define_sync(Command root, Invocation& invocation, const std::shared_ptr<NodeOptions>& options) {
  const bool is_kernle = invocation.called_as == CalledAs::kernle;
  const std::string program = is_kernle ? "kernle " : "syncline ";
  const std::string hub = is_kernle ? "backend" : "hub";
  const Command sync = root.add_group("sync", "Sync this device and show its state", program + "-a claire sync status");
  add_agent_option(sync, *options);
  const auto add = [&](const std::string& name, const std::string& help, const std::string& example, Action run) {
    const Command command = sync.add(name, help);
    add_agent_option(command, *options);
    add_node_options(command, *options, invocation);
    command.example(program + example);
    command.on_run(std::move(run));
    return command;
  };
  const auto limit = std::make_shared<std::int64_t>(0);
  const auto flag = std::make_shared<bool>(false);
  add("status",
      is_kernle ? "Show pending changes and sync state of an agent"
                : "Show pending changes and sync state of an agent, or of all profiles without -a",
      "-a claire sync status", [&invocation, options] { return sync_status(*options, invocation); });
  add("push", "Send pending changes to the " + hub, "-a claire sync push",
      [&invocation, options, limit] { return sync_push(*options, *limit, invocation.form()); })
      .option("-l,--limit N", *limit, "maximum number of results to list; a push always sends all pending changes")
      .defaults_to("all");
  add("pull", "Fetch new changes from the " + hub, "-a claire sync pull --full", [&invocation, options, flag] {
    return sync_pull(*options, *flag, invocation.form());
  }).flag("-f,--full", *flag, "pull everything again from the beginning");
  add("full", "Pull, then push", "-a claire sync full",
      [&invocation, options] { return sync_full(*options, invocation.form()); });
  add("conflicts", "List edits of this device that lost a merge", "-a claire sync conflicts --limit 50",
      [&invocation, options, limit] { return sync_conflicts(*options, *limit == 0 ? 20 : *limit, invocation.form()); })
      .option("-l,--limit N", *limit, "maximum number of conflicts to list")
      .defaults_to("20");
  if (is_kernle) return;
  add("deadletters", "List changes that the hub rejected", "-a claire sync deadletters --retry",
      [&invocation, options, flag] { return sync_dead_letters(*options, *flag, invocation.form()); })
      .flag("--retry", *flag, "send rejected changes again");
}

}  // namespace syncline::app
