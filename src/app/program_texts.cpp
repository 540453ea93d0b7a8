#include "app/program_texts.hpp"

#include "app/exit_meanings.hpp"

namespace syncline::app {
namespace {

constexpr const char* kOverview =
    R"(syncline keeps data in sync: a hub orders the changes, nodes on your devices
keep full copies, and runners execute the commands that you submit.

Start a hub:
  syncline account add me@example.org --plan pro
  syncline key add --account me@example.org --label laptop --scopes read,write
  syncline hub

Sync this device with it:
  syncline node &
  syncline login http://127.0.0.1:8080 --key-file key.txt
  syncline sync status

Find out more:
  syncline help              list all commands
  syncline help key add      describe one
  man syncline               read the manual
)";

constexpr const char* kKernleOverview =
    R"(kernle syncs the memories of agents on this device with a backend.

  kernle auth login                     connect this device to a backend
  kernle -a claire sync full            pull, then push
  kernle -a claire sync status          show what is pending
  kernle -a claire search gateway logs  search the memories
  kernle help                           list all commands
)";

}  // namespace

std::string name_of(CalledAs called_as) { return called_as == CalledAs::kernle ? "kernle" : "syncline"; }

cli::ProgramInfo program_info(CalledAs called_as) {
  const bool is_kernle = called_as == CalledAs::kernle;
  cli::ProgramInfo program;
  program.title = is_kernle ? "kernle: sync the memories of agents" : "syncline: a self-hosted sync server";
  program.version = name_of(called_as) + ' ' + SYNCLINE_VERSION;
  program.overview = is_kernle ? kKernleOverview : kOverview;
  for (const int code : {kExitOk, kExitFailure, kExitUsage}) program.exits[code] = exit_meanings().at(code);
  if (!is_kernle) program.more_exits = "'man syncline' lists all exit codes.";
  return program;
}

void add_sections(Command root) {
  root.section("Run syncline", {"hub", "node", "runner"});
  root.section("Sync and use this device", {"login", "sync", "profile", "memory", "timer", "book", "entry", "triage"});
  root.section("Read and move data, of this device or a hub", {"tail", "export", "import"});
  root.section("Run commands on other machines", {"command"});
  root.section("Administer a hub, on its machine",
               {"setup", "account", "key", "space", "conflict", "webhook", "audit"});
  root.section("Look after a hub's data", {"backup", "restore", "verify", "doctor", "clock", "config"});
  root.section("Find out more", {"help", "version", "completions"});
}

}  // namespace syncline::app
