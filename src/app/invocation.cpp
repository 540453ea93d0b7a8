#include "app/invocation.hpp"

#include "app/exit_meanings.hpp"
#include "app/feed_pages.hpp"
#include "app/hub_access.hpp"
#include "app/node_access.hpp"

namespace syncline::app {

void add_exits(Command command, std::initializer_list<int> codes) {
  for (const int code : codes) command.exits(code, std::string(exit_meanings().at(code)));
}

void add_json_flag(Command command, Invocation& invocation) {
  command.flag("-j,--json", invocation.json, "print one JSON document to standard output; errors are JSON, too")
      .common();
  command.flag("--no-color", invocation.no_color, "print no colors (or set NO_COLOR)").common();
}

void add_common(Command command, Invocation& invocation) {
  command.option("--data DIRECTORY", invocation.data, "data directory of the hub")
      .defaults_to("$SYNCLINE_DATA, else ~/.local/share/syncline")
      .common();
  add_json_flag(command, invocation);
  add_exits(command, {kExitLocked, kExitStorageDamaged});
}

void add_hub_options(Command command, HubOptions& options, const std::string& hub_help) {
  command.option("--hub URL", options.url, hub_help).common();
  add_key_options(command, options);
}

void add_key_options(Command command, HubOptions& options) {
  command.option("--key KEY", options.key, "key for the hub; --key-file or SYNCLINE_KEY is safer").common();
  command.option("--key-file FILE", options.key_file, "file with the key in its first line (or set SYNCLINE_KEY_FILE)")
      .common();
  command
      .option("--ca-file FILE", options.ca_file,
              "PEM file with a CA certificate to trust besides the system's (or set SYNCLINE_TLS_CA_FILE)")
      .common();
  add_exits(command, {kExitAuth, kExitUnreachable});
}

Option add_agent_option(Command command, NodeOptions& options) {
  return command.option("-a,--agent,-s,--stack AGENT", options.agent, "agent whose memories the command uses");
}

void add_log_level(Command command, std::string& level) {
  command.option("--log-level LEVEL", level, "least important messages to log")
      .known_values({"debug", "info", "warning", "error", "off"})
      .shows_default();
}

void add_node_options(Command command, NodeOptions& options, Invocation& invocation) {
  if (invocation.called_as == CalledAs::syncline) {
    command.option("--data DIRECTORY", options.data, "data directory of the node")
        .defaults_to("$SYNCLINE_NODE_DATA, else ~/.local/share/syncline/node")
        .common();
    command.option("--profile NAME", options.profile, "profile to use instead of the active one").common();
  }
  add_json_flag(command, invocation);
  add_exits(command, {kExitNotFound, kExitConflict, kExitAuth, kExitUnreachable});
}

void add_feed_server_options(Command command, FeedServer& server, Invocation& invocation) {
  add_node_options(command, server.node, invocation);
  add_hub_options(command, server.hub, "use the hub at this URL instead of this device's node");
}

}  // namespace syncline::app
