// syncline node, login, profile, and sync: the commands of a device.
#include <cstdio>

#include "app/hub_access.hpp"
#include "app/node_access.hpp"
#include "app/progress.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"

namespace syncline::app {
namespace {

constexpr std::string_view kRule = "==================================================";

using Options = std::shared_ptr<NodeOptions>;

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
  return fail(ErrorCode::invalid_argument, "whose memory? Name the agent: -a AGENT");
}

Result<JsonObject> data_of(const std::string& answer) {
  TRY(const JsonObject object, http::parse_object(answer));
  const auto data = object.find("data");
  if (!data || !data->is_object()) return fail(ErrorCode::unavailable, "the node's answer has no data");
  return JsonObject{*data};
}

std::int64_t number_of(const JsonObject& object, std::string_view name) { return object.integer_of(name).value_or(0); }

std::int64_t number_in(JsonView object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->as_integer().value_or(0) : 0;
}

/// "just now", "5 minutes ago (2026-11-22 16:40:05)", "Never"
std::string time_ago(const std::string& text, Timestamp now) {
  const auto time = parse_time(text);
  if (!time) return "Never";
  const std::int64_t minutes = (now.micros - time->micros) / (60 * kMicrosPerSecond);
  const auto plural = [](std::int64_t count, const std::string& unit) {
    return std::to_string(count) + ' ' + unit + (count == 1 ? "" : "s") + " ago";
  };
  const std::string ago = minutes < 1         ? "just now"
                          : minutes < 60      ? plural(minutes, "minute")
                          : minutes < 60 * 24 ? plural(minutes / 60, "hour")
                                              : plural(minutes / 60 / 24, "day");
  std::string exact = format_time(*time).substr(0, 19);
  exact[10] = ' ';
  return ago + " (" + exact + " UTC)";
}

void print_agent_status(const NodeOptions& options, const JsonObject& data, OutputForm form) {
  const std::int64_t pending = number_of(data, "pending_operations");
  const std::int64_t dead = number_of(data, "dead_letters");
  const bool connected = data.text_of("status") == "connected";
  if (form == OutputForm::json) {
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
  std::printf("📦 Local project: %s\n", to_terminal_text(options.agent).c_str());
  std::printf("%s Backend: %s\n", connected ? "🟢" : "🔴",
              connected ? "Connected" : to_terminal_text(data.text_of("reason")).c_str());
  if (!url.empty()) std::printf("   URL: %s\n", to_terminal_text(url).c_str());
  std::printf("%s Pending operations: %lld\n",
              pending == 0   ? "🟢"
              : pending < 10 ? "🟡"
                             : "🟠",
              static_cast<long long>(pending));
  if (dead > 0) std::printf("🔴 Dead letters: %lld\n", static_cast<long long>(dead));
  std::printf("🕐 Last sync: %s\n", time_ago(data.text_of("last_pull"), SystemClock().now()).c_str());
  if (!connected) {
    std::puts(url.empty() ? "\n💡 Connect this device: syncline login URL"
                          : "\n💡 Everything stays queued on this device");
  } else if (pending > 0) {
    std::puts("\n💡 Send them: sync push");
  }
}

/// How far the spaces of the profile are, from now on.
std::function<std::string()> follow_transfer(const NodeClient& node, const NodeOptions& options) {
  struct Watch {
    std::unique_ptr<http::Client> client;
    std::string profile;
    std::optional<std::int64_t> moved_before;
  };
  const auto watch = std::make_shared<Watch>(node.clients()(), options.profile, std::nullopt);
  return [watch]() -> std::string {
    const auto answer = watch->client->send({http::Method::get, "/profiles", "", {}, 5000});
    const auto object = answer && answer->status == 200 ? http::parse_object(answer->body) : JsonObject{};
    const auto profiles = object ? object->find("profiles") : std::nullopt;
    if (!profiles) return "";
    std::int64_t moved = 0;
    std::int64_t left = 0;
    profiles->for_each_element([&](JsonView profile) {
      const auto active = profile.find("active");
      const bool is_meant = watch->profile.empty() ? active && active->as_boolean().value_or(false)
                                                   : profile.text_of("profile") == watch->profile;
      const auto spaces = profile.find("spaces");
      if (!is_meant || !spaces) return;
      spaces->for_each_element([&](JsonView space) {
        if (space.text_of("state") == "off") return;  // it stays on this device
        moved += number_in(space, "pulled") + number_in(space, "pushed");
        left += number_in(space, "to_pull") + number_in(space, "pending");
      });
    });
    if (!watch->moved_before) watch->moved_before = moved;
    const std::int64_t done = moved - *watch->moved_before;
    return bar_text(done, done + left);
  };
}

/// A POST that may take long.
Result<std::string> ask_with_progress(NodeClient& node, const NodeOptions& options, const std::string& what,
                                      const std::string& target, const std::string& body, OutputForm form) {
  const Progress progress(what, form, follow_transfer(node, options));
  return node.ask(http::Method::post, target, body);
}

/// What the hub cannot do, if it speaks something else than /v1.
void print_limits(JsonView profile) {
  const auto limits = profile.find("limits");
  if (!limits || limits->raw() == "[]") return;
  std::printf("    The hub speaks %s only:\n", to_terminal_text(profile.text_of("dialect")).c_str());
  limits->for_each_element(
      [](JsonView limit) { std::printf("    - %s\n", to_terminal_text(limit.as_string().value_or("")).c_str()); });
}

/// All profiles and spaces of the node.
Result<> show_all(NodeClient& node, OutputForm form) {
  TRY(const std::string answer, node.ask(http::Method::get, "/profiles"));
  if (form == OutputForm::json) {
    std::puts(answer.c_str());
    return {};
  }
  TRY(const JsonObject object, http::parse_object(answer));
  const auto profiles = object.find("profiles");
  if (!profiles) return {};
  profiles->for_each_element([](JsonView profile) {
    const auto is_active = profile.find("active");
    const auto live = profile.find("live");
    const std::string url = profile.text_of("url");
    std::printf("%s %s  %s%s\n", is_active && is_active->as_boolean().value_or(false) ? "*" : " ",
                to_terminal_text(profile.text_of("profile")).c_str(),
                url.empty() ? "not connected" : to_terminal_text(url).c_str(),
                live && live->as_boolean().value_or(false) ? "  (live)" : "");
    if (const std::string error = profile.text_of("settings_error"); !error.empty()) {
      std::printf("    settings: %s\n", to_terminal_text(error).c_str());
    }
    print_limits(profile);
    const auto spaces = profile.find("spaces");
    if (!spaces) return;
    spaces->for_each_element([](JsonView space) {
      const std::int64_t moved = number_in(space, "pulled") + number_in(space, "pushed");
      const std::int64_t left = number_in(space, "pending") + number_in(space, "to_pull");
      const std::string bar =
          space.text_of("state") == "syncing" && left > 0 ? bar_text(moved, moved + left) + "; " : "";
      std::printf("    %-24s %-8s %lld to send, %lld to fetch: %s%s\n",
                  to_terminal_text(space.text_of("space")).c_str(), to_terminal_text(space.text_of("state")).c_str(),
                  static_cast<long long>(number_in(space, "pending")),
                  static_cast<long long>(number_in(space, "to_pull")), bar.c_str(),
                  to_terminal_text(space.text_of("reason")).c_str());
    });
  });
  return {};
}

Result<> sync_status(const NodeOptions& options, OutputForm form) {
  TRY(const auto node, NodeClient::open(options));
  if (options.agent.empty()) return show_all(*node, form);
  TRY(const std::string answer, node->ask(http::Method::get, "/sync/status?agent_id=" + percent_encode(options.agent)));
  TRY(const JsonObject data, data_of(answer));
  print_agent_status(options, data, form);
  return {};
}

Result<> sync_push(const NodeOptions& options, std::int64_t limit, OutputForm form) {
  CHECK_OK(need_agent(options));
  TRY(const auto node, NodeClient::open(options));
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
    if (count > 0) std::fprintf(stderr, "Pushing %lld changes to backend...\n", static_cast<long long>(count));
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
    std::printf("✓ Pushed %lld changes\n  Synced as: %s\n", static_cast<long long>(pushed),
                to_terminal_text(options.agent).c_str());
  }
  if (failed > 0) {
    std::printf("⚠️  %lld conflicts:\n", static_cast<long long>(failed));
    int shown = 0;
    const auto results = data.find("results");
    if (results) {
      results->for_each_element([&](JsonView result) {
        if (result.text_of("status") != "rejected" || shown++ >= 5) return;
        std::printf("  %s:%s %s\n", to_terminal_text(result.text_of("table")).c_str(),
                    to_terminal_text(result.text_of("record_id")).c_str(),
                    to_terminal_text(result.text_of("error")).c_str());
      });
    }
  }
  return {};
}

Result<> sync_pull(const NodeOptions& options, bool full, OutputForm form) {
  CHECK_OK(need_agent(options));
  TRY(const auto node, NodeClient::open(options));
  if (form == OutputForm::text) std::fprintf(stderr, "Pulling changes from backend...%s\n", full ? " (full)" : "");
  TRY(const std::string answer,
      ask_with_progress(*node, options, "Pulling", "/sync/pull", agent_body(options, full), form));
  TRY(const JsonObject data, data_of(answer));
  const std::int64_t pulled = number_of(data, "pulled");
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
    std::printf("✓ Pulled %lld changes\n  From: %s\n", static_cast<long long>(pulled),
                to_terminal_text(options.agent).c_str());
  }
  return {};
}

Result<> sync_full(const NodeOptions& options, OutputForm form) {
  CHECK_OK(need_agent(options));
  TRY(const auto node, NodeClient::open(options));
  if (form == OutputForm::text) std::puts("Running full bidirectional sync...");
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
  TRY(const auto node, NodeClient::open(options));
  TRY(const std::string answer,
      node->ask(http::Method::get, "/v1/spaces/" + percent_encode("kernle/" + options.agent) +
                                       "/conflicts?state=all&limit=" + std::to_string(limit)));
  TRY(const JsonObject object, http::parse_object(answer));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().integer("version", 1).name("conflicts").begin_array();
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
  writer.end_array().integer("count", count).end_object();
  print_result(out, form);
  return {};
}

Result<> sync_dead_letters(const NodeOptions& options, bool retry, OutputForm form) {
  CHECK_OK(need_agent(options));
  TRY(const auto node, NodeClient::open(options));
  if (retry) {
    TRY(const std::string answer, node->ask(http::Method::post, "/sync/deadletters/retry", agent_body(options)));
    print_result(answer, form);
    return {};
  }
  TRY(const std::string answer,
      node->ask(http::Method::get, "/sync/deadletters?agent_id=" + percent_encode(options.agent)));
  print_result(answer, form);
  return {};
}

Result<> login(const NodeOptions& options, const HubOptions& hub, OutputForm form) {
  TRY(const std::string key, key_of(hub));
  TRY(const auto node, NodeClient::open(options));
  std::string body;
  JsonWriter(body).begin_object().string("url", hub.url).string("api_key", key).end_object();
  TRY(const std::string answer, ask_with_progress(*node, options, "Connecting", "/api/cloud-sync/connect", body, form));
  print_result(answer, form);
  return {};
}

Result<> profile_command(const NodeOptions& options, http::Method method, const std::string& target,
                         const std::string& body, OutputForm form) {
  TRY(const auto node, NodeClient::open(options));
  TRY(const std::string answer, node->ask(method, target, body));
  print_result(answer, form);
  return {};
}

void define_sync(CLI::App& app, Invocation& invocation, const Options& options) {
  CLI::App& sync =
      *app.add_subcommand("sync", "Keep this device in step: status, push, pull, full, conflicts, deadletters");
  sync.require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& help, std::function<Result<>()> run) -> CLI::App& {
    CLI::App& command = *sync.add_subcommand(name, help);
    add_node_options(command, *options, invocation);
    command.callback([&invocation, run = std::move(run)] { invocation.run = run; });
    return command;
  };
  const auto limit = std::make_shared<std::int64_t>(0);
  const auto flag = std::make_shared<bool>(false);
  add("status", "What waits, and why; of all profiles without -a",
      [&invocation, options] { return sync_status(*options, invocation.form()); });
  add("push", "Send what waits", [&invocation, options, limit] {
    return sync_push(*options, *limit, invocation.form());
  }).add_option("-l,--limit", *limit, "how many results to list");
  add("pull", "Fetch what is new", [&invocation, options, flag] {
    return sync_pull(*options, *flag, invocation.form());
  }).add_flag("-f,--full", *flag, "read everything anew");
  add("full", "Pull, then push", [&invocation, options] { return sync_full(*options, invocation.form()); });
  add("conflicts", "Versions of this device that lost", [&invocation, options, limit] {
    return sync_conflicts(*options, *limit == 0 ? 20 : *limit, invocation.form());
  }).add_option("-l,--limit", *limit, "how many to list");
  add("deadletters", "Changes that the hub refused", [&invocation, options, flag] {
    return sync_dead_letters(*options, *flag, invocation.form());
  }).add_flag("--retry", *flag, "offer them once more");
}

void define_profiles(CLI::App& app, Invocation& invocation, const Options& options) {
  using http::Method;
  CLI::App& profile = *app.add_subcommand("profile", "Profiles of this device: list, add, use, remove");
  profile.require_subcommand(1);
  const auto name = std::make_shared<std::string>();
  const auto add = [&](const std::string& verb, const std::string& help, std::function<Result<>()> run) {
    CLI::App& command = *profile.add_subcommand(verb, help);
    if (verb != "list") command.add_option("NAME", *name, "name of the profile")->required();
    add_node_options(command, *options, invocation);
    command.callback([&invocation, run = std::move(run)] { invocation.run = run; });
  };
  add("list", "List profiles and how each is in sync", [&invocation, options]() -> Result<> {
    TRY(const auto node, NodeClient::open(*options));
    return show_all(*node, invocation.form());
  });
  add("add", "Add a profile", [&invocation, options, name] {
    std::string body;
    JsonWriter(body).begin_object().string("name", *name).end_object();
    return profile_command(*options, Method::post, "/profiles", body, invocation.form());
  });
  add("use", "Make it the active one", [&invocation, options, name] {
    return profile_command(*options, Method::post, "/profiles/" + percent_encode(*name) + "/use", "",
                           invocation.form());
  });
  add("remove", "Take it out; its files are kept", [&invocation, options, name] {
    return profile_command(*options, Method::del, "/profiles/" + percent_encode(*name), "", invocation.form());
  });
}

}  // namespace

void define_node(CLI::App& app, Invocation& invocation) {
  const auto options = std::make_shared<NodeOptions>();
  app.add_option("-a,--agent,-s,--stack", options->agent, "agent whose memory the command is about");

  CLI::App& node = *app.add_subcommand("node", "Keep a copy on this device and serve its programs");
  node.footer("Example:\n  syncline node --listen 127.0.0.1:8765");
  const auto listen = std::make_shared<std::string>("127.0.0.1:8765");
  const auto level = std::make_shared<std::string>("info");
  node.add_option("--data", options->data, "data directory of the node")->capture_default_str();
  node.add_option("--listen", *listen, "loopback ADDRESS:PORT; port 0 takes any free one")->capture_default_str();
  node.add_option("--log-level", *level, "debug, info, warning, error or off")->capture_default_str();
  node.callback([&invocation, options, listen, level] {
    invocation.run = [options, listen, level] { return run_node(options->data, *listen, *level); };
  });

  const auto hub = std::make_shared<HubOptions>();
  CLI::App& logging_in = *app.add_subcommand("login", "Connect this device to a hub");
  logging_in.add_option("URL", hub->url, "URL of the hub")->required();
  logging_in.add_option("--key", hub->key, "key of the hub; better in a file or the environment (SYNCLINE_KEY)");
  logging_in.add_option("--key-file", hub->key_file, "file that holds the key (or SYNCLINE_KEY_FILE)");
  add_node_options(logging_in, *options, invocation);
  logging_in.callback([&invocation, options, hub] {
    invocation.run = [&invocation, options, hub] { return login(*options, *hub, invocation.form()); };
  });

  define_sync(app, invocation, options);
  define_profiles(app, invocation, options);
  define_device(app, invocation, options);
}

}  // namespace syncline::app
