// What the parts of the command line share: options that several commands have, and the parts themselves.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>

#include "app/data_directory.hpp"
#include "app/exit_codes.hpp"
#include "app/output.hpp"
#include "cli/command_line.hpp"

namespace syncline::app {

using cli::Action;
using cli::Command;
using cli::CommandLine;
using cli::Option;

struct FeedServer;
struct HubOptions;
struct NodeOptions;

/// The name that the program was called by: as kernle, it has the commands that Kernle documents.
enum class CalledAs { syncline, kernle };

struct Invocation {
  CalledAs called_as = CalledAs::syncline;
  std::string data = default_data_directory();
  bool json = false;
  bool no_color = false;
  /// Unless it is kExitOk, the process ends with it whatever the outcome of the command.
  int exit_code = kExitOk;

  [[nodiscard]] OutputForm form() const { return json ? OutputForm::json : OutputForm::text; }
};

/// The help says what these exit codes mean.
void add_exits(Command command, std::initializer_list<int> codes);
/// --json and --no-color
void add_json_flag(Command command, Invocation& invocation);
/// --data of a hub, and --json
void add_common(Command command, Invocation& invocation);
/// --hub, and those of add_key_options
void add_hub_options(Command command, HubOptions& options,
                     const std::string& hub_help = "URL of the hub, like http://127.0.0.1:8080 (or set SYNCLINE_HUB)");
/// --key, --key-file and --ca-file
void add_key_options(Command command, HubOptions& options);
/// -a: the agent whose memories a command uses. The root has it too, so that it may precede the command.
Option add_agent_option(Command command, NodeOptions& options);
void add_log_level(Command command, std::string& level);
/// --data of a node, --profile and --json; called as kernle, --json alone
void add_node_options(Command command, NodeOptions& options, Invocation& invocation);
/// Those of a node and those of a hub.
void add_feed_server_options(Command command, FeedServer& server, Invocation& invocation);

void define_hub(Command root, Invocation& invocation);
/// account, key, space, conflict and webhook
void define_administration(Command root, Invocation& invocation);
void define_audit(Command root, Invocation& invocation);
/// backup, restore, verify, doctor, clock and config
void define_data_and_settings(Command root, Invocation& invocation);
void define_runner(Command root, Invocation& invocation);
/// command
void define_commands(Command root, Invocation& invocation);
/// node, login and profile, and those of define_sync and define_device
void define_node(Command root, Invocation& invocation);
void define_sync(Command root, Invocation& invocation, const std::shared_ptr<NodeOptions>& options);
/// memory, timer, book, entry and triage
void define_device(Command root, Invocation& invocation, const std::shared_ptr<NodeOptions>& options);
/// search, of an agent's memories. `example` is a command line of it.
void define_search(Command parent, Invocation& invocation, const std::shared_ptr<NodeOptions>& options,
                   const std::string& example);
void define_tail(Command root, Invocation& invocation);
void define_export(Command root, Invocation& invocation);
void define_import(Command root, Invocation& invocation);
/// completions, and the hidden command that writes what is installed beside the program; `line` has all commands.
void define_documentation(Command root, const CommandLine& line);
/// All commands of the program when it is called as kernle.
void define_kernle(Command root, Invocation& invocation);
/// auth login, as Kernle documents it
void define_kernle_login(Command root, Invocation& invocation, const std::shared_ptr<NodeOptions>& options);

}  // namespace syncline::app
