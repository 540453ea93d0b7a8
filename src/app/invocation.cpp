#include "app/invocation.hpp"

#include "app/feed_pages.hpp"
#include "app/hub_access.hpp"
#include "app/node_access.hpp"

namespace syncline::app {

void add_json_flag(Command command, Invocation& invocation) {
  command.flag("-j,--json", invocation.json, "print one JSON document to standard output; errors are JSON too");
  command.flag("--no-color", invocation.no_color, "print no colors (or set NO_COLOR)");
}

void add_common(Command command, Invocation& invocation) {
  command.option("--data DIRECTORY", invocation.data, "data directory of the hub").shows_default();
  add_json_flag(command, invocation);
}

void add_hub_options(Command command, HubOptions& options, const std::string& hub_help) {
  command.option("--hub URL", options.url, hub_help);
  add_key_options(command, options);
}

void add_key_options(Command command, HubOptions& options) {
  command.option("--key KEY", options.key, "key for the hub; --key-file or SYNCLINE_KEY is safer");
  command.option("--key-file FILE", options.key_file, "file with the key in its first line (or set SYNCLINE_KEY_FILE)");
  command.option("--ca-file FILE", options.ca_file,
                 "PEM file with a CA certificate to trust besides the system's (or set SYNCLINE_TLS_CA_FILE)");
}

void add_agent_option(Command command, NodeOptions& options) {
  command.option("-a,--agent,-s,--stack AGENT", options.agent, "agent whose memories the command uses");
}

void add_node_options(Command command, NodeOptions& options, Invocation& invocation) {
  command.option("--data DIRECTORY", options.data, "data directory of the node").shows_default();
  command.option("--profile NAME", options.profile, "profile to use instead of the active one");
  add_json_flag(command, invocation);
}

void add_feed_server_options(Command command, FeedServer& server, Invocation& invocation) {
  add_node_options(command, server.node, invocation);
  add_hub_options(command, server.hub, "use the hub at this URL instead of this device's node");
}

}  // namespace syncline::app
