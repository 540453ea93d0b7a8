// syncline node, login and profile: the node of this device, and what it is connected to.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "app/ca_file.hpp"
#include "app/faces.hpp"
#include "app/hub_access.hpp"
#include "app/invocation.hpp"
#include "app/node_access.hpp"
#include "app/node_server.hpp"
#include "app/node_spaces.hpp"
#include "app/output.hpp"
#include "app/settings.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "net/curl_client.hpp"
#include "node/hub_probe.hpp"

namespace syncline::app {
namespace {

using Options = std::shared_ptr<NodeOptions>;

/// The published answer of a node says the same of a wrong key and of no hub. Asked once more, the hub tells them
/// apart.
Error explain_refusal(const node::HubAddress& hub, Error refusal) {
  if (refusal.code != ErrorCode::unauthorized) return refusal;
  const SystemClock clock;
  const auto faces = make_node_faces();
  const node::HubProbe probe(
      [](const node::HubAddress& to) -> Result<http::ClientFactory> {
        TRY(net::Endpoint endpoint, net::make_endpoint(to.url, to.key));
        endpoint.ca_file = to.ca_file;
        endpoint.ca_advice = kCaFileAdvice;
        return net::make_client_factory(std::move(endpoint));
      },
      clock, list_dialects(faces));
  const auto account = probe.ask(hub, {});
  if (account) return refusal;
  if (account.error().code != ErrorCode::unauthorized) return account.error();
  return {
      ErrorCode::unauthorized,
      hub.url + " does not accept the key: it is wrong, revoked or expired; 'syncline key list' at the hub shows keys"};
}

Result<> login(const NodeOptions& options, const HubOptions& hub, OutputForm form) {
  TRY(const std::string key, key_of(hub));
  TRY(const std::string ca_file, find_ca_file(hub.ca_file));
  warn_of_plain_http(hub.url);
  TRY(const auto node, NodeClient::open(options, form));
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().string("url", hub.url).string("api_key", key);
  if (!ca_file.empty()) writer.string("ca_file", ca_file);
  writer.end_object();
  const auto answer = ask_with_progress(*node, options, "Connecting", "/api/cloud-sync/connect", body, form);
  if (!answer) {
    const std::string trusted = ca_file.empty() ? node_ca_file(options.data).value_or("") : ca_file;
    return std::unexpected(explain_refusal({hub.url, key, trusted}, answer.error()));
  }
  print_result(*answer, form);
  return {};
}

Result<> profile_command(const NodeOptions& options, http::Method method, const std::string& target,
                         const std::string& body, OutputForm form) {
  TRY(const auto node, NodeClient::open(options, form));
  TRY(const std::string answer, node->ask(method, target, body));
  print_result(answer, form);
  return {};
}

/// The answer is the whole profile; people only want to know of its clock.
Result<> accept_clock(const NodeOptions& options, const std::string& name, OutputForm form) {
  TRY(const auto node, NodeClient::open(options, form));
  TRY(std::string answer, node->ask(http::Method::post, "/profiles/" + percent_encode(name) + "/accept-clock", ""));
  if (form == OutputForm::text) {
    TRY(const JsonObject profile, http::parse_object(answer));
    answer.clear();
    JsonWriter(answer)
        .begin_object()
        .string("profile", profile.text_of("profile"))
        .string("clock", profile.text_of("clock"))
        .end_object();
  }
  print_result(answer, form);
  return {};
}

void define_serving(Command root, const Options& options) {
  const Command node = root.add("node", "Run this device's node, a local copy of the data with a local API");
  add_exits(node, {kExitWrongStore, kExitNewerStore, kExitBusy, kExitStorageFull, kExitStorageBroken, kExitLocked,
                   kExitStorageDamaged});
  node.example("syncline node --listen 127.0.0.1:8765");
  const auto settings = std::make_shared<NodeSettings>();
  node.option("--data DIRECTORY", options->data, "data directory of the node")
      .defaults_to("$SYNCLINE_NODE_DATA, else ~/.local/share/syncline/node");
  node.option("--listen ADDRESS:PORT", settings->listen, "loopback address to listen on; port 0 picks a free one")
      .shows_default();
  add_log_level(node, settings->log_level);
  node.option("--ca-file FILE", settings->ca_file,
              "PEM file with a CA certificate of hubs, to trust besides the system's (or set SYNCLINE_TLS_CA_FILE)");
  std::vector<std::string> keys;
  for (const SettingInfo& info : node_settings()) keys.push_back(std::string(info.key) + '=');
  node.option("--set KEY=VALUE", settings->assignments, "a setting; syncline-hub.yaml(5) describes them")
      .known_beginnings(keys);
  node.on_run([options, settings] {
    settings->data = options->data;
    return run_node(*settings);
  });
}

void define_login(Command root, Invocation& invocation, const Options& options) {
  const auto hub = std::make_shared<HubOptions>();
  const Command logging_in = root.add("login", "Connect this device to a hub");
  logging_in.option("URL", hub->url, "URL of the hub").required();
  add_key_options(logging_in, *hub);
  add_node_options(logging_in, *options, invocation);
  logging_in.example("syncline login http://127.0.0.1:8080 --key-file key.txt");
  logging_in.on_run([&invocation, options, hub] { return login(*options, *hub, invocation.form()); });
}

void define_profiles(Command root, Invocation& invocation, const Options& options) {
  using http::Method;
  const Command profile = root.add_group("profile", "Manage this device's profiles", "syncline profile list");
  profile.alias("profiles");
  const auto name = std::make_shared<std::string>();
  const auto add = [&](const std::string& verb, const std::string& help, const std::string& example, Action run) {
    const Command command = profile.add(verb, help);
    if (verb != "list") command.option("NAME", *name, "name of the profile").required();
    add_node_options(command, *options, invocation);
    command.example(example);
    command.on_run(std::move(run));
  };
  add("list", "List profiles and their sync state", "syncline profile list", [&invocation, options]() -> Result<> {
    TRY(const auto node, NodeClient::open(*options, invocation.form()));
    return print_profiles(*node, invocation.form());
  });
  add("add", "Add a profile", "syncline profile add work", [&invocation, options, name] {
    std::string body;
    JsonWriter(body).begin_object().string("name", *name).end_object();
    return profile_command(*options, Method::post, "/profiles", body, invocation.form());
  });
  add("use", "Make a profile the active one", "syncline profile use work", [&invocation, options, name] {
    return profile_command(*options, Method::post, "/profiles/" + percent_encode(*name) + "/use", "",
                           invocation.form());
  });
  add("accept-clock", "Trust this device's clock as it is now, so that purging resumes",
      "syncline profile accept-clock work",
      [&invocation, options, name] { return accept_clock(*options, *name, invocation.form()); });
  add("remove", "Remove a profile, and move its files to removed/", "syncline profile remove work",
      [&invocation, options, name] {
        return profile_command(*options, Method::del, "/profiles/" + percent_encode(*name), "", invocation.form());
      });
}

}  // namespace

void define_kernle_login(Command root, Invocation& invocation, const std::shared_ptr<NodeOptions>& options) {
  const auto hub = std::make_shared<HubOptions>();
  if (const char* url = std::getenv("KERNLE_BACKEND_URL")) hub->url = url;
  if (const char* token = std::getenv("KERNLE_AUTH_TOKEN")) hub->key = token;
  const Command auth = root.add_group("auth", "Connect this device to a backend",
                                      "kernle auth login --backend-url https://hub.example.org --api-key KEY");
  const Command logging_in = auth.add("login", "Log in to a backend");
  logging_in.option("-b,--backend-url URL", hub->url, "URL of the backend").defaults_to("$KERNLE_BACKEND_URL");
  logging_in.option("-k,--api-key KEY", hub->key, "API key (or set KERNLE_AUTH_TOKEN, which other users cannot see)");
  add_node_options(logging_in, *options, invocation);
  logging_in.example("kernle auth login --backend-url https://hub.example.org --api-key KEY");
  logging_in.on_run([&invocation, options, hub]() -> Result<> {
    if (hub->url.empty()) return fail(ErrorCode::invalid_argument, "no backend given; use --backend-url URL");
    if (hub->key.empty()) return fail(ErrorCode::invalid_argument, "no API key given; use --api-key KEY");
    return login(*options, *hub, invocation.form());
  });
}

void define_node(Command root, Invocation& invocation) {
  const auto options = std::make_shared<NodeOptions>();
  add_agent_option(root, *options);
  define_serving(root, options);
  define_login(root, invocation, options);
  define_sync(root, invocation, options);
  define_profiles(root, invocation, options);
  define_device(root, invocation, options);
}

}  // namespace syncline::app
