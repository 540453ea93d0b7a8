// What the parts of the command line share: the options every command has, and what the chosen one does.
#pragma once

#include <CLI/CLI.hpp>

#include "app/data_directory.hpp"
#include "app/exit_codes.hpp"
#include "app/output.hpp"

namespace syncline::app {

struct Invocation {
  std::string data = default_data_directory();
  std::string config;
  bool json = false;
  std::map<std::string, std::string> flags;  // settings given as flags
  std::vector<std::string> assignments;      // --set key=value
  std::function<Result<>()> run;
  int exit_code = kExitOk;  // if `run` succeeds

  [[nodiscard]] OutputForm form() const { return json ? OutputForm::json : OutputForm::text; }
};

void add_json_flag(CLI::App& command, Invocation& invocation);
/// --data and --json
void add_common(CLI::App& command, Invocation& invocation);

/// How a program reaches a hub from the command line: --hub, --key, --key-file, each also from the environment.
struct HubOptions {
  std::string url;
  std::string key;
  std::string key_file;
};
void add_hub_options(CLI::App& command, HubOptions& options);

void define_runner(CLI::App& app, Invocation& invocation);
void define_commands(CLI::App& app, Invocation& invocation);
void define_node(CLI::App& app, Invocation& invocation);
/// tail, export and import
void define_feed(CLI::App& app, Invocation& invocation);

}  // namespace syncline::app
