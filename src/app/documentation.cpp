#include "app/documentation.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/exit_meanings.hpp"
#include "app/invocation.hpp"
#include "app/settings_page.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/completion.hpp"
#include "cli/man_page.hpp"

namespace syncline::app {
namespace {

using cli::CommandInfo;
using cli::ManPage;

std::string edition_date() {
  Timestamp time = SystemClock().now();
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH")) {
    const auto seconds = parse_integer(epoch);
    if (seconds) time = Timestamp::from_millis(*seconds * 1000);
  }
  return format_time(time).substr(0, 10);
}

ManPage make_program_page(const CommandLine& line, const cli::ManEdition& edition) {
  ManPage page("syncline", 1, "self-hosted sync server, node, runner and command line", edition);
  const CommandInfo& root = line.table();
  page.section("SYNOPSIS").lines(cli::usages_of(root));
  page.section("DESCRIPTION")
      .paragraph(
          "A hub stores the data of its accounts and orders all changes. A node keeps a full copy on a device, works "
          "without a network, and syncs with the hub. A runner executes the commands that are submitted to the hub, in "
          "a sandbox, as a policy allows. All of them, and the commands below, are this one program.")
      .paragraph(
          "Administration commands work on the machine of the hub, whether the hub runs or not. Most other commands "
          "use the node of this device.");
  page.section("EXAMPLES").lines(root.examples);
  page.section("COMMANDS").paragraph("Each command has a page of its own, like syncline-key(1).");
  std::string section;
  for (const CommandInfo* command : cli::visible_commands(root)) {
    if (command->section != section) page.subsection(command->section);
    section = command->section;
    page.term(command->name, command->summary + '.');
  }
  page.section("OPTIONS");
  for (const cli::OptionInfo* option : cli::visible_options(root)) {
    page.term(cli::option_text(*option), cli::description_of(*option));
  }
  page.section("ENVIRONMENT")
      .term("SYNCLINE_DATA, SYNCLINE_NODE_DATA, SYNCLINE_RUNNER_DATA",
            "data directories of the hub, the node and the runner")
      .term("SYNCLINE_HUB", "URL of the hub, for commands with --hub")
      .term("SYNCLINE_KEY, SYNCLINE_KEY_FILE", "key for the hub, or a file with the key in its first line")
      .term("SYNCLINE_SECTION_NAME", "a setting; see syncline-hub.yaml(5)");
  page.section("FILES")
      .term("~/.local/share/syncline", "data directory of a hub")
      .term("~/.local/share/syncline/node", "data directory of a node")
      .term("~/.local/state/syncline/runner", "data directory of a runner");
  page.section("EXIT STATUS");
  for (const auto& [code, meaning] : exit_meanings()) page.term(std::to_string(code), meaning);
  std::vector<std::string> pages;
  for (const CommandInfo* command : cli::visible_commands(root)) pages.push_back(cli::page_name(*command) + "(1)");
  pages.emplace_back("syncline-hub.yaml(5)");
  pages.emplace_back("syncline.service(8)");
  page.see_also(pages);
  return page;
}

Result<> write_file(const std::filesystem::path& path, const std::string& text) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return fail(ErrorCode::unavailable, "cannot write " + path.string());
  return {};
}

Result<> write_completions(const std::string& program, const std::filesystem::path& share) {
  CHECK_OK(write_file(share / "bash-completion/completions" / program, cli::completion_script("bash", program)));
  CHECK_OK(write_file(share / "zsh/vendor-completions" / ('_' + program), cli::completion_script("zsh", program)));
  return write_file(share / "fish/vendor_completions.d" / (program + ".fish"), cli::completion_script("fish", program));
}

}  // namespace

Result<> write_documentation(const CommandLine& line, const std::string& directory) {
  const std::filesystem::path share(directory);
  const cli::ManEdition edition{edition_date(), line.program().version};
  const std::filesystem::path man1 = share / "man/man1";
  CHECK_OK(write_file(man1 / "syncline.1", make_program_page(line, edition).text()));
  for (const CommandInfo* command : cli::visible_commands(line.table())) {
    ManPage page = cli::command_page(*command, line.program(), edition);
    page.see_also({"syncline(1)"});
    CHECK_OK(write_file(man1 / (cli::page_name(*command) + ".1"), page.text()));
  }
  CHECK_OK(write_file(share / "man/man5/syncline-hub.yaml.5", make_settings_page(edition).text()));
  CHECK_OK(write_file(share / "man/man8/syncline.service.8", make_service_page(edition).text()));
  return write_completions(line.table().name, share);
}

void define_documentation(Command root, const CommandLine& line) {
  const auto shell = std::make_shared<std::string>();
  const Command completions = root.add("completions", "Print the completion script of a shell");
  completions.option("SHELL", *shell, "shell to print the script for").required().one_of(cli::shells());
  completions.note(
      "Packages install the scripts for all users. Without a package, put the first example into ~/.bashrc, or the "
      "second one into ~/.zshrc after compinit, or run the third one once.");
  completions.example("source <(syncline completions bash)");
  completions.example("source <(syncline completions zsh)");
  completions.example("syncline completions fish >~/.config/fish/completions/syncline.fish");
  completions.on_run([shell, &line]() -> Result<> {
    std::fputs(cli::completion_script(*shell, line.table().name).c_str(), stdout);
    return {};
  });

  const auto directory = std::make_shared<std::string>();
  const Command writing = root.add("write-documentation", "Write man pages and completion scripts below a directory");
  writing.option("DIRECTORY", *directory, "directory to write to").required();
  writing.example("syncline write-documentation build/release/share");
  writing.on_run([directory, &line] { return write_documentation(line, *directory); });
  writing.hide();
}

}  // namespace syncline::app
